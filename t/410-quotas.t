# SPDX-License-Identifier: Apache-2.0
# What a connection, an address, a site, a user and the host may use: refused at
# the bound in the words a client understands, counted exactly, without a neighbour
# noticing; and counted back whenever a connection ends.
use v5.30;
use warnings;
use lib 't/lib';
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Client;
use WordSocket::Sanitizer;
use WordSocket::Server;
use WordSocket::Tenants;
use WordSocket::Tree qw(slurp);

# The longest that a message of the neighbour's may take, on a machine that others
# use as well; without them it is a few milliseconds.
use constant LATENCY_S => 1;

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

# --- each quota, reached, while a neighbour goes on -----------------------------------
#
# The neighbour is another site of the same server: what it says arrives, in its
# time, before, while and after the quota is reached. Refusals are counted exactly,
# for the server and for the site.

# What a quota is told as; one text in one place.
my %told = slurp('src/core/wsk_quota.h') =~ /^X\( (\w+),.*?\n\s+"([^"]*)"\)/mg;

# The neighbour: messages to a socket and a stream of its own, and how long each
# takes. @return what is wrong.
sub disturbed {
    my ($neighbour) = @_;
    state $round = 0;
    my $channel = 'quiet-' . ++$round;
    my @there = ($neighbour->socket(channels => [$channel]), $neighbour->events(channels => [$channel]));
    my (@wrong, $slowest);
    for my $n (1 .. 20) {
        my $begin = time;
        my $answer = $neighbour->publish($channel, 'said', $n);
        push @wrong, "publish $answer->{status}" if $answer->{status} != 200;
        for my $one (@there) {
            my ($got) = $one->messages(1, 5);
            push @wrong, "message $n lost" if !$got || $got->{data} != $n;
        }
        $slowest = max($slowest // 0, time - $begin);
    }
    $_->hang_up for @there;
    push @wrong, "a message took $slowest s" if $slowest > LATENCY_S * (WordSocket::Sanitizer::kind() ? 10 : 1);
    return join ', ', @wrong;
}

# Reach a quota: $reach->() returns how many were refused, as the client saw it.
sub reached {
    my ($quota, $server, $client, $neighbour, $reach) = @_;
    my ($counter) = slurp('src/core/wsk_quota.h') =~ /^X\( $quota,\s+"\w+",\s+(\w+)/m or die "no quota $quota\n";
    my $before = counter($server, $counter);
    is disturbed($neighbour), '', "$quota: the neighbour before";
    my $refused = $reach->($told{$quota});
    cmp_ok $refused, '>=', 3, "$quota: it was reached, $refused refusals";
    is counter($server, $counter) - $before, $refused, "$quota: $counter agrees";
    is site_status($server, $client->{site})->{quotas}{$quota}, $refused, "$quota: and of the site";
    is site_status($server, $neighbour->{site})->{quotas}{$quota}, 0, "$quota: the neighbour was refused nothing";
    is disturbed($neighbour), '', "$quota: the neighbour is not disturbed";
    return;
}

# Too many connections: three sockets and three streams, each told what to do.
sub too_many {
    my ($client, $text, %option) = @_;
    for (1 .. 3) {
        my $ws = $client->socket(%option);
        is $ws->close_code, 4029, 'a socket is closed with 4029';
        is $ws->{closed}{reason}, $text, 'and told what to do';
        my $sse = $client->events(status => 429, %option);
        like $sse->header('Retry-After'), qr/^[1-9]\d*$/, 'a stream is 429 with Retry-After';
        is_deeply(WordSocket::Client->decode($sse->take_all(2)), { error => 'connection_limit', message => $text }, 'and told the same');
    }
    return 6;
}

# Publishes until some were refused, all of which go through when repeated.
sub publishes {
    my ($client, $text, $most) = @_;
    my @refused;
    for my $n (1 .. $most) {
        my $body = $client->encode({ channel => 'room', event => 'said', data => $n });
        my %headers = $client->signed_headers($body);
        my $answer = $client->publish_with($body, %headers);
        push @refused, [ $body, \%headers, $answer ] if $answer->{status} == 429;
        last if @refused == 3;
    }
    is_deeply $_->[2]{json}, { error => 'rate_limited', message => $text }, 'a publish is 429 and told what to do' for @refused;
    like $_->[2]{headers}{'retry-after'}, qr/^[1-9]\d*$/, 'and when' for @refused;
    my $again = 0;
    for my $one (@refused) {
        my $answer;
        for (1 .. 40) {
            $answer = $client->publish_with($one->[0], %{ $one->[1] });
            last if $answer->{status} == 200;
            $again++;
            sleep 0.25;
        }
        ok $answer->{status} == 200 && !$answer->{json}{duplicate}, 'the same bytes go through later, as new';
    }
    return @refused + $again;
}

# Messages of sockets, each with a ref, until three were refused.
sub says {
    my ($text, $most, @ws) = @_;
    my ($sent, $refused, $acked) = (0, 0, 0);
    while ($refused < 3 && $sent < $most) {
        my $ws = $ws[ $sent % @ws ];
        $ws->send_json({ type => 'message', channel => 'loud', event => 'e', data => {}, ref => ++$sent });
        my $answer = $ws->message(5) // last;
        $acked++, next if $answer->{type} eq 'ack';
        $refused++;
        my $retry = delete $answer->{retry};
        is_deeply $answer, { type => 'error', code => 'rate_limited', message => $text, ref => $sent }, 'a message is told what to do';
        like $retry, qr/^[1-9]\d*$/, 'and when';
    }
    is $refused + $acked, $sent, 'every one is answered';
    return $refused;
}

{
    my %wide = (connections => 1000, address_connections => 1000, user_connections => 1000);
    local $small->{limits} = { %wide };
    local $small->{user} = 'bob';
    my $sibling = tenant('sibling', user => 'bob', limits => { %wide });
    my $server = WordSocket::Server->new(sites => [ $small, $other, $sibling ],
        lines => "WordSocketPublishRate 1000 100000\nWordSocketMaxConnections 40\n")->start;
    my ($client, $neighbour) = both($server);
    my @users = @{ status_of($server)->{users} };
    is_deeply \@users, [ { user => 'bob', sites => 2, connections => 0 } ], 'a user has the sites that name it';

    # The neighbour has its two of the host's forty before and after.
    reached('host_connections', $server, $client, $neighbour, sub {
        my ($text) = @_;
        my @held = fill($client, 40);
        for (1 .. 3) {
            my $ws = $client->socket(status => 503);
            is_deeply(WordSocket::Client->decode($ws->take_all(2)), { error => 'unavailable', message => $text }, 'a socket is 503 and told what to do');
            ok $ws->header('Retry-After'), 'with Retry-After';
        }
        is $client->get(stream_path($client))->{status}, 200, 'a stream is answered in poll mode';
        is $neighbour->publish('room', 'said', 'x')->{status}, 200, 'the neighbour publishes meanwhile';
        is $neighbour->poll(channels => ['room'])->{status}, 200, 'and polls';
        $_->hang_up for @held;
        ok connections_are($server, 0), 'all are gone';
        return 4;    # the stream's is one
    });
    $server->stop;
}

{
    my %site = (connections => 1000, address_connections => 1000);
    local $small->{limits} = { %site, user_connections => 4 };
    local $small->{user} = 'bob';
    my $sibling = tenant('sibling', user => 'bob', limits => { %site, user_connections => 4 });
    my $server = WordSocket::Server->new(sites => [ $small, $other, $sibling ])->start;
    my ($client, $neighbour) = both($server);
    my $second = WordSocket::Client->new($server, site => $sibling);
    my @held = (fill($client, 2), fill($second, 2));
    is status_of($server)->{users}[0]{connections}, 4, 'a user\'s connections are those of its sites';
    reached('user_connections', $server, $client, $neighbour, sub { too_many($client, @_) });
    my $own = $second->socket;
    is $own->close_code, 4029, 'the user\'s other site is refused as well';
    $server->announce(qr/wordsocket:warn/, maybe => 1);
    my %dead = map { $_ => 1 } $server->children;
    kill 'KILL', keys %dead;
    ok $server->wait_for(10, sub { my @new = $server->children; @new && !grep { $dead{$_} } @new }), 'new children serve';
    ok connections_are($server, 0), 'a death gives back what the dead held';
    ok $server->wait_for(5, sub { status_of($server)->{users}[0]{connections} == 0 }), 'of the user, too';
    has_room('the user\'s other site then', $second);
    $server->stop;
}

for my $of ([ site_connections => {}, connections => 3 ], [ address_connections => { from => '127.0.5.9' }, address_connections => 3 ]) {
    my ($quota, $from, @limit) = @$of;
    local $small->{limits} = {@limit};
    my $server = server_of('');
    my ($client, $neighbour) = both($server);
    my @held = fill($client, 3, %$from);
    reached($quota, $server, $client, $neighbour, sub { too_many($client, @_, %$from) });
    $_->hang_up for @held;
    $server->stop;
}

# Rates. The user's other site has used up what they share.
for my $of ([ site_publish => publish_rate => 2, publish_burst => 10 ], [ user_publish => user_publish_rate => 2, user_publish_burst => 10 ]) {
    my ($quota, %limit) = @$of;
    local $small->{limits} = {%limit};
    local $small->{user} = 'bob';
    my $sibling = tenant('sibling', user => 'bob', limits => {%limit});
    my $server = WordSocket::Server->new(sites => [ $small, $other, $sibling ], lines => "WordSocketPublishRate 1000 10000")->start;
    my ($client, $neighbour) = both($server);
    my $second = WordSocket::Client->new($server, site => $sibling);
    my $taken = grep { $_->{status} == 200 } map { $second->publish('room', 'said', $_) } 1 .. 9;
    is $taken, 9, "$quota: the user's other site publishes";
    reached($quota, $server, $client, $neighbour, sub { publishes($client, $_[0], 30) });
    $server->stop;
}

for my $of (
    [ connection_browser => connection_rate => 1, connection_burst => 5 ], [ site_browser => browser_rate => 1, browser_burst => 5 ],
    [ user_browser => user_browser_rate => 1, user_browser_burst => 5 ]) {
    my ($quota, %limit) = @$of;
    local $small->{limits} = {%limit};
    local $small->{user} = 'bob';
    my $server = server_of('');
    my ($client, $neighbour) = both($server);
    my @ws = map { $client->socket } 1 .. 3;
    reached($quota, $server, $client, $neighbour, sub { says($_[0], 40, $quota eq 'connection_browser' ? $ws[0] : @ws) });
    if ($quota eq 'connection_browser') {
        is says('', 1, $ws[1]), 0, 'another connection has its own';
        reached_send($server, $client, $limit{connection_burst});
    }
    $server->stop;
}

# The same without a connection: of one user at one address, whatever it polls.
sub reached_send {
    my ($server, $client, $burst) = @_;
    my $send = sub {
        my (%claim) = @_;
        my $token = $client->token(%claim);
        return $client->request(POST => '/send', content => '{"type":"message","channel":"loud","event":"e"}', headers => {
            'Content-Type' => 'application/json', Authorization => "Bearer $token",
            'X-WordSocket-Stream' => $client->poll(token => $token)->{json}{stream} });
    };
    my $before = counter($server, 'limited_connection');
    my @answers = map { $send->() } 1 .. $burst + 5;
    my @refused = grep { $_->{status} == 429 } @answers;
    cmp_ok scalar(grep { $_->{status} == 200 } @answers), '>=', $burst, 'who polls and sends has a burst';
    cmp_ok scalar @refused, '>=', 3, 'and then no more, with a new stream each time';
    is_deeply $refused[0]{json}, { error => 'rate_limited', message => $told{connection_browser} }, 'and is told what to do';
    like $refused[0]{headers}{'retry-after'}, qr/^[1-9]\d*$/, 'and when';
    is counter($server, 'limited_connection') - $before, @refused, 'all of it is counted';
    is $send->(user_id => 9)->{status}, 200, 'another user at the same address has its own';
    return;
}

# Requests that are remembered: as many as the rates let a site send in a minute,
# and some. Upgrades of publish sockets are no messages, so they can be more.
{
    local $small->{limits} = { publish_rate => 1, publish_burst => 1 };
    my $server = server_of('');
    my ($client, $neighbour) = both($server);
    my $upgrade = sub {
        my $answer = $client->raw(join "\r\n", "GET $server->{path}/publisher HTTP/1.1", 'Host: x', 'Connection: Upgrade',
            'Upgrade: websocket', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: ' . WordSocket::Frames->KEY,
            signed_lines($client), '', '');
        $answer->{wire}->hang_up;
        return $answer;
    };
    reached('site_requests', $server, $client, $neighbour, sub {
        my ($text) = @_;
        my ($tries, @refused) = (0);
        while (@refused < 3 && ++$tries < 5000) {
            my $answer = $upgrade->();
            push @refused, $answer if $answer->{status} != 101;
        }
        is "$_->{status} $_->{json}{error} $_->{json}{message}", "429 rate_limited $text", 'an upgrade is told what to do' for @refused;
        like $_->{headers}{'retry-after'}, qr/^[1-9]\d*$/, 'and when' for @refused;
        return scalar @refused;
    });
    $server->stop;
}

sub signed_lines {
    my ($client) = @_;
    my %headers = $client->signed_headers_v2('', method => 'GET', path => '/publisher');
    return map { "$_: $headers{$_}" } sort keys %headers;
}

done_testing;
