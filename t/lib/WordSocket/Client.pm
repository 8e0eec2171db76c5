# SPDX-License-Identifier: Apache-2.0
# What a site and its browsers do: sign, mint, publish, poll, connect.
#
#   my $client = WordSocket::Client->new($server, site => {...}, tls => 0);
#   $client->publish('events', 'post.updated', { id => 1 })->{status};
#   my $ws  = $client->socket(channels => ['events']);     # WordSocket::Frames
#   my $sse = $client->events(channels => ['events']);     # WordSocket::Events
#
# host => '127.0.0.2' asks a virtual host on another address of the loopback;
# version => 2 signs by version 2.
#
# Every claim, header and byte can be given, so that it can be wrong.
package WordSocket::Client;
use v5.30;
use warnings;
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use HTTP::Tiny;
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);
use WordSocket::Events;
use WordSocket::Frames;

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

sub new {
    my ($class, $server, %option) = @_;
    my $self = bless { server => $server, site => $server->site, tls => 0,
        host => '127.0.0.1', %option }, $class;
    $self->{http} = HTTP::Tiny->new(
        timeout => 20, verify_SSL => 0, keep_alive => $self->{keep_alive} // 1,
        max_redirect => 0);
    return $self;
}

# HTTP::Tiny sends head and body apart, which without this costs each request
# on a connection that is kept the 40 ms of a delayed acknowledgement.
{
    my $connect = \&HTTP::Tiny::Handle::connect;
    no warnings 'redefine';
    *HTTP::Tiny::Handle::connect = sub {
        my $handle = $connect->(@_);
        setsockopt $handle->{fh}, IPPROTO_TCP, TCP_NODELAY, 1;
        return $handle;
    };
}

sub encode { $json->encode($_[-1]) }

sub decode {
    my $text = $_[-1] // '';
    return eval { $json->decode($text) } // die "not JSON: $text\n";
}

# --- identity ----------------------------------------------------------------

sub site_id   { sha256_hex('site:' . $_[0]{site}{site_key}) }
sub tenant_id { sha256_hex('tenant:' . $_[0]{site}{site_key}) }
sub qualified { "site:@{[$_[0]->site_id]}:$_[1]" }

sub first_of { ref $_[0] ? $_[0][0] : $_[0] }

# The claims of a token with all rights of the site, changed as told; a claim
# given as undef is left out.
sub claims {
    my ($self, %change) = @_;
    my $now = int time;
    my %claims = (
        v => 2, tenant_id => $self->tenant_id, site_id => $self->site_id,
        user_id => '1',
        allowed_channel_prefixes => [ $self->qualified('') ],
        allowed_publish_prefixes => [ $self->qualified('') ],
        iat => $now, exp => $now + 300, %change,
    );
    delete $claims{$_} for grep { !defined $claims{$_} } keys %claims;
    return \%claims;
}

sub token {
    my ($self, %change) = @_;
    return $self->token_of('{"alg":"HS256","typ":"JWT"}', encode($self->claims(%change)));
}

# A token of exactly these bytes, signed with the site's secret or another.
sub token_of {
    my ($self, $header, $claims, $secret) = @_;
    my $signed = join '.', map { encode_base64url($_) } $header, $claims;
    return $signed . '.' . encode_base64url(
        hmac_sha256($signed, $secret // first_of($self->{site}{jwt_secret})));
}

# --- HTTP --------------------------------------------------------------------

sub url {
    my ($self, $path) = @_;
    return $self->{server}->base($self->{tls}) =~ s/127\.0\.0\.1/$self->{host}/r . $path;
}

# Returns status, headers, content, and json if that is what came.
sub request {
    my ($self, $method, $path, %option) = @_;
    my $answer = $self->{http}->request($method, $self->url($path), {
        headers => $option{headers} // {},
        defined $option{content} ? (content => $option{content}) : (),
    });
    $answer->{json} = eval { decode($answer->{content}) };
    return $answer;
}

sub get { my ($self, $path, %headers) = @_; $self->request(GET => $path, headers => \%headers) }

# The answer to a request of exactly these bytes, on a connection of its own;
# {wire} is left open.
sub raw {
    my ($self, $bytes, $seconds) = @_;
    my $wire = WordSocket::Wire->open_wire($self->connect_options);
    my %answer = (wire => $wire, status => $wire->exchange($bytes, $seconds), headers => $wire->{headers} // {});
    my $length = $wire->header('Content-Length') // 0;
    $answer{content} = $wire->take($length, time + ($seconds // $wire->PATIENCE)) // '';
    $answer{json} = eval { decode($answer{content}) };
    return \%answer;
}

# Signature v1: HMAC over the body, a dot and the time in milliseconds.
sub signature {
    my ($self, $body, $ts) = @_;
    return hmac_sha256_hex("$body.$ts", first_of($self->{site}{publish_secret}));
}

sub signed_headers {
    my ($self, $body, %option) = @_;
    my $ts = $option{ts} // int(time * 1000);
    return (
        'X-WP-Signal-Key'  => $option{key} // $self->{site}{site_key},
        'X-WP-Signal-Ts'   => $ts,
        'X-WP-Signal-Sign' => $option{sign} // $self->signature($body, $ts),
    );
}

# Signature v2: method, path below the base, key, time, nonce, body. Every part
# can be another than the one that is sent.
sub signed_headers_v2 {
    my ($self, $body, %option) = @_;
    my %part = (method => 'POST', path => '/publish', key => $self->{site}{site_key},
        ts => int(time * 1000), nonce => nonce(), body => $body,
        secret => first_of($self->{site}{publish_secret}), %option);
    my $text = join "\n", 'v2', @part{qw(method path key ts nonce)}, sha256_hex($part{body});
    return (
        'X-WordSocket-Key'       => $part{key},
        'X-WordSocket-Timestamp' => $part{ts},
        'X-WordSocket-Nonce'     => $part{nonce},
        'X-WordSocket-Signature' => 'v2=' . hmac_sha256_hex($text, $part{secret}),
    );
}

sub nonce { state $count = 0; sha256_hex(join ' ', $$, time, ++$count) }

# POST a body with these headers, which are its signature or are not.
sub publish_with {
    my ($self, $body, %headers) = @_;
    return $self->request(POST => '/publish', content => $body,
        headers => { 'Content-Type' => 'application/json', %headers });
}

sub publish_v2 {
    my ($self, $body, %option) = @_;
    return $self->publish_with($body, $self->signed_headers_v2($body, %option));
}

# The headers that sign a request, of the version this client signs by.
sub signed {
    my ($self, $method, $path, $body, %option) = @_;
    return $self->signed_headers($body, %option) if ($option{version} // $self->{version} // 1) == 1;
    return $self->signed_headers_v2($body, method => $method, path => $path,
        map { $_ => $option{$_} } grep { defined $option{$_} } qw(key ts nonce secret));
}

# POST a signed body of exactly these bytes.
sub publish_body {
    my ($self, $body, %option) = @_;
    my $path = $option{path} // '/publish';
    return $self->request(POST => $path,
        content => $body,
        headers => {
            'Content-Type' => 'application/json',
            $self->signed(POST => $path, $body, %option),
            %{ $option{headers} // {} },
        });
}

sub publish {
    my ($self, $channel, $event, $data, %option) = @_;
    return $self->publish_body(
        encode({ channel => $channel, event => $event, data => $data }), %option);
}

sub stats { $_[0]->request(GET => '/site/stats', headers => { $_[0]->signed(GET => '/site/stats', '') }) }

sub query {
    my (%value) = @_;
    return join '&', map { my $v = $value{$_}; "$_=" . ($v =~ s/([^\w.~-])/sprintf '%%%02X', ord $1/ger) }
        grep { defined $value{$_} } sort keys %value;
}

sub poll {
    my ($self, %option) = @_;
    return $self->get('/poll?' . query(
        token    => $option{token} // $self->token,
        channels => join(',', @{ $option{channels} // ['events'] }),
        since    => $option{since}));
}

# --- connections -------------------------------------------------------------

sub connect_options {
    my ($self, %option) = @_;
    return (host => $self->{host},
        port => $self->{tls} ? $self->{server}{tls_port} : $self->{server}{port},
        tls => $self->{tls}, base => $self->{server}{path}, %option);
}

# A WebSocket on /ws; with channels, subscribed already.
sub socket {
    my ($self, %option) = @_;
    my $token = $option{token} // $self->token;
    my $ws = WordSocket::Frames->connect(
        path => '/ws?' . query(token => $token), $self->connect_options(%option));
    $ws->subscribe($option{channels}, $option{since}) if $option{channels};
    return $ws;
}

# An event stream on /sse.
sub events {
    my ($self, %option) = @_;
    my $token = $option{token} // $self->token;
    return WordSocket::Events->connect(
        path => '/sse?' . query(
            token    => $token,
            channels => join(',', @{ $option{channels} // ['events'] }),
            since    => $option{since}),
        $self->connect_options(%option));
}

1;
