# SPDX-License-Identifier: Apache-2.0
# The same under every MPM: connections are taken over, messages reach all
# children, plain sockets survive a reload, and who must go is told.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep);
use WordSocket::Client;
use WordSocket::Crowd;
use WordSocket::Echo;
use WordSocket::Tenants;

sub echoes {
    my ($server, $tls) = @_;
    my $ws = echo_connect($server, tls => $tls, early => WordSocket::Frames::frame(payload => 'at once'));
    $ws->send_text('later');
    my @came = map { my $frame = $ws->receive; $frame ? $frame->{payload} : 'nothing' } 1, 2;
    $ws->send_close(1000);
    return join ' ', @came, $ws->close_code // 'nothing';
}

for my $mpm (qw(event worker prefork)) {
    my $server = crowd_server(mpm => $mpm, children => 3, threads => 8);
    is echoes($server, $_), 'at once later 1000', $mpm . ($_ ? ', TLS' : '') . ': echo' for 0, 1;

    # --- all children, both ways ---------------------------------------------------
    my $swarm = swarm($server, ws => 100, sse => 100, wss => 30, sses => 30, publish => 200, wait => 1,
        fresh => 1, seconds => 60, settle => 20);
    ok $swarm->ready(40), "$mpm: 260 are subscribed";
    my @taken = grep { $_->{connections} } @{ status_of($server)->{slots} };
    cmp_ok scalar(@taken), '>=', 2, "$mpm: by @{[scalar @taken]} children";
    $swarm->command('publish');
    is_clean($swarm->report(60), "$mpm: publish across children");
    cmp_ok scalar(keys %{ publishing_children($server) }), '>=', 2, "$mpm: which all publish";
    ok connections_are($server, 0), "$mpm: and count back to none";

    # --- a graceful restart --------------------------------------------------------
    my @old = $server->children;
    $swarm = swarm($server, ws => 100, sse => 100, wss => 30, sses => 30, publish => 350, wait => 1,
        rate => 50, fresh => 1, seconds => 60, settle => 20);
    ok $swarm->ready(40), "$mpm: 260 more";
    $swarm->command('publish');
    sleep 1;
    $server->signal('USR1');
    ok $server->wait_for(20, sub {
        my %now = map { $_ => 1 } $server->children;
        %now && !grep { $now{$_} } @old;
    }), "$mpm: graceful restart: the old children go";
    my $report = $swarm->report(60);
    is_clean($report, "$mpm: graceful restart");
    is $report->{ready}, 260, "$mpm: graceful restart: everybody is back";
    is_deeply [ grep { !/^(?:1012|end)$/ } keys %{ $report->{codes} } ], [],
        "$mpm: graceful restart: and was told";
    cmp_ok $report->{reconnects}, '<=', 60, "$mpm: graceful restart: plain sockets went over";

    # --- the end -------------------------------------------------------------------
    my $held = swarm($server, ws => 100, sse => 100, wss => 30, sses => 30, hold => 1, no_reconnect => 1, seconds => 60);
    ok $held->ready(40), "$mpm: 260 again";
    $server->signal('TERM');
    ok $server->wait_gone(9), "$mpm: stop: httpd is gone";
    sleep 0.5;
    $held->command('quit');
    $report = $held->report(10);
    is_deeply $report->{codes}, { 1012 => 130, end => 130 }, "$mpm: stop: 1012, and an orderly end of streams";
    cmp_ok $report->{hints}, '>=', 130, "$mpm: stop: and told when to come back";
    $server->stop(seconds => 1);
}

done_testing;
