# SPDX-License-Identifier: Apache-2.0
# Reloads that no subscriber of a plain socket notices: hundreds of both kinds go
# on in the next generation while messages come, with what they were in the middle
# of. With build/check --long it is 4,000, and twenty reloads.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Crowd;
use WordSocket::Talk;
use WordSocket::Wire;

my ($each, $reloads) = is_long() ? (2_000, 20) : (250, 4);

# A counter of the host, now.
sub counter {
    my ($server, $name) = @_;
    my $text = crowd_client($server)->{http}->get($server->root_url . '/wordsocket-metrics')->{content};
    return $text =~ /^wordsocket_\Q$name\E(?:\{[^}]*\})? (\d+)/m ? $1 : undef;
}

# The seconds until a graceful restart is through and the children of before are
# gone.
sub reload {
    my ($server) = @_;
    my %old   = map { $_ => 1 } $server->children;
    my $begun = time;
    $server->graceful(30) or return;
    $server->wait_for(30, sub { !grep { $old{$_} } $server->children }) or return;
    return time - $begun;
}

# --- a crowd, and messages all the time ---------------------------------------

my $server = crowd_server();
my $swarm = swarm($server, ws => $each, sse => $each, publish => 100 * 4 * $reloads, rate => 100,
    fresh => 1, wait => 1, seconds => 60 + 20 * $reloads, settle => 10);
ok $swarm->ready(60), 2 * $each . ' are subscribed';
$swarm->command('publish');
for my $time (1 .. $reloads) {
    sleep 0.7;
    my $took = reload($server);
    ok defined $took && $took < 6, sprintf 'reload %d: the old children are gone after %.1f s', $time, $took // 99;
}
my $report = $swarm->report(60 + 20 * $reloads);
is_clean($report, "$reloads reloads");
is $report->{reconnects}, 0, 'nobody had to come back';
is_deeply $report->{codes}, {}, 'nobody was closed';
is $report->{ready}, 2 * $each, 'everybody is there';

done_testing;
