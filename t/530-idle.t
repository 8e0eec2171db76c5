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
my %most = (ws => 512, sse => 512, wss => 16_384, sses => 16_384);

for my $kind (qw(ws sse wss sses)) {
    my $many = $kind =~ /s$/ && $kind ne 'ws' ? $count / 4 : $count;
    my $server = crowd_server(children => 2, threads => 16);
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

    # Workers are free meanwhile: the site answers at once.
    my $client = crowd_client($server);
    my @slow = grep { $client->get('/healthz')->{status} != 200 } 1 .. 20;
    is scalar @slow, 0, "the site answers beside $many idle $kind";
    $crowd->command('quit');
    is $crowd->report(20)->{ready}, $many, 'and all of them are still there';
    $server->stop;
}
done_testing;
