# SPDX-License-Identifier: Apache-2.0
# What an idle connection costs: the memory of all children, before and after.
# With build/check --long it is 16,000 of each kind, else 2,000.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Crowd;

my $count = is_long() ? 16_000 : 2_000;

# Bytes that an idle connection may cost. The proof of the design needed 54 to
# 170 over plain sockets, and 12.3 KiB over TLS 1.3.
my %most = (ws => 1024, sse => 1024, wss => 16_384, sses => 16_384);

for my $kind (qw(ws sse wss sses)) {
    my $many = $kind =~ /s$/ && $kind ne 'ws' ? $count / 4 : $count;
    my $server = crowd_server(children => 2, threads => 8);
    my $warm = swarm($server, $kind => 400, hold => 1, no_reconnect => 1, seconds => 60);
    $warm->ready(30);
    $warm->command('quit');
    $warm->report(10);
    sleep 1;
    my $before = $server->memory_kib('Pss');
    my $crowd = swarm($server, $kind => $many, hold => 1, no_reconnect => 1, seconds => 200, per_address => 1000);
    ok $crowd->ready(150), "$many idle $kind are subscribed";
    sleep 2;
    my $bytes = ($server->memory_kib('Pss') - $before) * 1024 / $many;
    cmp_ok $bytes, '<=', $most{$kind}, sprintf 'an idle %s costs %d bytes', $kind, $bytes;

    # Workers are free meanwhile, but for the one that says so.
    my $client = crowd_client($server, keep_alive => 0);
    my $idle = 0;
    for (1 .. 20) {
        my ($now) = $client->{http}->get($server->root_url . '/server-status?auto')->{content} =~ /^IdleWorkers: (\d+)/m;
        $idle = $now // 0 if ($now // 0) > $idle;
    }
    is $idle, 15, "15 of 16 workers are idle beside $many idle $kind";
    my @failed = grep { !$client->{http}->get($server->root_url . '/')->{success} } 1 .. 300;
    is scalar @failed, 0, 'and 300 ordinary requests are served without a failure';
    $crowd->command('quit');
    is $crowd->report(20)->{ready}, $many, 'and all of them are still there';
    $server->stop;
}
done_testing;
