# SPDX-License-Identifier: Apache-2.0
# What is published through any child reaches the subscribers of all of them:
# each message once, in order, under the id the publisher was told.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Crowd;

my $server = crowd_server();
is scalar(my @children = $server->children), 4, 'four children serve';

sub everybody_hears {
    my ($what, %option) = @_;
    my $swarm = swarm($server, seconds => 100, settle => 40, fresh => 1, %option);
    my $ready = $swarm->ready(60);
    ok $ready, "$what: all are subscribed" or return $swarm->end;
    note "ready after $ready->{elapsed_ms} ms";
    my $report = $swarm->report(100);
    is_clean($report, $what);
    is $report->{published}, $option{publish}, "$what: every publish was answered with an id";
    is $report->{reconnects}, 0, "$what: nobody lost the connection";
    note sprintf '%d ms; latency p50 %d us, p99 %d us', $report->{elapsed_ms}, @{ $report->{latency_us} }{qw(p50 p99)};
    return;
}

everybody_hears('1,000 WebSockets and 1,000 event streams', ws => 1000, sse => 1000, publish => 500);

my $count = publishing_children($server);
is_deeply [ sort { $a <=> $b } keys %$count ], [ $server->children ], 'every child took publishes';
cmp_ok $count->{$_}, '>=', 5, "child $_ took $count->{$_}" for sort keys %$count;

everybody_hears('250 and 250 over TLS', wss => 250, sses => 250, publish => 500);
everybody_hears('all four kinds, four publishers at once, three channels',
    ws => 100, sse => 100, wss => 50, sses => 50, publish => 400, lanes => 4, channels => 3);
everybody_hears('messages of 64 KiB', ws => 30, sse => 30, publish => 60, pad => 65000);

$server->stop;
done_testing;
