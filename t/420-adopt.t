# SPDX-License-Identifier: Apache-2.0
# A connection changes hands: nothing that came with the request is lost, no
# worker is held, and no timer of httpd's reaches it any more.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use IPC::Open3 qw(open3);
use Time::HiRes qw(sleep time);
use WordSocket::Client;
use WordSocket::Echo;
use WordSocket::Events;
use WordSocket::Frames;
use WordSocket::Server;
use WordSocket::Tenants;

$SIG{PIPE} = 'IGNORE';

# httpd's own patience is short, so that its timers show if they still run.
my $server = WordSocket::Server->new(children => 1, threads => 4, lines => <<'END')->start;
Timeout 2
KeepAliveTimeout 1
RequestReadTimeout handshake=2 header=1-2,MinRate=500 body=1,MinRate=500
Header set X-From-Httpd yes
SetOutputFilter DEFLATE
END
my @children = $server->children;
my %client = map { $_ => WordSocket::Client->new($server, tls => $_) } 0, 1;

sub frame { WordSocket::Frames::frame(payload => $_[0]) }

# Frames that came back, in order.
sub came_back {
    my ($ws, @wanted) = @_;
    for my $wanted (@wanted) {
        my $frame = $ws->receive(10);
        return 0 if !$frame || $frame->{payload} ne $wanted;
    }
    return 1;
}

# --- what comes with the handshake ----------------------------------------------

my %versions = (0 => [''], 1 => [qw(TLSv1_2 TLSv1_3)]);
for my $tls (0, 1) {
    for my $version (@{ $versions{$tls} }) {
        my %how = (tls => $tls, tls_options => { $version ? (SSL_version => $version) : () });
        my $what = $tls ? $version : 'plain';
        my @early = map { "early $_" } 1 .. 20;
        my $ws = echo_connect($server, %how, early => join '', map { frame($_) } @early);
        ok came_back($ws, @early), "$what: frames in the handshake's own segment or record";
        my $cut = frame('cut in two');
        $ws = echo_connect($server, %how, early => substr $cut, 0, 7);
        $ws->send_bytes(substr $cut, 7);
        ok came_back($ws, 'cut in two'), "$what: half a frame with it, half after";
        for my $size (60_000, 200_000, 1_500_000) {
            my $large = join '', map { chr(97 + $_ % 26) } 1 .. 100;
            $large x= $size / 100;
            $ws = echo_connect($server, %how, early => frame($large) . frame('and more'));
            ok came_back($ws, $large, 'and more'), "$what: $size bytes at once with it";
            $ws->hang_up;
        }
        $ws = $client{$tls}->socket(%how,
            early => frame('{"type":"subscribe","channels":["events"]}') . frame('{"type":"message","channel":"events","event":"e","ref":"r"}'));
        is $ws->message->{type}, 'subscribed', "$what: a subscribe with the handshake";
        is_deeply [ sort map { $_->{type} } map { $ws->message } 1, 2 ], [qw(ack message)], "$what: and a message behind it";
        $ws->hang_up;
    }
}

# --- a connection with a past -----------------------------------------------------

for my $tls (0, 1) {
    my $what = $tls ? 'TLS' : 'plain';
    my $wire = sub {
        my ($class) = @_;
        my $self = $class->open_wire($client{$tls}->connect_options);
        for my $path ('/index.html', "$server->{path}/healthz", "$server->{path}/nothing-here") {
            $self->exchange("GET $path HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
            $self->take($self->header('Content-Length'), time + 5);
        }
        return $self;
    };
    my $ws = $wire->('WordSocket::Frames');
    my $head = join "\r\n", "GET $server->{path}/echo HTTP/1.1", 'Host: 127.0.0.1', 'Connection: Upgrade',
        'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: ' . WordSocket::Frames::KEY, '', '';
    is $ws->exchange($head . frame('fourth')), 101, "$what: an upgrade as fourth request of a connection";
    ok came_back($ws, 'fourth'), "$what: with a frame behind it";
    $ws->send_close(1000);
    is $ws->close_code, 1000, "$what: and an orderly end";

    my $sse = $wire->('WordSocket::Events');
    my $path = "$server->{path}/sse?" . WordSocket::Client::query(token => $client{$tls}->token, channels => 'events');
    my $get = "GET $path HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Encoding: gzip\r\n\r\n";
    is $sse->exchange($get . "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"), 200,
        "$what: a stream as fourth request, and another request behind it";
    is $sse->header('X-From-Httpd'), 'yes', "$what: httpd's Header directive applies to its head";
    is $sse->header('Content-Encoding'), undef, "$what: and its compression does not";
    $sse->send_bytes('x' x 1000);
    $client{0}->publish('events', 'said', 'still there');
    is(($sse->messages(1))[0]{data}, 'still there', "$what: what comes up a stream is not heard");
    $sse->send_bytes('x' x 70_000);
    ok $sse->ends(5), "$what: and too much of it ends the stream";
    $_->hang_up for $ws, $sse;
}

# --- no worker, no timer ----------------------------------------------------------

# Four workers serve the site, while fifty times as many connections are open.
my @held = map { my $tls = $_ % 2; ($client{$tls}->socket(channels => ['events']), $client{$tls}->events) } 1 .. 100;
my $begun = time;
my @answers = map { HTTP::Tiny->new->get('http://' . $server->address . '/index.html')->{status} } 1 .. 20;
is scalar(grep { $_ == 200 } @answers), 20, 'two hundred are held, and four workers answer others';
cmp_ok time - $begun, '<', 5, 'at once';
# Under worker and prefork a kept-alive connection holds one for a second more.
ok $server->wait_for(10, sub {
    HTTP::Tiny->new(keep_alive => 0)->get('http://' . $server->address . '/server-status?auto')->{content}
        =~ /^BusyWorkers: 1$/m;
}), 'the one worker that is busy tells so';
sleep 5;
$client{0}->publish('events', 'said', 'after five seconds');
is scalar(grep { my ($m) = $_->messages(1); ($m->{data} // '') eq 'after five seconds' } @held), 200,
    'five idle seconds later all of them are there';
$_->hang_up for @held;
ok connections_are($server, 0), 'nobody is left';

# --- new keys -----------------------------------------------------------------------

# openssl s_client takes commands in its input: R renegotiates, K asks for new
# keys. @return what it printed
sub s_client {
    my ($version, @input) = @_;
    my $pid = open3(my $in, my $out, undef, qw(timeout 20 openssl s_client), "-$version", '-connect', $server->address(1));
    $in->autoflush(1);
    my $text = '';
    for my $piece (@input) {
        sleep 0.5;
        print $in $piece;
    }
    sleep 0.5;
    close $in;
    local $/;
    $text = <$out>;
    waitpid $pid, 0;
    return $text;
}

my $handshake = join "\r\n", "GET $server->{path}/echo HTTP/1.1", 'Host: 127.0.0.1', 'Connection: Upgrade',
    'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: ' . WordSocket::Frames::KEY, '', '';
my $word = sub { WordSocket::Frames::frame(payload => $_[0], key => "\0\0\0\0") };
my $said = s_client('tls1_3', $handshake, $word->('before'), "K\n", $word->('between'), "k\n", $word->('behind'));
like $said, qr/101 Switching.*\x81\x06before.*\x81\x07between.*\x81\x06behind/s, 'TLS 1.3: new keys, twice';
$said = s_client('tls1_2', $handshake, $word->('before'), "R\n", $word->('behind'));
like $said, qr/101 Switching.*\x81\x06before/s, 'TLS 1.2: a socket whose client renegotiates';
unlike $said, qr/behind.*behind/s, 'is not served twice';
my %alive = map { $_ => 1 } $server->children;
is scalar(grep { !$alive{$_} } @children), 0, 'and no child was harmed';
ok came_back(echo_connect($server, tls => 1, early => frame('well')), 'well'), 'which serves others';

$server->stop;
done_testing;
