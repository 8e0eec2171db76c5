# SPDX-License-Identifier: Apache-2.0
# What a site, an address and the host may use: refused at the bound in the
# words a client understands, and counted back whenever a connection ends.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Server;
use WordSocket::Tenants;

my ($small, $other) = (tenant('small'), tenant('other'));

sub server_of {
    my ($lines, %option) = @_;
    return WordSocket::Server->new(lines => $lines, sites => [ $small, $other ], %option)->start;
}

sub both { my ($server) = @_; map { WordSocket::Client->new($server, site => $_) } $small, $other }

sub stream_path { my ($client) = @_; '/sse?' . WordSocket::Client::query(token => $client->token, channels => 'room') }

# Sockets and streams in turn, up to the bound.
sub fill {
    my ($client, $count, %option) = @_;
    return map { $_ % 2 ? $client->socket(channels => ['room'], %option) : $client->events(channels => ['room'], %option) }
        1 .. $count;
}

# One more of each is refused: the socket in a way its browser can read.
sub is_full {
    my ($what, $client, %option) = @_;
    is $client->socket(%option)->close_code, 4029, "$what: one more socket is opened and closed with 4029";
    my $sse = $client->events(channels => ['room'], status => 429, %option);
    like $sse->header('Retry-After'), qr/^[1-9]\d*$/, "$what: one more stream is 429 with Retry-After";
    $sse->take_until(qr/\}/, time + 5);
    return;
}

sub has_room {
    my ($what, $client, %option) = @_;
    my $ws = $client->socket(channels => ['room'], %option);
    ok $ws->{subscribed}, "$what: a socket has room";
    $ws->hang_up;
    return;
}

# --- a site's ---------------------------------------------------------------------

{
    my $server = server_of('WordSocketSiteConnections 6');
    my ($client, $neighbour) = both($server);
    my @held = fill($client, 6);
    is $client->stats->{json}{active_connections}, 6, 'six are counted';
    is $client->stats->{json}{max_connections}, 6, 'of six';
    is_full('a full site', $client);
    has_room('its neighbour', $neighbour);
    is $client->publish('room', 'said', 'x')->{status}, 200, 'a full site still publishes';
    is $client->poll(channels => ['room'])->{status}, 200, 'and polls';
    is scalar(grep { 1 == $_->messages(1) } @held), 6, 'and those that are there hear it';
    cmp_ok counter($server, 'refused_limit'), '>=', 2, 'refusals are counted';

    # However it ends, the place is given back.
    $held[0]->send_close(1000);
    is $held[0]->close_code, 1000, 'a socket says goodbye';
    $held[1]->hang_up;
    $held[2]->reset_hard;
    $held[3]->reset_hard;
    ok connections_are($server, 2, $small), 'two are left of six after a close, an end and two resets';
    push @held, fill($client, 4);
    is_full('full again', $client);

    # A whole child dies, and another takes its place.
    $server->announce(qr/wordsocket:warn/, maybe => 1);
    my @dead = $server->children;
    kill 'KILL', @dead;
    my %dead = map { $_ => 1 } @dead;
    ok $server->wait_for(10, sub { my @new = $server->children; @new && !grep { $dead{$_} } @new }), 'new children serve';
    ok connections_are($server, 0, $small), 'a death gives back what the dead held';
    @held = fill($client, 6);
    is_full('after the death', $client);
    $_->hang_up for @held;
    $server->stop;
}

# --- an address's -------------------------------------------------------------------

{
    my $server = server_of('WordSocketAddressConnections 3');
    my ($client, $neighbour) = both($server);
    my @held = fill($client, 3, from => '127.0.5.1');
    is_full('an address', $client, from => '127.0.5.1');
    has_room('another address', $client, from => '127.0.5.2');
    has_room('the address at another site', $neighbour, from => '127.0.5.1');
    $held[0]->reset_hard;
    ok connections_are($server, 2, $small), 'one of them is gone';
    has_room('the address after that', $client, from => '127.0.5.1');
    $_->hang_up for @held;
    ok connections_are($server, 0), 'and in the end nobody is counted';
    $server->stop;
}

# --- the host's -----------------------------------------------------------------------

{
    my $server = server_of('WordSocketMaxConnections 4');
    my ($client, $neighbour) = both($server);
    my @held = fill($client, 4);
    $client->publish('room', 'said', 'kept');
    for my $at ($client, $neighbour) {
        my $ws = $at->socket(status => 503);
        ok $ws->header('Retry-After'), 'a full host: a socket is 503 before the upgrade, with Retry-After';
        my $sse = $at->get(stream_path($at));
        is $sse->{status}, 200, 'a full host: a stream is answered';
        like $sse->{content}, qr/^retry: ?\d+$/m, 'in poll mode, with the time to come back';
        is $at->poll(channels => ['room'])->{status}, 200, 'a full host polls';
    }
    my $since = $client->poll(channels => ['room'])->{json}{cursor} =~ s/-(\d+)$/'-' . ($1 - 1)/er;
    like $client->get(stream_path($client) . "&since=$since")->{content}, qr/^data: .*kept/m, 'poll mode replays';
    $held[0]->reset_hard;
    ok connections_are($server, 3), 'one is gone';
    has_room('the neighbour then', $neighbour);
    $_->hang_up for @held;
    $server->stop;
}

# --- limits of a site's own --------------------------------------------------------------

{
    local $small->{limits} = {
        connections => 2, max_channels => 2, max_message => 200, max_publish => 400,
        publish_rate => 2, publish_burst => 5, browser_rate => 2, browser_burst => 5,
        history_messages => 3,
    };
    my $server = server_of('WordSocketHistory 256K 50');
    my ($client, $neighbour) = both($server);
    my @held = fill($client, 2);
    is_full('a site by its file', $client);
    my @more = fill($neighbour, 3);
    is scalar(@more), 3, 'its neighbour keeps the host\'s';
    $_->hang_up for @held, @more;
    ok connections_are($server, 0), 'nobody is left';

    is $client->publish('room', 'said', 'x' x 500)->{status}, 413, 'a body above the site\'s bound is 413';
    is $neighbour->publish('room', 'said', 'x' x 500)->{status}, 200, 'and not above the neighbour\'s';
    my $ws = $client->socket;
    $ws->subscribe([qw(a b)]);
    $ws->send_json({ type => 'subscribe', channels => ['c'] });
    is(($ws->message(5, 'error') // {})->{code}, 'too_many_channels', 'a third channel is refused');
    $ws->send_text('{"type":"message","channel":"a","event":"e","data":"' . 'x' x 300 . '"}');
    is $ws->close_code, 1009, 'a message above the site\'s bound closes with 1009';
    $ws = $neighbour->socket(channels => [qw(a b c)]);
    is scalar @{ $ws->{subscribed}{channels} }, 3, 'the neighbour may have three';
    $ws->hang_up;

    # The purses: PHP's of five, the browsers' of five, the neighbour's own.
    my @php = map { $client->publish('room', 'said', $_) } 1 .. 12;
    my @refused = grep { $_->{status} == 429 } @php;
    cmp_ok scalar(@refused), '>=', 3, 'twelve publishes at once: the last are 429';
    is $refused[0]{json}{error}, 'rate_limited', 'rate_limited, never a quota that silences a plugin';
    like $refused[0]{headers}{'retry-after'}, qr/^[1-9]\d*$/, 'with Retry-After';
    is $_->{status}, 200, 'the neighbour publishes meanwhile' for map { $neighbour->publish('room', 'said', $_) } 1 .. 12;
    $ws = $client->socket(channels => ['room']);
    $ws->send_json({ type => 'message', channel => 'room', event => 'e', data => $_, ref => "$_" }) for 1 .. 12;
    my %answer;
    for (1 .. 24) {
        my $message = $ws->message(1) // last;
        $answer{ $message->{type} }++;
        is $message->{code}, 'rate_limited', 'a visitor too many is told' if $message->{type} eq 'error' && $answer{error} == 1;
    }
    cmp_ok $answer{ack}, '>=', 5, 'PHP used up its own purse, not the visitors\'';
    cmp_ok $answer{error} // 0, '>=', 3, 'which has a bound as well';
    cmp_ok $answer{ack} + $answer{error}, '==', 12, 'every one was answered';
    ok $server->wait_for(5, sub { $client->publish('room', 'said', 'later')->{status} == 200 }),
        'while visitors use up theirs, PHP\'s fills again';
    $ws->hang_up;
    my $kept = $client->poll(channels => ['room'], since => '000000000001-1')->{json}{messages};
    is scalar(grep { !defined $_->{type} || $_->{type} ne 'gap' } @$kept), 3, 'three messages are kept';
    $server->stop;
}

done_testing;
