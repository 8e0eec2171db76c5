# SPDX-License-Identifier: Apache-2.0
# Tenants on one server: what is one site's never reaches another, whatever is
# crossed: token, key, secret, channel name, cursor, stream id, and whether
# the two share a virtual host or not.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(time);
use WordSocket::Client;
use WordSocket::Frames;
use WordSocket::Server;
use WordSocket::Tenants;

# Alpha and beta live in one virtual host; so does twin, which has alpha's
# secrets, as copies of one installation do. Gamma has a host of its own.
my ($alpha, $beta, $gamma) = map { tenant($_) } qw(alpha beta gamma);
my $twin = tenant('twin', map { $_ => $alpha->{$_} } qw(publish_secret jwt_secret));

use constant HOST_OF_GAMMA => <<'END';
Listen 127.0.0.2:@Port@
<VirtualHost 127.0.0.2:@Port@>
    ServerName gamma.example
    WordSocketSiteFile "@ServerRoot@/gamma.json"
</VirtualHost>
END

my $server = WordSocket::Server->new(sites => [ $alpha, $beta, $twin ], more_vhosts => HOST_OF_GAMMA);
$server->prepare;
$server->write_file('gamma.json', WordSocket::Client->encode($gamma));
$server->start;

my %client = (
    alpha => WordSocket::Client->new($server, site => $alpha),
    beta  => WordSocket::Client->new($server, site => $beta),
    twin  => WordSocket::Client->new($server, site => $twin),
    gamma => WordSocket::Client->new($server, site => $gamma, host => '127.0.0.2'),
);
my @names = sort keys %client;

# A client with one site's credentials at another's host.
sub astray {
    my ($whose, $where) = @_;
    return WordSocket::Client->new($server, site => $client{$whose}{site}, host => $client{$where}{host});
}

# --- everybody's own way ------------------------------------------------------

# On every site the same channel, a socket and a stream that stay open
# throughout: whatever else is tried below, they get their own site's messages.
my (%ws, %sse, %said, %ids);
for my $name (@names) {
    $ws{$name}  = $client{$name}->socket(channels => ['room']);
    $sse{$name} = $client{$name}->events(channels => ['room']);
}

sub say_to {
    my ($name, $text) = @_;
    my $answer = $client{$name}->publish('room', 'said', "$name: $text");
    push @{ $said{$name} }, "$name: $text";
    push @{ $ids{$name} }, $answer->{json}{id};
    return $answer->{status};
}

for my $round (1 .. 5) {
    is say_to($_, "message $round"), 200, "$_ publishes message $round" for @names;
}

# The same bytes, signed with the same secret in the same millisecond: one
# site's memory of what it took is not the other's.
my $body = $client{alpha}->encode({ channel => 'room', event => 'said', data => 'word for word' });
my $now  = int(time * 1000);
for my $name (qw(alpha twin)) {
    my $answer = $client{$name}->publish_body($body, ts => $now);
    is $answer->{status}, 200, "$name publishes the same signed bytes";
    ok !$answer->{json}{duplicate}, "and they are no duplicate at $name";
    push @{ $said{$name} }, 'word for word';
    push @{ $ids{$name} }, $answer->{json}{id};
}

# --- tokens -------------------------------------------------------------------

# What a token gets at a place where it is nobody's.
sub refused_everywhere {
    my ($what, $at, $token, @codes) = @_;
    my $ws = $at->socket(token => $token);
    my $code = $ws->close_code // 'nothing';
    ok scalar(grep { $code == $_ } @codes), "$what at /ws: closed with $code";
    my $query = WordSocket::Client::query(token => $token, channels => 'room');
    for my $path ('/sse', '/poll') {
        my $answer = $at->get("$path?$query");
        is $answer->{status}, 401, "$what at $path";
        unlike $answer->{content}, qr/message \d/, "$what at $path: and nobody's words";
    }
    my $answer = $at->request(POST => '/send',
        content => '{"type":"message","channel":"room","event":"said","data":"forged"}',
        headers => { 'Content-Type' => 'application/json', Authorization => "Bearer $token",
            'X-WordSocket-Stream' => '0' x 32 });
    is $answer->{status}, 401, "$what at /send";
    return;
}

refused_everywhere("alpha's token at gamma's host", astray(qw(alpha gamma)), $client{alpha}->token, 4003);
refused_everywhere("gamma's token at alpha's host", astray(qw(gamma alpha)), $client{gamma}->token, 4003);

my @forged = (
    [ "beta's claims, signed by alpha", beta => $client{alpha}->token_of(
        '{"alg":"HS256","typ":"JWT"}', $client{beta}->encode($client{beta}->claims), $alpha->{jwt_secret}) ],
    [ "alpha's tenant at beta's site, signed by beta", beta =>
        $client{beta}->token(tenant_id => $client{alpha}->tenant_id) ],
    [ "twin's tenant at alpha's site, signed by both", alpha =>
        $client{alpha}->token(tenant_id => $client{twin}->tenant_id) ],
    [ "alpha's site under twin's tenant", twin => $client{twin}->token(site_id => $client{alpha}->site_id) ],
);
refused_everywhere($_->[0], $client{ $_->[1] }, $_->[2], 4001) for @forged;

# --- names --------------------------------------------------------------------

# Rights that are written out for another site's channels open nothing, and the
# other's qualified name is not the other's channel.
for my $pair ([qw(alpha beta)], [qw(beta alpha)], [qw(alpha twin)], [qw(alpha gamma)]) {
    my ($mine, $theirs) = @$pair;
    my $client = $client{$mine};
    my $foreign = $client{$theirs}->qualified('room');
    my $greedy  = $client->token(
        allowed_channel_prefixes => [ $client{$theirs}->qualified(''), $client->qualified('') ],
        allowed_publish_prefixes => [ $client{$theirs}->qualified(''), $client->qualified('') ]);
    my $what = "$mine, naming $theirs";
    my $ws = $client->socket(token => $greedy);
    $ws->subscribe([ $foreign, 'room' ]);
    is_deeply [ grep { $_ ne $foreign } @{ $ws->{subscribed}{channels} } ], ['room'], "$what: its own room is granted";
    my $sse = $client->events(token => $greedy, channels => [ $foreign, 'room' ]);
    $client->publish($foreign, 'said', "forged by $mine for $theirs");
    $ws->send_json({ type => 'message', channel => $foreign, event => 'said', data => "forged by $mine" });
    $ws->send_binary(WordSocket::Frames::channel_frame($foreign, "forged by $mine"));
    say_to($theirs, "while $mine listens");
    say_to($mine, 'a last word');
    my $last = 'nothing';
    while (my $message = $ws->message(5, 'message')) {
        $last = $message->{data};
        last if $last =~ /last word/;
        unlike $last, qr/^$theirs/, "$what: not what $theirs said";
    }
    is $last, "$mine: a last word", "$what: a socket hears its own site";
    my @events;
    while (my ($message) = $sse->messages(1, 5)) {
        push @events, $message->{data};
        last if $events[-1] =~ /last word/;
    }
    like $events[-1], qr/last word/, "$what: so does a stream";
    is scalar(grep { /^$theirs/ } @events), 0, "$what: and not the other";
    $_->hang_up for $ws, $sse;
}

# --- keys and secrets ---------------------------------------------------------

sub signed_by {
    my ($signer, $key, $at) = @_;
    return WordSocket::Client->new($server, host => $client{$at}{host},
        site => { %{ $client{$signer}{site} }, site_key => $client{$key}{site}{site_key} });
}

for my $case (
    [ beta  => alpha => 'alpha', 'invalid_signature' ],
    [ alpha => beta  => 'beta',  'invalid_signature' ],
    [ gamma => gamma => 'alpha', 'unknown_site_key' ],
    [ alpha => alpha => 'gamma', 'unknown_site_key' ],
    [ gamma => alpha => 'gamma', 'unknown_site_key' ],
    [ alpha => gamma => 'gamma', 'invalid_signature' ],
) {
    my ($signer, $key, $at, $error) = @$case;
    my $client = signed_by($signer, $key, $at);
    my $what = "$key\'s key with $signer\'s secret at $at\'s host";
    for my $answer ($client->publish('room', 'said', 'forged'), $client->stats) {
        is $answer->{status}, 401, $what;
        is $answer->{json}{error}, $error, "$what: $error";
    }
}
is $client{$_}->stats->{json}{active_connections}, 2, "$_ counts its own two connections" for @names;

# --- cursors ------------------------------------------------------------------

# A place in another site's log is nobody's place here: a gap, and what is
# kept of one's own.
for my $pair ([qw(alpha beta)], [qw(beta gamma)], [qw(alpha twin)]) {
    my ($mine, $theirs) = @$pair;
    my $client = $client{$mine};
    my $since  = $ids{$theirs}[1];
    my $poll   = $client->poll(channels => ['room'], since => $since)->{json}{messages};
    is $poll->[0]{type}, 'gap', "$theirs\'s cursor at $mine\'s /poll is a gap";
    is scalar(grep { ($_->{data} // '') =~ /^$theirs/ } @$poll), 0, "and brings nothing of $theirs";
    my $ws = $client->socket(channels => ['room'], since => $since);
    is $ws->message->{type}, 'gap', "$theirs\'s cursor over $mine\'s socket is a gap";
    is scalar(grep { $_->{data} =~ /^$theirs/ } $ws->messages(100, 0.5)), 0, "and brings nothing of $theirs";
    my $sse = $client->events(channels => ['room'], since => $since);
    ok $sse->next_data(5, 'wps.gap'), "$theirs\'s cursor on $mine\'s stream is a gap";
    is scalar(grep { $_->{data} =~ /^$theirs/ } $sse->messages(100, 0.5)), 0, "and brings nothing of $theirs";
    $_->hang_up for $ws, $sse;
}

# --- streams and refreshed tokens -----------------------------------------------

sub send_over {
    my ($at, $token, $stream) = @_;
    return $at->request(POST => '/send',
        content => '{"type":"message","channel":"room","event":"said","data":"over a stream of another"}',
        headers => { 'Content-Type' => 'application/json', Authorization => "Bearer $token",
            'X-WordSocket-Stream' => $stream });
}

for my $name (@names) {
    my $stream = $client{$name}->poll(channels => ['room'])->{json}{stream};
    for my $other (grep { $_ ne $name } @names) {
        my $answer = send_over($client{$other}, $client{$other}->token, $stream);
        is $answer->{status}, 404, "$name\'s stream with $other\'s token";
        is $answer->{json}{error}, 'invalid_stream', 'is no stream';
    }
}
for my $pair ([qw(alpha beta)], [qw(twin alpha)], [qw(gamma alpha)]) {
    my ($mine, $theirs) = @$pair;
    my $ws = $client{$mine}->socket(channels => ['room']);
    $ws->send_json({ type => 'auth', token => $client{$theirs}->token });
    is(($ws->message(5, 'error') // {})->{code}, 'unauthorized', "$theirs\'s token over $mine\'s socket");
    is $ws->close_code, 4001, 'and it is closed';
    $ws->hang_up;
}

# --- what everybody heard -------------------------------------------------------

for my $name (@names) {
    say_to($name, 'the end');
    my $count = @{ $said{$name} };
    is_deeply [ map { $_->{data} } $ws{$name}->messages($count, 10) ], $said{$name},
        "$name\'s socket heard its own site, all of it, and nobody else";
    my @events = $sse{$name}->messages($count, 10);
    is_deeply [ map { $_->{data} } @events ], $said{$name}, "$name\'s stream too";
    is scalar(my @more = $ws{$name}->messages(1, 0.3)), 0, "and nothing came after, at $name";
    my $kept = $client{$name}->poll(channels => ['room'], since => $ids{$name}[0])->{json}{messages};
    is_deeply [ map { $_->{data} } @$kept ], [ @{ $said{$name} }[ 1 .. $count - 1 ] ], "$name\'s history is its own";
}

$server->stop;
done_testing;
