# SPDX-License-Identifier: Apache-2.0
# Hostile clients of one site, one kind after the other, all in one child: what
# they get is bounded, so is the child's memory, and another site's messages come
# throughout, every one, in order. With build/check --long each goes on for longer,
# and the p99 of the other site is judged, too: beside what it is while the same
# attack is at another httpd.
use v5.30;
use warnings;
use lib 't/lib';
use IO::Select;
use List::Util qw(max min sum0);
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Client;
use WordSocket::Crowd qw(is_long);
use WordSocket::Neighbour;
use WordSocket::Sanitizer;
use WordSocket::Server;
use WordSocket::Tenants;

use constant { CONT => 0, TEXT => 1, PING => 9, KIB => 1024, MIB => 1 << 20 };

# What the child may need more than when it was idle: the queues of twenty clients
# at their bound, messages in the making, and what the allocator keeps.
use constant { ATTACKERS => 20, MOST_KIB => 32 * 1024, LEAST_ROUNDS => 5 };
# p99 beside an attack: twice that of before. Attackers, neighbour and server share the
# cores; what that alone costs is seen when the same attack is at another httpd, and
# is the measure then, between a floor and some time slices.
use constant { FLOOR_US => 2_000, MOST_US => 10_000 };
my $seconds = is_long() ? 8 : 0.4;

my ($loud, $quiet) = (tenant('loud', limits => { publish_rate => 100_000, publish_burst => 100_000 }), tenant('quiet'));
my $lines = <<'END';
WordSocketPublishRate 1000 10000
WordSocketAddressConnections 60
WordSocketSendQueue 256K
SendBufferSize 32768
RequestReadTimeout handshake=1 header=1-2,MinRate=500
END
my @servers = map { WordSocket::Server->new(children => 1, threads => 16, sites => [ $loud, $quiet ], lines => $lines)->start } 0 .. is_long();
my ($server, $elsewhere) = @servers;
# The connections of an attack keep every worker busy, for a moment.
$_->announce(qr/AH\d+: server reached MaxRequestWorkers/, maybe => 1) for @servers;
my $client    = WordSocket::Client->new($server, site => $loud);
my $neighbour = WordSocket::Neighbour->new(WordSocket::Client->new($server, site => $quiet));
my @children  = $server->children;
setpriority 0, $$, 19 if is_long();    # the attackers take what the others leave them

# Some of everything, so that what is made once is there.
$client->publish('room', 'said', $_) for 1 .. 20;
sleep(is_long() ? 4 : 0.5);
my $idle = $neighbour->round;
is $idle->{wrong}, '', 'the neighbour is heard';
note sprintf 'idle: p99 %d us, %d KiB', @$idle{qw(p99_us rss_kib)};

# One kind of attack; what is judged of it beside what it judges itself.
sub attack {
    my ($name, $code, %option) = @_;
    subtest $name => sub {
        my $beside = is_long() && !$option{brief} ? attack_elsewhere($name, $code) : 0;
        my $before = $neighbour->round;
        my $begun = time;
        $code->();
        my $round = $neighbour->round(LEAST_ROUNDS);
        is $round->{wrong}, '', 'the neighbour was heard, each message in its turn';
        my $slack = WordSocket::Sanitizer::kind() ? 20 : 1;
        cmp_ok $round->{rss_kib} - $idle->{rss_kib}, '<=', MOST_KIB * $slack, "the child's memory is bounded";
        cmp_ok $round->{rss_kib} - $before->{rss_kib}, '<=', $option{most_kib} * $slack, '... and takes little more' if $option{most_kib};
        is_deeply [ $server->children ], \@children, 'and it lives';
        note sprintf '%.1f s; %d messages of the neighbour, p99 %d us, %d KiB', time - $begun, @$round{qw(said p99_us rss_kib)};
        cmp_ok $round->{p99_us}, '<=', max(2 * $idle->{p99_us}, FLOOR_US, min(2 * $beside, MOST_US)),
            sprintf 'p99 of the neighbour: %.1f ms idle, %.1f ms with the attack elsewhere, %.1f ms beside it',
            map { $_ / 1000 } $idle->{p99_us}, $beside, $round->{p99_us} if is_long() && !$option{brief};
    };
    ok connections_are($server, 0, $loud), "$name: all are gone";
    return;
}

# The same at the other httpd.
# @return the p99 of the neighbour meanwhile, in microseconds
sub attack_elsewhere {
    my ($name, $code) = @_;
    my ($server_here, $client_here) = ($server, $client);
    ($server, $client) = ($elsewhere, WordSocket::Client->new($elsewhere, site => $loud));
    $neighbour->round;
    my $done = eval { $code->(); 1 } or diag "elsewhere: $@";
    ok $done && connections_are($server, 0, $loud), 'elsewhere: all are gone';
    my $round = $neighbour->round(LEAST_ROUNDS);
    ($server, $client) = ($server_here, $client_here);
    return $round->{p99_us};
}

# Write these bytes over and over on all sockets as fast as they take them, for so
# long, or until they have all been closed; read => 1: and read what comes.
sub blast {
    my ($bytes, $wires, %option) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my %wire = map { fileno($_->{socket}) => { wire => $_, at => 0 } } @$wires;
    $_->{socket}->blocking(0) for @$wires;
    my ($until, $sent) = (time + ($option{seconds} // $seconds), 0);
    while (%wire && time < $until) {
        my @all = map { $_->{wire}{socket} } values %wire;
        my ($can_read, $can_write) = IO::Select->select(
            $option{read} ? IO::Select->new(@all) : undef, IO::Select->new(@all), undef, 0.1);
        for my $socket (@{ $can_read // [] }) {
            my $n = sysread $socket, my $rest, 1 << 18;
            delete $wire{ fileno $socket } if defined $n && !$n;
        }
        for my $socket (@{ $can_write // [] }) {
            my $one = $wire{ fileno $socket } // next;
            my $n = syswrite $socket, $bytes, length($bytes) - $one->{at}, $one->{at};
            if (!defined $n) {
                delete $wire{ fileno $socket } if !$!{EAGAIN};
                next;
            }
            $sent += $n;
            $one->{at} = ($one->{at} + $n) % length $bytes;
        }
    }
    $_->{socket}->blocking(1) for @$wires;
    return $sent;
}

sub frames { join '', map { WordSocket::Frames::frame(key => "\x11\x22\x33\x44", ref $_ ? %$_ : (payload => $_)) } @_ }
sub sockets { my ($n, %option) = @_; map { $client->socket(%option) } 1 .. $n }
sub wires { my ($n, $tls) = @_; map { WordSocket::Wire->open_wire($client->connect_options, port => $server->{ $tls ? 'tls_port' : 'port' }) } 1 .. $n }
sub hang_up { $_->hang_up for @_ }

# Whether the server ends it in time, whatever it says before.
sub ended { my ($wire) = @_; $wire->take_all(20); return $wire->{ended} }

# With which codes these are closed, each once.
sub close_codes { my %seen = map { ($_->close_code(20) // 'none') => 1 } @_; return join ' ', sort keys %seen }

my $base  = $server->{path};
my $token = $client->token;
my $upgrade = join "\r\n", "GET $base/ws?token=$token HTTP/1.1", 'Host: x', 'Connection: Upgrade', 'Upgrade: websocket',
    'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: ' . WordSocket::Frames->KEY, '';

# --- those that are slow ---------------------------------------------------------------

attack 'half handshakes' => sub {
    my @half = wires(ATTACKERS);    # more than there are workers
    my @tls  = wires(4, 1);
    $_->send_bytes("${upgrade}X-Half: ") for @half;
    $_->send_bytes("\x16\x03\x01\x02") for @tls;
    is scalar(grep { ended($_) } @half, @tls), @half + @tls, 'each is ended by the server, after RequestReadTimeout';
    is $client->poll->{status}, 200, 'and workers are there again';
    hang_up(@half, @tls);
}, brief => 1;

attack 'one byte a second' => sub {
    my @head = wires(4);
    $_->send_bytes("GET $base/ws?token=") for @head;
    my @ws = map { $client->socket(token => $client->token(exp => int(time) + 2)) } 1 .. 8;
    my $message = frames('x' x 1000);
    # Four bytes a second, for whoever waits. The token is good for as long.
    my ($at, $until, %closed) = (0, time + 20 * WordSocket::Sanitizer::slowness());
    while (keys %closed < @ws && time < $until) {
        $_->send_bytes('x') for @head;
        $_->send_bytes(substr $message, $at, 1) for @ws;
        $at++;
        sleep 0.25;
        for my $n (grep { !$closed{$_} } 0 .. $#ws) {
            my $code = $ws[$n]->close_code(0.001);
            $closed{$n} = $code if defined $code;
        }
    }
    is join(' ', map { $closed{$_} // 'open' } 0 .. $#ws), join(' ', (4001) x @ws), 'a frame that never ends is over with the token';
    is scalar(grep { ended($_) } @head), scalar @head, 'and a request, after RequestReadTimeout';
    hang_up(@head, @ws);
}, most_kib => 8 * 1024, brief => 1;

attack 'clients that never read' => sub {
    my @never = ((map { $client->socket(receive_buffer => 4096, channels => ['room']) } 1 .. ATTACKERS / 2),
        map { $client->events(receive_buffer => 4096, channels => ['room']) } 1 .. ATTACKERS / 2);
    my $before = counter($server, 'slow_closed');
    my $body = $client->encode([ map { { channel => 'room', event => 'e', data => 'x' x 2000 } } 1 .. 50 ]);
    my $tries = 0;
    while ($tries++ < 200 && counter($server, 'slow_closed') < $before + @never) {
        my $status = $client->publish_body($body, ts => int(1000 * time) + $tries)->{status};
        $status == 200 or last;
    }
    is counter($server, 'slow_closed') - $before, scalar @never, 'are closed at WordSocketSendQueue';
    hang_up(@never);
};

# --- floods -----------------------------------------------------------------------------

attack 'a flood of pings' => sub {
    my $pings = frames(map { { opcode => PING, payload => 'p' x 125 } } 1 .. 500);
    my @ws = sockets(ATTACKERS);
    cmp_ok blast($pings, \@ws, read => 1), '>', MIB, 'who reads the answers goes on';
    my @deaf = sockets(ATTACKERS);
    cmp_ok blast($pings, \@deaf), '>', MIB, 'who does not is not read for long';
    hang_up(@ws, @deaf);
};

attack 'a flood of subscribes' => sub {
    my @ws = sockets(ATTACKERS);
    my $refused = counter($server, 'browser_refused');
    my $n = 0;
    my $names = sub { return [ map { $client->qualified('c' . 'x' x 60 . ++$n) } 1 .. 100 ] };
    my $say = sub { my ($type, $them) = @_; return $client->encode({ type => $type, channels => $them }) };
    my $bytes = frames(map { my ($some, $more) = ($names->(), $names->());
        ($say->(subscribe => $some), $say->(subscribe => $more), $say->(unsubscribe => $some)) } 1 .. 20);
    cmp_ok blast($bytes, \@ws, read => 1), '>', MIB, 'of distinct names, and some';
    cmp_ok counter($server, 'browser_refused'), '>', $refused, 'those that are too many are refused';
    hang_up(@ws);
};

attack 'a flood of tiny fragments' => sub {
    my @ws = sockets(ATTACKERS);
    my $bytes = frames({ opcode => TEXT, payload => '"', fin => 0 }, map { { opcode => CONT, payload => $_ % 2 ? 'a' : '', fin => 0 } } 1 .. 5000);
    $_->send_bytes($bytes) for @ws;
    like close_codes(@ws), qr/^100[89]$/, 'a message of too many is the end';
    hang_up(@ws);
}, most_kib => 8 * 1024;

attack 'a flood of tokens' => sub {
    my $before = counter($server, 'refused_token');
    my @bad = ("$token-", $client->token_of('{"alg":"HS256","typ":"JWT"}', '{"pad":"' . 'x' x 5000 . '"}', 'wrong'), 'x' x 6000);
    my $tried = 0;
    for (1 .. 50) {
        for my $bad (@bad) {
            my $ws = $client->socket(token => $bad);
            my $code = $ws->close_code(20) // 'none';
            $tried++ if $code == 4001 || $code == 4003;
            $tried++ if $client->poll(token => $bad)->{status} == 401;
            $ws->hang_up;
        }
    }
    is $tried, 100 * @bad, 'each is refused';
    is counter($server, 'refused_token') - $before, 100 * @bad, 'and counted';
    my @ws = sockets(5);
    my $auth = frames(map { $client->encode({ type => 'auth', token => $client->token(user_id => '1', jti => "$_") }) } 1 .. 100);
    cmp_ok blast($auth, \@ws, read => 1), '>', 100 * KIB, 'good ones, over and over, are taken';
    hang_up(@ws);
};

attack 'a flood of publishes' => sub {
    my $taken = counter($server, 'published_browser');
    my $refused = counter($server, 'limited_connection');
    my @ws = sockets(ATTACKERS);
    my $bytes = frames(map { $client->encode({ type => 'message', channel => 'room', event => 'e', data => 'x' x 200, ref => $_ }) } 1 .. 200);
    # A sanitizer takes seconds to be as fast as a connection may be.
    blast($bytes, \@ws, read => 1, seconds => $seconds * (WordSocket::Sanitizer::kind() ? 12 : 1));
    cmp_ok counter($server, 'limited_connection') - $refused, '>', counter($server, 'published_browser') - $taken,
        'of browsers, most are refused for their rate';
    my $status = sum0(map { $client->publish('room', 'e', {}, sign => 'f' x 64)->{status} == 401 } 1 .. 200);
    is $status, 200, 'with a wrong signature, all';
    hang_up(@ws);
};

attack 'ten thousand connects a second from one address' => sub {
    my ($many, $begun) = (is_long() ? 20_000 : 3_000, time);
    for (1 .. $many) {
        my $socket = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!\n";
        $socket->blocking(0);
        connect $socket, Socket::pack_sockaddr_in($server->{port}, Socket::inet_aton('127.0.0.1'));
        setsockopt $socket, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack 'ii', 1, 0;
        close $socket;
    }
    note sprintf '%d a second', $many / (time - $begun);
    ok $server->wait_for(20, sub { $client->poll->{status} == 200 }), 'a client is served after it';
    my $limited = counter($server, 'limited_address');
    my @ws = sockets(80);
    my @refused = grep { ($_->close_code(0.02) // 0) == 4029 } @ws;
    is counter($server, 'limited_address') - $limited, 20, 'sockets of one address are as many as its cap';
    is scalar @refused, 20, 'the others are told 4029';
    hang_up(@ws);
}, brief => 1;

# --- bytes that are not what they say ---------------------------------------------------------

attack '64-bit lengths' => sub {
    my %code = (1 << 62 => qr/^1009$/, -1 => qr/^(?:1002|1009)$/, 1 << 32 => qr/^1009$/);
    for my $length (sort keys %code) {
        my @ws = sockets(10);
        $_->send_bytes(pack 'CCq>N', 0x82, 0xff, $length, 0) for @ws;
        like close_codes(@ws), $code{$length}, "$length: closed at the header";
        hang_up(@ws);
    }
    my @ws = sockets(50);
    $_->send_bytes(pack('CCQ>N', 0x82, 0xff, 2 * MIB, 0) . 'x' x 10) for @ws;
    sleep 0.2;
    is site_status($server, $loud)->{connections}, 50, 'a hundred MiB that were announced and do not come';
    hang_up(@ws);
}, most_kib => 8 * 1024;

attack 'frames that look compressed' => sub {
    my @ws = map { $client->socket(headers => { 'Sec-WebSocket-Extensions' => 'permessage-deflate; client_max_window_bits' }) } 1 .. ATTACKERS;
    is scalar(grep { defined $_->header('Sec-WebSocket-Extensions') } @ws), 0, 'no compression is agreed to';
    $_->send_bytes(frames({ rsv => 4, payload => "\xed\xc1" . "\0" x 30_000 })) for @ws;
    is close_codes(@ws), 1002, 'and such a frame is the end';
    hang_up(@ws);
}, most_kib => 8 * 1024;

attack 'header bombs' => sub {
    my %bomb = (
        'too many' => [ join('', map { "X-$_: x\r\n" } 1 .. 300), qr/^(?:400|431)$/ ],
        'one too long' => [ 'X: ' . 'x' x 20_000 . "\r\n", qr/^(?:400|431)$/ ],
        'as many and as long as may be' => [ join('', map { "X-$_: " . 'x' x 8000 . "\r\n" } 1 .. 90), qr/^101$/ ],
        'one of many lines' => [ 'X: x' . "\r\n xxxx" x 3000 . "\r\n", qr/^(?:400|431)$/ ],
        'a list of protocols' => [ 'Sec-WebSocket-Protocol: ' . 'a,' x 4000 . "a\r\n", qr/^101$/ ],
    );
    for my $what (sort keys %bomb) {
        my ($lines, $status) = @{ $bomb{$what} };
        my @wires = wires(10);
        my @got = map { $_->exchange("$upgrade$lines\r\n", 20) } @wires;
        is scalar(grep { $_ =~ $status } @got), 10, "$what: $got[0]";
        hang_up(@wires);
    }
};

attack 'event streams whose clients send' => sub {
    my $before = counter($server, 'protocol_closed');
    my @sse = map { $client->events } 1 .. ATTACKERS;
    blast('x' x 16_384, \@sse, read => 1, seconds => 20);
    is scalar(grep { ended($_) } @sse), ATTACKERS, 'are ended';
    is counter($server, 'protocol_closed') - $before, ATTACKERS, 'each for what it sent';
    hang_up(@sse);
}, brief => 1;

attack 'requests behind an upgrade' => sub {
    my $again = "GET $base/healthz?behind HTTP/1.1\r\nHost: x\r\n\r\n";
    my @ws = map { WordSocket::Frames->connect($client->connect_options, path => "/ws?token=$token", early => $again x 20) } 1 .. ATTACKERS;
    is close_codes(@ws), 1002, 'are no frames';
    my $get = "GET $base/sse?token=$token&channels=room HTTP/1.1\r\nHost: x\r\n\r\n";
    my @sse = wires(ATTACKERS);
    $_->send_bytes($get . $again x 20) for @sse;
    $_->take_until(qr/^event: ?wps\.open/m, time + 20) for @sse;
    $client->publish('room', 'said', 'behind it');
    is scalar(grep { ($_->take_until(qr/behind it/, time + 20) // '') !~ m{HTTP/1} } @sse), ATTACKERS, 'a stream goes on, and answers none';
    unlike WordSocket::Server::slurp("$server->{root}/logs/access_log"), qr/healthz\?behind/, 'httpd has seen none of them';
    # As much as there is no room for.
    my @more = wires(4);
    blast($get . $again x 20_000, \@more, read => 1, seconds => 20);
    is scalar(grep { ended($_) } @more), 4, 'too many of them end it';
    hang_up(@ws, @sse, @more);
}, most_kib => 8 * 1024;

$neighbour->end;
$_->stop for @servers;
done_testing;
