# SPDX-License-Identifier: Apache-2.0
# Status page, metrics and server-status against what clients saw themselves:
# within 1 %, with four children and after one of them is killed.
use v5.30;
use warnings;
use lib 't/lib';
use HTTP::Tiny;
use IO::Select;
use IO::Socket::INET;
use Test::More;
use WordSocket::Crowd;

use constant { EACH => 150, MESSAGES => 200 };

my $server = crowd_server(vhost_lines => <<'END');
<Location "/metrics">
    SetHandler wordsocket-metrics
</Location>
END

sub page   { HTTP::Tiny->new->get('http://' . $server->address . $_[0])->{content} }
sub status { WordSocket::Client->decode(page('/status?json')) }

# The same figure of all three.
sub shown {
    my ($counter, $metric, $line) = @_;
    my ($in_metrics) = page('/metrics') =~ /^\Qwordsocket_$metric\E (\d+)$/m;
    my ($in_lines)   = page('/server-status?auto') =~ /^WordSocket$line: (\d+)$/m;
    my $status = status();
    return (status => $counter =~ /^transports[.](\w+)/ ? $status->{transports}{$1} : $status->{counters}{$counter},
        metrics => $in_metrics, 'server-status' => $in_lines);
}

sub agrees {
    my ($truth, @figure) = @_;
    my %got;
    $server->wait_for(10, sub {
        %got = shown(@figure);
        return !grep { abs($_ - $truth) > $truth / 100 } values %got;
    });
    cmp_ok abs($got{$_} - $truth), '<=', $truth / 100, "$figure[0] in $_: $got{$_}, in truth $truth" for sort keys %got;
    return;
}

my @websockets = ('transports.websocket', 'connections{transport="websocket"}', 'ConnectionsWebSocket');
my @streams    = ('transports.event_stream', 'connections{transport="event_stream"}', 'ConnectionsEventStream');

# --- bytes ---------------------------------------------------------------------------------

my $client = crowd_client($server);
my $socket = IO::Socket::INET->new(PeerAddr => $server->address) or die "connect: $!\n";
print $socket 'GET /wordsocket/sse?channels=events&token=' . $client->token . " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
$server->wait_for(10, sub { status()->{transports}{event_stream} == 1 });
$client->publish('events', 'e', $_ . 'x' x 4000) for 1 .. 50;
my $got = '';
while (IO::Select->new($socket)->can_read(1)) {
    sysread $socket, $got, 1 << 20, length $got or last;
}
my $head = index($got, "\r\n\r\n") + 4;
# The head is httpd's.
agrees(length($got) - $head, 'sent_bytes', 'sent_bytes_total', 'SentBytes');
cmp_ok length $got, '>', 200_000, 'which were many';
close $socket;

# --- connections and messages ---------------------------------------------------------

my $held  = swarm($server, ws => EACH, sse => 2 * EACH, hold => 1, no_reconnect => 1, seconds => 120);
ok $held->ready(30), 'who only listens';
agrees(EACH, @websockets);
agrees(2 * EACH, @streams);
agrees(EACH, 'opened_ws', 'connections_opened_total{transport="websocket"}', 'OpenedWs');
agrees(2 * EACH + 1, 'opened_sse', 'connections_opened_total{transport="event_stream"}', 'OpenedSse');
$held->command('quit');
$held->report(20);
agrees(0, @websockets);
agrees(0, @streams);
agrees(3 * EACH + 1, 'closed', 'connections_closed_total', 'Closed');
agrees(2 * EACH + 1, 'closed_sse', 'event_streams_closed_total', 'ClosedSse');

my $swarm = swarm($server, ws => EACH, sse => EACH, publish => MESSAGES, wait => 1);
ok $swarm->ready(30), 'who checks what comes';
$swarm->command('publish');
my $report = $swarm->report(90);
is_clean($report, 'the crowd');
is $report->{delivered}, 2 * EACH * MESSAGES, 'it counted what it got';
agrees(50 + $report->{published}, 'published', 'messages_published_total{source="publisher"}', 'Published');
agrees(50 + $report->{delivered}, 'delivered', 'messages_delivered_total{kind="text"}', 'Delivered');

# --- refusals --------------------------------------------------------------------------

$client->poll(token => "none$_") for 1 .. 120;
agrees(120, 'refused_token', 'handshakes_rejected_total{reason="token"}', 'RefusedToken');
$client->publish_body('x', sign => 'dummy') for 1 .. 110;
agrees(110, 'publish_refused', 'publish_rejected_total{reason="publisher"}', 'PublishRefused');

# --- a child is killed --------------------------------------------------------------------

my $left = swarm($server, ws => EACH, sse => EACH, hold => 1, no_reconnect => 1, seconds => 120);
ok $left->ready(30), 'again a crowd';
my ($victim) = sort { $b->{connections} <=> $a->{connections} } @{ status()->{slots} };
cmp_ok $victim->{connections}, '>', 10, 'a child with some of them';
kill 'KILL', $victim->{pid};
my $alive;
ok $server->wait_for(20, sub {
    $alive = status();
    return $alive->{connections} == 2 * EACH - $victim->{connections};
}), 'is killed, and its connections are gone from the count';
is $alive->{transports}{websocket} + $alive->{transports}{event_stream}, $alive->{connections}, 'by transport as well';
$left->command('quit');
$left->report(20);
agrees(0, @websockets);
agrees(0, @streams);

$server->announce(qr/exit signal Killed/, maybe => 1);
$server->stop;
done_testing;
