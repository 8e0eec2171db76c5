# SPDX-License-Identifier: Apache-2.0
# Reloads that no subscriber over TLS notices: a copy of the child that leaves,
# outside httpd's scoreboard, goes on with them. It obeys what the next
# configuration says, is bounded in number and age, and ends with httpd.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Crowd;
use WordSocket::Talk;
use WordSocket::Tenants qw(status_of counter tenant);

my ($each, $reloads, $rate) = is_long() ? (500, 20, 20) : (100, 3, 50);
my $slow = WordSocket::Sanitizer::slowness();

sub keepers_are {
    my ($server, $count, $seconds) = @_;
    return $server->wait_for(($seconds // 10) * $slow, sub { $count == (my @k = $server->keepers) });
}

# --- a crowd, and messages all the time -----------------------------------------

my $server = crowd_server(children => 2, lines => "SendBufferSize 32768\nWordSocketKeepers 64\n");
my $swarm  = swarm($server, wss => $each, sses => $each, ws => 20, publish => 3 * $rate * $reloads, rate => $rate,
    fresh => 1, wait => 1, seconds => 60 + 20 * $reloads, settle => 20);
ok $swarm->ready(60), 2 * $each . ' over TLS are subscribed, and some that are not';
$swarm->command('publish');
for my $time (1 .. $reloads) {
    sleep 0.7;
    ok $server->renew, "reload $time: the old children are gone";
}
my $kib = 0;
my @keepers = $server->keepers;
for my $keeper (@keepers) {
    $kib += WordSocket::Server::slurp("/proc/$keeper/smaps_rollup") =~ /^Pss:\s+(\d+) kB/m ? $1 : 0;
}
note sprintf '%d keepers have %.1f MiB (PSS) for %d connections', scalar @keepers, $kib / 1024, 2 * $each;
my $report = $swarm->report(60 + 20 * $reloads);
is_clean($report, "$reloads reloads");
is_deeply [ $report->{reconnects}, $report->{codes}, $report->{ready} ], [ 0, {}, 2 * $each + 20 ],
    'nobody was closed, or had to come back';
is counter($server, 'kept'), 2 * $each, 'everybody over TLS was kept, once';
is counter($server, 'drained'), 0, 'nobody was told to come back';
ok keepers_are($server, 0), 'the keepers end with their last connection';
ok $server->wait_for(5 * $slow, sub { !status_of($server)->{connections} }), 'everybody is counted out';
ok status_of($server, '?check')->{segment}{whole}, 'the segment is whole';
is counter($server, 'slots_reaped'), 0, 'no process died';
sub logged { my @ends = $server->log_text =~ /WSK0401/g; scalar @ends }
ok $server->wait_for(5 * $slow, sub { logged() + counter($server, 'unlogged') == 2 * $each + 20 }), 'their ends are logged, by a child'
    or diag logged();

# --- in the middle of something --------------------------------------------------

my $client = WordSocket::Client->new($server, tls => 1);
my $room   = channel('room');
my $name   = $client->qualified($room);
my ($watcher, $member, $half) = map { $client->socket(channels => [$name]) } 1 .. 3;
my $stream = $client->events(channels => [$room]);
my $lazy   = $client->socket(channels => [$name], receive_buffer => 4096);
$member->send_json({ type => 'presence', channel => $name, state => { n => 1 } });
fence($member);
until_marker($client, $_, $room) for $watcher, $stream;
$watcher->{watches} = 1;
my $ping = WordSocket::Frames::frame(opcode => 9, payload => 'cut in two');
$half->send_bytes(substr $ping, 0, 7);
my $flood = 25;
$client->publish($room, 'flood', { n => $_, x => 'y' x 8000 }) for 1 .. $flood;
ok $server->renew, 'a reload';
my ($keeper) = $server->keepers;
ok $keeper, 'there is a keeper';
is_deeply [ sort map { $_->{kind} } grep { $_->{pid} == $keeper } status_of($server)->{slots}->@* ], ['keeper'],
    'the status page has it';
my $again = crowd_client($server);
is $again->stats->{json}{active_connections}, 5, 'five are connected';
$half->send_bytes(substr $ping, 7);
is $half->pong, 'cut in two', 'half a frame was half of one';
is_deeply [ map { $_->{data}{n} } grep { $_->{event} eq 'flood' } until_marker($again, $lazy, $room, 20) ], [ 1 .. $flood ],
    'what a client had not taken yet comes, each message once and in order';
my @seen = until_marker($again, $watcher, $room);
is_deeply [ grep { $_->{event} eq 'wps.presence' && $_->{data}{action} ne 'sync' } @seen ], [],
    'nobody was seen to leave or to enter';
is scalar(grep { $_->{event} eq 'flood' } until_marker($again, $stream, $room)), $flood, 'a stream goes on, too';
$half->send_json({ type => 'message', channel => $name, event => 'said', data => 1, ref => 3 });
my $ack;
1 while ($ack = $half->message) && $ack->{type} ne 'ack';
is $ack && $ack->{ref}, 3, 'one may send';
my @foreign = grep { !m{^(?:/dev/null|socket:|anon_inode:)} } map { readlink($_) // () } glob "/proc/$keeper/fd/*";
is "@foreign", '', 'it holds no file of httpd';
my %listening = map { $_ => 1 } map { (split)[9] } grep { (split)[3] eq '0A' } split /\n/, WordSocket::Server::slurp('/proc/net/tcp');
is scalar(grep { $listening{$_} } map { (readlink($_) // '') =~ /socket:\[(\d+)\]/ } glob "/proc/$keeper/fd/*"), 0,
    'and does not listen';

# --- what the next configuration says --------------------------------------------

my @sites = (tenant('stays'), tenant('goes'), tenant('changes'));
$server->stop;
$server = crowd_server(children => 2, sites => \@sites);
my %of = map { $_->{site_url} =~ m{//(\w+)} => WordSocket::Client->new($server, tls => 1, site => $_) } @sites;
my %ws = map { $_ => $of{$_}->socket(channels => [ $of{$_}->qualified('events') ]) } keys %of;
ok $server->renew, 'a reload';
$of{$_}{tls} = 0 for keys %of;
ok $server->wait_for(5, sub { $server->keepers }), 'keepers have them';
$server->write_file('sites.json', WordSocket::Client->encode([ $sites[0], { %{ $sites[2] }, jwt_secret => 'another' } ]));
ok $server->renew, 'one site is taken out, the secret of another changed';
my $begun = time;
is $ws{goes}->close_code(10), 4003, 'the keeper closes who was there';
is $ws{changes}->close_code(10), 1012, 'and who came with the secret';
cmp_ok time - $begun, '<', 2 * $slow, 'soon';
is scalar(grep { $_->{event} eq 'on' } do { $of{stays}->publish('events', 'on', {}); $ws{stays}->messages(1) }), 1, 'the third goes on';
$_->hang_up for values %ws;

# --- bounded ----------------------------------------------------------------------

ok keepers_are($server, 0), 'no keeper is left';
$server->{lines} .= "WordSocketKeepers 1 3s\n";
$server->write_config;
$server->{sites} = [ $sites[0] ];
$server->write_file('sites.json', WordSocket::Client->encode($server->{sites}));
ok $server->renew, 'one keeper, of 3 s at most';
$swarm = WordSocket::Swarm->new($of{stays}, wss => 100, sses => 100, publish => 200, rate => 25, fresh => 1, wait => 1,
    seconds => 90, settle => 30);
ok $swarm->ready(60), 'two hundred are subscribed';
$swarm->command('publish');
ok $server->renew, 'a reload of two children, with place for one keeper';
$report = $swarm->report(90);
is_clean($report, 'who had to come back missed nothing');
cmp_ok $report->{codes}{1012} // 0, '>', 0, 'they were told so';
is $report->{ready}, 200, 'all are there';
ok keepers_are($server, 0), 'no keeper is older than it may be';
is counter($server, 'slots_reaped'), 0, 'no process died';

# --- httpd ends -------------------------------------------------------------------

$server->{lines} =~ s/WordSocketKeepers 1 3s/WordSocketKeepers 8/;
$server->write_config;
ok $server->renew, 'keepers for longer';
for my $how ([ TERM => 'stop', 2 ], [ HUP => 'restart', 5 ], [ KILL => 'killed', 5 ]) {
    my ($signal, $what, $seconds) = @$how;
    $server->start if !$server->{pid};
    my $held = WordSocket::Swarm->new($of{stays}, wss => 50, sses => 50, hold => 1, no_reconnect => 1, seconds => 60);
    ok $held->ready(30), "$what: a hundred are subscribed";
    ok $server->renew, "$what: reloaded";
    my @keepers = $server->keepers;
    ok @keepers, "$what: keepers have them";
    $begun = time;
    kill $signal, $server->{pid};
    my $left = $server->wait_for($seconds * $slow, sub { !grep { -d "/proc/$_" && (WordSocket::Server::stat_of($_))[0] !~ /[ZX]/ } @keepers });
    ok $left, sprintf '%s: no keeper is left after %.1f s', $what, time - $begun;
    sleep 0.3;
    $held->command('quit');
    my $codes = $held->report(10)->{codes};
    is $codes->{1012} // 0, 50, "$what: everybody was told";
    next if $signal eq 'HUP';
    $server->kill_all;
}

done_testing;
