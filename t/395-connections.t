# SPDX-License-Identifier: Apache-2.0
# wps:connections: how many connections a site has, whenever that changes.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Crowd;
use WordSocket::Talk;
use WordSocket::Tenants;

my @sites  = (tenant('counted'), tenant('other'));
my $server = crowd_server(lines => "MinSpareThreads 49\n", sites => \@sites);
my ($client, $other) = map { WordSocket::Client->new($server, site => $_) } @sites;

# The newest count that was told, once it is so many, or at the deadline.
sub counted {
    my ($reader, $want, $seconds) = @_;
    my $end = time + ($seconds // 3);
    my $told;
    while (my ($message) = $reader->messages(1, $end - time)) {
        $told = $message;
        last if $told->{data}{active_connections} == $want;
    }
    return $told;
}

for my $tls (0, 1) {
    my $how = $tls ? 'TLS: ' : '';
    $client->{tls} = $tls;
    connections_are($server, 0);
    my $ws = $client->socket;
    $ws->send_json({ type => 'subscribe', channels => [ $client->qualified('wps:connections') ] });
    is $ws->message->{type}, 'subscribed', "${how}who may read it subscribes";
    is_deeply $ws->message(2), { type => 'message', channel => 'wps:connections', event => 'wps.connections',
        data => { active_connections => 1, max_connections => 40000 } }, "${how}and is told the count at once, without an id";

    my $sse = $client->events(channels => ['wps:connections']);
    is counted($sse, 2)->{data}{active_connections}, 2, "${how}an event stream counts, and is told as well";
    is counted($ws, 2)->{data}{active_connections}, 2, "${how}others are told";
    my $mute = $client->socket(token => $client->token(allowed_channel_prefixes => ['a:']));
    $mute->send_json({ type => 'subscribe', channels => ['wps:connections'] });
    is codes($mute), 'subscribed channel_forbidden', "${how}it needs the right to read it";
    is counted($ws, 3)->{data}{active_connections}, 3, "${how}though it counts";

    # A crowd comes and goes: few words are made of it.
    my $begun = time;
    my @crowd = map { $client->socket } 1 .. 60;
    my $foreign = $other->socket;
    is counted($ws, 63)->{data}{active_connections}, 63, "${how}sixty more, and none of another site";
    $_->hang_up for @crowd, $foreign;
    is counted($sse, 3)->{data}{active_connections}, 3, "${how}they are gone";
    my @told = $ws->messages(1000, 0.6);
    cmp_ok scalar @told, '<=', 4 * (time - $begun) + 2, "${how}told a few times a second at most";
    is $told[-1]{data}{active_connections}, 3, "${how}and the last word is right";
    is_deeply [ $ws->messages(1, 0.8) ], [], "${how}nothing changes: nothing is said";

    is ask_send($client, $client->token, undef, {})->{status}, 404, "${how}(/send)";
    $ws->send_json({ type => 'message', channel => 'wps:connections', event => 'wps.connections', data => { active_connections => 0 } });
    is codes($ws), 'publish_forbidden', "${how}nobody else says it";
    $_->hang_up for $ws, $sse, $mute;
}

# A child dies with connections in it.
$server->announce(qr/child pid \d+ exit signal Killed \(9\)/, maybe => 1);
$server->announce(qr/wordsocket:warn/, maybe => 1);
$client->{tls} = 0;
connections_are($server, 0);
my @all = map { $client->socket(channels => ['wps:connections']) } 1 .. 40;
my ($child) = $server->children;
kill 'KILL', $child;
$server->wait_for(5, sub { !grep { $_ == $child } $server->children });
my @left;
for my $ws (@all) {
    $ws->messages(1000, 0.01);
    push @left, $ws if !$ws->{ended};
}
cmp_ok scalar @left, '<', 40, 'a child died with ' . (40 - @left) . ' of forty';
# One more connection, so that there is a word after those that were read.
push @left, $client->socket;
is counted($left[0], scalar @left)->{data}{active_connections}, scalar @left, 'those of the dead are not counted';
$_->hang_up for @left;
$server->stop;
done_testing;
