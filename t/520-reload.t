# SPDX-License-Identifier: Apache-2.0
# Graceful restart, restart, graceful-stop and stop with two thousand
# subscribers: nobody is cut off without a word, nobody misses a message, and
# httpd goes when it is told to.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Crowd;

my $each = 500;    # of WebSockets, event streams, and both over TLS
my %all  = (ws => 2 * $each, sse => 2 * $each);

# --- graceful restarts, twice, under load -------------------------------------

my $server = crowd_server();
my $swarm = swarm($server, %all, publish => 300, rate => 40, fresh => 1,
    wait => 1, seconds => 100, settle => 30);
ok $swarm->ready(60), 'two thousand are subscribed';
$swarm->command('publish');
my @old = $server->children;
for my $time (1, 2) {
    sleep 1.5;
    ok $server->graceful, "graceful restart $time: the new generation serves";
}
ok $server->wait_for(20, sub { my %now = map { $_ => 1 } $server->children; !grep { $now{$_} } @old }),
    'the old children are gone';
my $report = $swarm->report(100);
is_clean($report, 'two graceful restarts');
is $report->{ready}, 2000, 'everybody is there';
is $report->{codes}{lost} // 0, 0, 'nobody was cut off without a word';
is_deeply [ grep { !/^(?:1012|end)$/ } keys %{ $report->{codes} } ], [], 'and nobody with another code than 1012';
note "$report->{reconnects} reconnects, slowest return $report->{slowest_return_ms} ms";
is crowd_client($server)->get('/healthz')->{status}, 200, 'the site answers';

# --- restart ------------------------------------------------------------------

$swarm = swarm($server, ws => $each, sse => $each, publish => 200, rate => 40,
    fresh => 1, wait => 1, seconds => 60, settle => 20);
ok $swarm->ready(60), 'a thousand are subscribed';
$swarm->command('publish');
sleep 1.5;
$server->signal('HUP');
$report = $swarm->report(60);
is $report->{ready}, 1000, 'restart: everybody is back';
is $report->{codes}{lost} // 0, 0, 'restart: nobody was cut off without a word';
is_clean($report, 'a restart');

# --- the two ways to stop -----------------------------------------------------

sub stop_with {
    my ($name, $signal, $seconds) = @_;
    $server->start if !$server->{pid};
    my $held = swarm($server, %all, hold => 1, no_reconnect => 1, seconds => 60);
    ok $held->ready(60), "$name: two thousand are subscribed";
    my $begun = time;
    $server->signal($signal);
    ok $server->wait_gone($seconds), sprintf '%s: httpd is gone after %.1f s', $name, time - $begun;
    sleep 0.5;
    $held->command('quit');
    my $end = $held->report(10);
    is_deeply $end->{codes}, { 1012 => $all{ws}, end => $all{sse} },
        "$name: every WebSocket got 1012, every stream an orderly end";
    cmp_ok $end->{hints}, '>=', $all{ws}, "$name: and was told when to come back";
    $server->stop(seconds => 1);
    return;
}

stop_with('graceful-stop', 'WINCH', 12);
stop_with('stop', 'TERM', 9);

done_testing;
