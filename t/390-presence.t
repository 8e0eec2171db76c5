# SPDX-License-Identifier: Apache-2.0
# Who is on a channel: to the letter, then with two hundred members over four
# children, one of which is killed.
use v5.30;
use warnings;
use IO::Select;
use lib 't/lib';
use Test::More;
use WordSocket::Crowd;
use WordSocket::Roster;
use WordSocket::Talk;
use WordSocket::Tenants qw(status_of);

# So few spare threads that httpd replaces who is killed, and nobody else.
my $server = crowd_server(lines => "MinSpareThreads 49\n");
is scalar(my @children = $server->children), 4, 'four children serve';

sub enter { my ($ws, $channel, $state) = @_; $ws->send_json({ type => 'presence', channel => $channel, state => $state }) }

# --- to the letter ------------------------------------------------------------

both {
    my ($client, $how) = @_;
    my $room = channel('room');
    my $name = $client->qualified($room);
    my ($watcher, $member) = ($client->socket, $client->socket);
    $watcher->{watches} = 1;
    my $before = $client->publish($room, 'before', {})->{json}{id};
    my $missed = $client->publish($room, 'missed', {})->{json}{id};
    $watcher->send_json({ type => 'subscribe', channels => [ $name, 'quiet' ], since => $before });
    # What was missed comes before the lists, or after them as something new where
    # this child had not come to it yet.
    my @said = map { $watcher->message } 1 .. 4;
    my ($missed_at) = grep { ($said[$_]{event} // '') eq 'missed' } 0 .. 3;
    my ($lost) = splice @said, $missed_at // 3, 1;
    is_deeply [ map { $_->{event} // $_->{type} } @said, $lost ], [qw(subscribed wps.presence wps.presence missed)],
        "${how}subscribed, what was missed, and a list for each channel";
    is_deeply $said[1], { type => 'message', channel => $room, event => 'wps.presence', data => { action => 'sync', members => [] } },
        "${how}a sync, under the bare name, without an id, also when it is empty";

    enter($member, $name, { a => { b => [ 1, "x\n" ] } });
    my $join = $watcher->message;
    my $id = $join->{data}{id};
    is_deeply $join, { type => 'message', channel => $room, event => 'wps.presence',
        data => { action => 'join', id => $id, state => { a => { b => [ 1, "x\n" ] } } } }, "${how}join";
    like $id, qr/\A\w+\z/, "${how}the id is text";
    enter($member, $room, { a => 2 });
    is_deeply $watcher->message->{data}, { action => 'join', id => $id, state => { a => 2 } }, "${how}a change is a join, too";

    my $late = $client->socket;
    $late->{watches} = 1;
    $late->subscribe([$room]);
    is_deeply $late->message->{data}, { action => 'sync', members => [ { id => $id, state => { a => 2 } } ] },
        "${how}who comes later has the list";
    $late->subscribe([$room]);
    is_deeply [ fence($late) ], [], "${how}once";
    enter($member, $room, undef);
    is_deeply $_->message->{data}, { action => 'leave', id => $id }, "${how}leave" for $watcher, $late;
    enter($member, $room, { again => 1 });
    my $again = $watcher->message->{data}{id};
    $member->hang_up;
    is_deeply $watcher->message(1)->{data}, { action => 'leave', id => $again }, "${how}and when the socket closes, at once";
    $_->hang_up for $watcher, $late;
} $server;

# Rights, and what is refused.
both {
    my ($client, $how) = @_;
    my $room = channel('shop');
    my $writer = $client->socket(token => $client->token(allowed_channel_prefixes => ['none:'], allowed_publish_prefixes => [ $client->qualified('shop') ]));
    my $reader = $client->socket(token => $client->token(allowed_publish_prefixes => []));
    my $roster = WordSocket::Roster->new($reader, $room);
    $reader->subscribe([$room]);
    enter($writer, $room, { shopper => 1 });
    ok settled(5, sub { $_[0]->states eq '{"shopper":1}' }, $roster),
        "${how}who may send enters a channel it cannot read";
    enter($reader, $room, {});
    is codes($reader), 'publish_forbidden', "${how}who may only read does not";
    enter($writer, 'wps:connections', {});
    is codes($writer), 'publish_forbidden', "${how}nobody enters wps:";
    enter($writer, $room, $_) for 'text', [];
    $writer->send_json({ type => 'presence', channel => $room });
    is codes($writer), 'bad_message bad_message bad_message', "${how}a state is an object or null";
    enter($writer, $room, { x => 'y' x 5000 });
    is codes($writer), 'too_large', "${how}and bounded";
    enter($writer, "$room.$_", {}) for 1 .. 100;
    is codes($writer), 'presence_full', "${how}as are the channels of a connection";
    is $roster->listen_for(0.2)->states, '{"shopper":1}', "${how}what is refused changes nothing";

    $writer->send_json({ type => 'auth', token => $client->token(allowed_publish_prefixes => [ $client->qualified("$room.1") ]) });
    my @said = fence($writer);
    is scalar(grep { $_->{type} eq 'unsubscribed' && $_->{presence} && $_->{channels}[0] eq $room } @said), 1,
        "${how}a token with fewer rights takes presence away, and says so";
    ok settled(5, sub { $_[0]->states eq '' }, $roster), "${how}and watchers are told";
    is_deeply $roster->{wrong}, [], "${how}nothing was told twice";
    $_->hang_up for $writer, $reader;
} $server;

# Event streams watch, and enter by /send.
both {
    my ($client, $how) = @_;
    my $room = channel('stream');
    my ($sse, $ws) = ($client->events(channels => [$room]), $client->socket);
    my $stream = $client->decode($sse->event->{data})->{stream};
    my @rosters = map { WordSocket::Roster->new($_, $room) } $sse, $ws;
    $ws->subscribe([$room]);
    enter($ws, $room, { by => 'socket' });
    my %presence = (type => 'presence', channel => $room, state => { by => 'send' });
    is_deeply ask_send($client, $client->token, $stream, \%presence)->{json}, { ok => JSON::PP::true }, "${how}/send enters";
    ok settled(5, sub { $_[0]->states eq '{"by":"send"} {"by":"socket"}' }, @rosters), "${how}and all watch";
    $sse->hang_up;
    ok settled(3, sub { $_[0]->states eq '{"by":"socket"}' }, $rosters[1]), "${how}who leaves with its stream";
    is ask_send($client, $client->token, $stream, { %presence, channel => 'wps:x' })->{json}{error}, 'publish_forbidden', "${how}refused as over a socket";

    # A poll's presence lasts as long as it polls.
    my $poll = $client->poll(channels => [$room])->{json};
    ask_send($client, $client->token, $poll->{stream}, \%presence);
    ok settled(5, sub { $_[0]->states eq '{"by":"send"} {"by":"socket"}' }, $rosters[1]), "${how}a poll enters";
    my $next = $client->get('/poll?' . WordSocket::Client::query(token => $client->token, channels => $room, stream => $poll->{stream}))->{json};
    is $next->{stream}, $poll->{stream}, "${how}and stays who it is";
    ask_send($client, $client->token, $next->{stream}, { %presence, state => undef });
    ok settled(5, sub { $_[0]->states eq '{"by":"socket"}' }, $rosters[1]), "${how}it leaves";
    is_deeply $_->{wrong}, [], "${how}nothing was told twice" for @rosters;
    $ws->hang_up;
} $server;

# --- a crowd ------------------------------------------------------------------

my $client = WordSocket::Client->new($server);
my $room   = channel('crowd');
my @members  = map { $client->socket } 1 .. 200;
my @watchers = map { WordSocket::Roster->new($_ % 3 ? $client->socket(channels => [$room]) : $client->events(channels => [$room]), $room) } 1 .. 12;
my %state;    # by number of the member

sub all_see {
    my ($what, @who) = @_;
    my $want = join ' ', sort map { $client->encode($_) } values %state;
    ok settled(1 * WordSocket::Sanitizer::slowness(), sub { $_[0]->states eq $want }, @who), "$what: every list is right within a second"
        or diag scalar keys %state, ' wanted, lists of ', join ' ', map { scalar keys %{ $_->{list} } } @who;
    note sprintf '%s: %.2f s', $what, $who[0]{took};
    is_deeply [ map { @{ $_->{wrong} } } @who ], [], "$what: nothing was told twice";
    return;
}

sub now_is {
    my ($number, $state) = @_;
    enter($members[$number], $room, $state);
    defined $state ? $state{$number} = $state : delete $state{$number};
    return;
}

now_is($_, { n => $_ }) for 0 .. 199;
all_see('two hundred join', @watchers);
now_is($_, { n => $_, changed => 1 }) for map { 2 * $_ } 0 .. 99;
all_see('a hundred change', @watchers);
now_is($_, undef) for 0 .. 19;
$members[$_]->hang_up, delete $state{$_} for 20 .. 39;
all_see('forty leave', @watchers);
cmp_ok $watchers[0]{heard}, '>=', 340, 'of each change a watcher was told';
is_deeply [ grep { $_ > 1 } map { $_->{syncs} } @watchers ], [], 'without a second list';

# The parent reports the death, and whoever takes a lock of the dead says so.
$server->announce(qr/child pid \d+ exit signal Killed \(9\)/, maybe => 1);
$server->announce(qr/wordsocket:warn/, maybe => 1);

for my $round (1, 2) {
    # One that has some: the kernel hands them out as it likes, and who came in
    # the place of the dead has none.
    my ($child) = map { $_->{pid} } sort { $b->{connections} <=> $a->{connections} } @{ status_of($server)->{slots} };
    kill 'KILL', $child;
    $server->wait_for(5, sub { !grep { $_ == $child } $server->children });
    # Whose socket ends was on it, once the kernel has closed what it held.
    select undef, undef, undef, 0.25 * WordSocket::Sanitizer::slowness();
    my ($lost, @there) = (0);
    for my $number (40 .. 199) {
        my $member = $members[$number];
        next if $member->{ended};
        $member->fill(time + 1) while !$member->{ended} && IO::Select->new($member->{socket})->can_read(0);
        next if !$member->{ended};
        $lost++;
        delete $state{$number};
    }
    $_->listen_for(0.001) for @watchers;
    @watchers = grep { !$_->{reader}{ended} } @watchers;
    # The kernel may have given all of them to the same child.
    push @watchers, WordSocket::Roster->new($client->socket(channels => [$room]), $room) if !@watchers;
    cmp_ok $lost, '>=', 1, "child $child had $lost members";
    all_see("child $round killed", @watchers);
}
my $fresh = WordSocket::Roster->new($client->socket(channels => [$room]), $room);
all_see('who comes now', $fresh);

$_->hang_up for @members;
%state = ();
all_see('all gone', $fresh, @watchers);
$server->stop;
done_testing;
