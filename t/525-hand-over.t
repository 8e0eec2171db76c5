# SPDX-License-Identifier: Apache-2.0
# Reloads that no subscriber over plain TCP notices: hundreds of both kinds go on
# in the next generation while messages come, with what they were in the middle
# of. With build/check --long it is 4,000, and twenty reloads.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Crowd;
use WordSocket::Talk;
use WordSocket::Tenants qw(status_of counter);

my ($each, $reloads, $rate) = is_long() ? (2_000, 20, 20) : (250, 4, 100);
my $slow = WordSocket::Sanitizer::slowness();

# The seconds until a graceful restart is through and the children of before are
# gone.
sub reload {
    my ($server) = @_;
    my $begun = time;
    return $server->renew ? time - $begun : 99;
}

# Nobody was closed, and everything came once and in order.
sub unnoticed {
    my ($report, $ready, $what) = @_;
    is_clean($report, $what);
    is_deeply [ $report->{reconnects}, $report->{codes}, $report->{ready} ], [ 0, {}, $ready ],
        "$what: nobody was closed, or had to come back";
    return;
}

# --- a crowd, and messages all the time ---------------------------------------

# Small buffers of the system, so that what a client does not take stays with us.
my $server = crowd_server(lines => "SendBufferSize 32768\n");
my $swarm = swarm($server, ws => $each, sse => $each, publish => 4 * $rate * $reloads, rate => $rate,
    fresh => 1, wait => 1, seconds => 60 + 20 * $reloads, settle => 10);
ok $swarm->ready(60), 2 * $each . ' are subscribed';
$swarm->command('publish');
for my $time (1 .. $reloads) {
    sleep 0.7;
    my $limit = 6;
    if ($time % 2 == 0) {    # while another one is under way
        $server->signal('USR1');
        sleep $time % 4 ? 0.05 : 0.4;
        $limit = 9;
    }
    cmp_ok reload($server), '<', $limit * $slow, "reload $time: the old children are gone soon";
}
unnoticed($swarm->report(60 + 20 * $reloads), 2 * $each, "$reloads reloads");
cmp_ok counter($server, 'handed'), '>=', 2 * $each * $reloads, 'everybody was handed over each time';
is counter($server, 'taken_over'), counter($server, 'handed'), 'and received';
is counter($server, 'hand_refused') + counter($server, 'drained'), 0, 'nobody was refused, or told to come back';
ok status_of($server, '?check')->{segment}{whole}, 'the segment is whole';

# --- in the middle of something -----------------------------------------------

my $client = crowd_client($server);
my $room   = channel('room');
my $name   = $client->qualified($room);
my ($watcher, $member, $half, $late) = map { $client->socket(channels => [$name]) } 1 .. 4;
my $stream = $client->events(channels => [$room]);
my $lazy   = $client->socket(channels => [$name], receive_buffer => 4096);
$member->send_json({ type => 'presence', channel => $name, state => { n => 1 } });
fence($member);
until_marker($client, $_, $room) for $watcher, $stream;
$watcher->{watches} = 1;
my $ping = WordSocket::Frames::frame(opcode => 9, payload => 'cut in two');
$half->send_bytes(substr $ping, 0, 7);
# A message in two frames, the second of which is cut, longer than a packet.
my $long = $client->encode({ type => 'message', channel => $name, event => 'long', data => 'x' x 200_000, ref => 7 });
my $rest = WordSocket::Frames::frame(opcode => 0, payload => substr $long, 1000);
$late->send_frame(fin => 0, payload => substr $long, 0, 1000);
$late->send_bytes(substr $rest, 0, 150_000);
my $flood = 25;
$client->publish($room, 'flood', { n => $_, x => 'y' x 8000 }) for 1 .. $flood;
my $stats = $client->stats->{json}{active_connections};
is $stats, 6, 'six are connected';
reload($server) for 1 .. 2;
my $again = crowd_client($server);
is $again->stats->{json}{active_connections}, 6, 'after two reloads, six are connected';
$half->send_bytes(substr $ping, 7);
is $half->pong, 'cut in two', 'half a frame was half of one';
$late->send_bytes(substr $rest, 150_000);
my $ack;
while ($ack = $late->message) {
    last if $ack->{type} ne 'message';
}
is_deeply [ $ack->{type}, $ack->{ref} ], [ 'ack', 7 ], 'and the larger part of a long message, of that';
is_deeply [ map { $_->{data}{n} } grep { $_->{event} eq 'flood' } until_marker($again, $lazy, $room, 20) ], [ 1 .. $flood ],
    'what a client had not taken yet comes, each message once and in order';
my @seen = until_marker($again, $watcher, $room);
is_deeply [ grep { $_->{event} eq 'wps.presence' && $_->{data}{action} ne 'sync' } @seen ], [],
    'nobody was seen to leave or to enter';
is scalar(grep { $_->{event} eq 'flood' } @seen), $flood, 'one who reads got each message once';
is scalar(grep { $_->{event} eq 'flood' } until_marker($again, $stream, $room)), $flood, 'as did a stream';
$member->hang_up;
my $left;
while ($left = $watcher->message) {
    last if $left->{event} eq 'wps.presence' && $left->{data}{action} eq 'leave';
}
ok $left, 'until one leaves';
$_->hang_up for $watcher, $half, $late, $lazy, $stream;
ok $server->wait_for(10, sub { $again->stats->{json}{active_connections} == 0 }), 'all are counted out';

# --- a new child dies in the middle of it -------------------------------------

$server->announce(qr/child pid \d+ exit signal Killed \(9\)/, maybe => 1);
$server->announce(qr/wordsocket:warn/, maybe => 1);
$swarm = swarm($server, ws => 200, sse => 200, publish => 400, rate => 80, fresh => 1, wait => 1,
    seconds => 60, settle => 30);
ok $swarm->ready(60), 'four hundred are subscribed';
$swarm->command('publish');
my %old = map { $_ => 1 } $server->children;
$server->signal('USR1');
my $young;
$server->wait_for(20, sub { ($young) = grep { !$old{$_} } $server->children });
kill 'STOP', $young;
sleep 0.2;
kill 'KILL', $young;
ok $server->wait_for(30, sub { !grep { $old{$_} } $server->children }), 'a new child is killed; the old ones go';
my $report = $swarm->report(60);
is_clean($report, 'who had gone to it comes back');
is $report->{ready}, 400, 'and all are there';
ok status_of($server, '?check')->{segment}{whole}, 'the segment is whole';

# --- stop, while a reload is under way ----------------------------------------

my $held = swarm($server, ws => 100, sse => 100, hold => 1, no_reconnect => 1, seconds => 60);
ok $held->ready(60), 'two hundred are subscribed';
$server->signal('USR1');
sleep 0.1;
my $begun = time;
$server->signal('TERM');
ok $server->wait_gone(5 * $slow), sprintf 'a stop during a reload: httpd is gone after %.1f s', time - $begun;
sleep 0.3;
$held->command('quit');
is_deeply $held->report(10)->{codes}, { 1012 => 100, end => 100 }, 'and everybody was told';
$server->stop(seconds => 1);

# --- children that end by themselves ------------------------------------------

$server = crowd_server(children => 3, lines => "MaxConnectionsPerChild 150\nMinSpareThreads 33\n");
$swarm = swarm($server, ws => 100, sse => 100, publish => 300, rate => 60, fresh => 1, wait => 1,
    seconds => 60, settle => 10);
ok $swarm->ready(60), 'MaxConnectionsPerChild: two hundred are subscribed';
$swarm->command('publish');
unnoticed($swarm->report(60), 200, 'MaxConnectionsPerChild');
cmp_ok counter($server, 'handed'), '>', 0, 'some had to move';

# --- where nobody takes over --------------------------------------------------

$client = crowd_client($server);
my $ws = $client->socket(channels => ['news']);
$server->{vhost_lines} = "WordSocket Off\n";
$server->{lines} =~ s/^MaxConnectionsPerChild.*\n//m;
my $text = WordSocket::Server::slurp($server->write_config);
$text =~ s/^WordSocket On$/WordSocket Off/m;
$server->write_file('httpd.conf', $text);
$server->signal('USR1');
is $ws->close_code(15), 1012, 'a server that does not serve it any more: 1012';
ok $server->wait_for(15, sub { crowd_client($server)->get('/healthz')->{status} == 404 }),
    'and 404';
$server->stop;

done_testing;
