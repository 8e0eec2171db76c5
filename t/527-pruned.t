# SPDX-License-Identifier: Apache-2.0
# Children that httpd takes away because there are more than it wants, and reloads
# where the scoreboard has no place for old and new children together: who is
# connected goes on, or is told, and loses nothing; sites are served all the while.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Crowd;
use WordSocket::Sanitizer;
use WordSocket::Tenants;

my $slow = WordSocket::Sanitizer::slowness();

# --- MaxSpareThreads ----------------------------------------------------------------

# Four children are started and two are wanted: httpd ends one each second.
my $server = crowd_server(children => 4, threads => 8, lines => "MaxSpareThreads 17\nMinSpareThreads 1\n");
my @first = $server->children;
my $swarm = swarm($server, ws => 200, sse => 200, publish => 250, rate => 50, fresh => 1, wait => 1, seconds => 60, settle => 10);
ok $swarm->ready(40), 'four hundred are subscribed';
$swarm->command('publish');
ok $server->wait_for(20 * $slow, sub { $server->children <= 2 }), 'MaxSpareThreads: children go';
my %now = map { $_ => 1 } $server->children;
cmp_ok scalar(grep { $now{$_} } @first), '>=', 1, 'and others of before stay';
my $report = $swarm->report(60);
is_clean($report, 'MaxSpareThreads');
is_deeply [ $report->{reconnects}, $report->{codes}, $report->{ready} ], [ 0, {}, 400 ], 'nobody was closed, or had to come back';
is counter($server, 'taken_over'), counter($server, 'handed'), 'all went over';
ok status_of($server, '?check')->{segment}{whole}, 'the segment is whole';
$server->stop;

# --- ServerLimit without headroom -------------------------------------------------------

# As many places as children: a new one has to wait for an old one to go.
$server = crowd_server(children => 2, server_limit => 2, threads => 16, lines => "WordSocketDrain 10s\nMinSpareThreads 17\n");
like $server->log_text, qr/WSK0305 ServerLimit 2 leaves no room beside 2 active children: the drain is cut to 500 ms; set ServerLimit to 4/,
    'httpd says so when it starts';
$swarm = swarm($server, ws => 100, sse => 100, wss => 20, sses => 20, publish => 250, rate => 50, fresh => 1, wait => 1,
    seconds => 60, settle => 30);
ok $swarm->ready(40), 'no headroom: 240 are subscribed';
$swarm->command('publish');
for my $time (1, 2) {
    sleep 0.5;
    my %old = map { $_ => 1 } $server->children;
    my $begun = time;
    ok $server->graceful, "reload $time: the new generation serves";
    ok $server->wait_for(20 * $slow, sub { !grep { $old{$_} } $server->children }), sprintf 'and the old one is gone after %.1f s', time - $begun;
    cmp_ok time - $begun, '<', 8 * $slow, 'before the drain that was asked for';
}
$report = $swarm->report(60);
is_clean($report, 'no headroom');
is $report->{ready}, 240, 'everybody is there';
is_deeply [ grep { !/^(?:1012|end)$/ } keys %{ $report->{codes} } ], [], 'and was told';
is crowd_client($server)->poll->{status}, 200, 'the site answers';
$server->stop;

done_testing;
