# SPDX-License-Identifier: Apache-2.0
# A child is killed while messages are published: the others do not notice, its
# subscribers come back to another one and miss nothing, and a publish that was
# cut off is repeated without being delivered twice.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Crowd;
use WordSocket::Tenants qw(status_of);

# So few spare threads that httpd replaces who is killed, and nobody else.
my $server = crowd_server(lines => "MinSpareThreads 49\n");
# The parent reports the death, and whoever takes a lock of the dead says so.
$server->announce(qr/child pid \d+ exit signal Killed \(9\)/, maybe => 1);
$server->announce(qr/wordsocket:warn/, maybe => 1);

my $swarm = swarm($server, ws => 300, sse => 300, wss => 50, sses => 50,
    publish => 600, rate => 100, lanes => 4, fresh => 1, seconds => 90, settle => 30);
ok $swarm->ready(30), 'seven hundred are subscribed';

my @killed;
for my $second (1 .. 3) {
    sleep 1;
    my ($child) = grep { my $pid = $_; !grep { $_ == $pid } @killed } $server->children;
    push @killed, $child;
    kill 'KILL', $child;
}
ok $swarm->published(60), 'every publish was answered in the end';
my $report = $swarm->report(60);
is_clean($report, 'three children killed');
is $report->{published}, 600, 'nothing that was published got lost';
is $report->{ready}, 700, 'everybody is back';
cmp_ok $report->{reconnects}, '>=', 1, "of $report->{reconnects} that had to reconnect";
cmp_ok $report->{slowest_return_ms}, '<', 5000 * WordSocket::Sanitizer::slowness(), "the slowest took $report->{slowest_return_ms} ms";
ok $server->wait_for(20, sub { 4 <= $server->children }), 'and four children serve again';
ok !(grep { my $pid = $_; grep { $_ == $pid } @killed } $server->children), 'none of them a dead one';

# What a dead child held is given back: the same crowd fits again and again.
my $again = swarm($server, ws => 300, sse => 300, publish => 50, seconds => 60, fresh => 1);
ok $again->ready(30), 'a crowd after the deaths is subscribed';
is_clean($again->report(60), 'after the deaths');
my $stats = crowd_client($server)->stats->{json};
ok $server->wait_for(10, sub { ($stats = crowd_client($server)->stats->{json})->{active_connections} == 0 }),
    'the count of connections is back to none' or diag explain $stats;

ok status_of($server, '?check')->{segment}{whole}, 'and the segment proves whole';

$server->stop;
done_testing;
