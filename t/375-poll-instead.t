# SPDX-License-Identifier: Apache-2.0
# A poll in the place of a socket: with a state it is given who is present, the
# number of connections and binary frames, each once, as somebody with a socket is.
use v5.30;
use warnings;
use lib 't/lib';
use MIME::Base64 qw(decode_base64);
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Talk;

my $site   = WordSocket::Server::default_site();
my $second = { %$site, site_key => 'second' };
my $server = server_with('', sites => [ $site, $second ], children => 4);

# A client that polls, and remembers what each answer tells it to.
sub poller {
    my ($client, @channels) = @_;
    return { client => $client, channels => \@channels, state => '', token => $client->token };
}

sub polls {
    my ($self, %option) = @_;
    my $answer = $self->{client}->get('/poll?' . WordSocket::Client::query(
        token => $self->{token}, channels => join(',', @{ $self->{channels} }),
        map({ defined $self->{$_} ? ($_ => $self->{$_}) : () } qw(since state stream)), binary => 1, %option));
    my $json = $answer->{json} // die "no JSON: $answer->{status} $answer->{content}\n";
    @$self{qw(since state stream)} = @$json{qw(cursor state stream)};
    return $json;
}

sub frame { my ($channel, $bytes) = @_; pack('n/a* a*', $channel, $bytes) }
sub frames_of  { [ map { decode_base64($_->{binary}) } grep { defined $_->{binary} } @{ $_[0]{messages} } ] }
sub presence_of { +{ map { $_->{channel} => $_->{data}{members} } grep { ($_->{event} // '') eq 'wps.presence' } @{ $_[0]{messages} } } }

sub send_by {
    my ($self, $type, $content) = @_;
    return $self->{client}->request(POST => '/send', content => $content, headers => {
        'Content-Type' => $type, Authorization => "Bearer $self->{token}", 'X-WordSocket-Stream' => $self->{stream} });
}

both {
    my ($client, $how) = @_;
    my ($room, $else) = (channel(), channel());
    my ($a, $b) = map { poller($client, $room, $client->qualified($else)) } 1 .. 2;
    my $first = polls($a);
    is_deeply presence_of($first), { $room => [], $else => [] }, "${how}the first poll has the list of each channel, empty too";
    is_deeply frames_of($first), [], "${how}and no frames";
    like $first->{state}, qr/\A[0-9a-f]{12}-\d+\.[0-9a-f]{12}-\d+\z/, "${how}and says how far it is";
    ok !exists $first->{lost}, "${how}with nothing lost";
    is_deeply polls($a)->{messages}, [], "${how}the second has nothing, for nothing is new";
    is_deeply [ sort keys %{ presence_of(polls($a, state => $a->{state} =~ s/.*(?=\.)//r)) } ], [ sort $room, $else ],
        "${how}who leaves the first half of the state out gets the lists again";
    polls($b);

    # Presence: of one with a socket, of one who polls.
    my $ws = $client->socket(channels => [$room]);
    $ws->send_json({ type => 'presence', channel => $room, state => { name => 'Ada' } });
    ok $server->wait_for(5, sub { @{ presence_of(polls($a))->{$room} // [] } == 1 }), "${how}who enters over a socket is seen";
    is_deeply polls($a)->{messages}, [], "${how}and told once";
    is send_by($b, 'application/json', $client->encode({ type => 'presence', channel => $else, state => { name => 'Bob' } }))->{status}, 200,
        "${how}who polls enters by /send";
    my $seen = presence_of(polls($a));
    is_deeply [ map { $_->{state}{name} } map { @$_ } @$seen{ $room, $else } ], [qw(Ada Bob)], "${how}and is seen by who polls, with the lists that are the truth now";
    $ws->hang_up;
    ok $server->wait_for(5, sub { my $lists = presence_of(polls($a)); exists $lists->{$room} && !@{ $lists->{$room} } }),
        "${how}who hangs up is gone from the list";

    # Binary frames: from a socket, from a poll; none comes twice, none to its sender.
    $ws = $client->socket(channels => [$room]);
    my @said = map { frame($room, "socket $_") } 1 .. 3;
    $ws->send_binary($_) for @said;
    $ws->send_json({ type => 'message', channel => 'fence', event => 'e', data => {}, ref => 1 });
    $ws->message(5, 'ack');
    is_deeply frames_of(polls($a)), \@said, "${how}frames of a socket, byte for byte and in order";
    is_deeply frames_of(polls($a)), [], "${how}once";
    my $own = frame($client->qualified($room), "poll\0\xff");
    is send_by($b, 'application/octet-stream', $own)->{status}, 200, "${how}one who polls sends";
    is_deeply frames_of(polls($a)), [$own], "${how}to others who poll, with the name as it was given";
    is_deeply frames_of(polls($b)), \@said, "${how}not to itself, which had others' to get";
    my $got = $ws->receive(5);
    is $got->{payload}, $own, "${how}and to who has a socket";
    send_by($b, 'application/octet-stream', frame('other', 'x'));
    is_deeply frames_of(polls($a)), [], "${how}nothing of other channels";
    $client->publish($room, 'e', 'text');
    my $mixed = polls($a);
    is_deeply [ map { $_->{data} } grep { defined $_->{id} } @{ $mixed->{messages} } ], ['text'], "${how}messages come beside";
    is_deeply polls($a, binary => 0)->{messages}, [], "${how}and no frames for who does not ask for them";
    $ws->hang_up;
} $server;

# A lease that is renewed is the same sender and the same member.
{
    my $client = WordSocket::Client->new($server);
    my $one = poller($client, 'lease');
    polls($one);
    my $old = $one->{stream};
    send_by($one, 'application/octet-stream', frame('lease', 'mine'));
    sleep 17;
    polls($one, binary => 0);
    isnt $one->{stream}, $old, 'a lease half over is renewed';
    is substr($one->{stream}, 8, 8), substr($old, 8, 8), 'and is known as the same';
    send_by($one, 'application/octet-stream', frame('lease', 'mine, too'));
    is_deeply frames_of(polls($one)), [], 'its frames are its own, before and after';
}

# Counts, and what may not be read.
{
    my $client = WordSocket::Client->new($server);
    my $who = poller($client, 'wps:connections');
    my $ws = $client->socket(channels => ['x']);
    my ($count) = grep { $_->{event} eq 'wps.connections' } @{ polls($who)->{messages} };
    is_deeply $count, { channel => 'wps:connections', event => 'wps.connections',
        data => { active_connections => 1, max_connections => 5000 } }, 'the number of connections, for who may read it';
    $ws->hang_up;
    my $narrow = poller($client, 'open', 'secret');
    $narrow->{token} = $client->token(allowed_channel_prefixes => [ $client->qualified('open') ]);
    polls($narrow);
    my $sender = poller($client, 'open');
    polls($sender);
    send_by($sender, 'application/octet-stream', frame($_, 'x')) for qw(open secret);
    send_by($sender, 'application/json', $client->encode({ type => 'presence', channel => $_, state => {} })) for qw(open secret);
    my $answer = polls($narrow);
    is_deeply frames_of($answer), [ frame('open', 'x') ], 'no frames of a channel that may not be read';
    is_deeply [ keys %{ presence_of($answer) } ], ['open'], 'nor who is there';
    my $other = poller(WordSocket::Client->new($server, site => $second), 'open');
    polls($other);
    is_deeply frames_of(polls($other)), [], 'and nothing of another site';
}

# What cannot be given any more: said once, so that the client starts over.
{
    my $client = WordSocket::Client->new($server);
    my ($slow, $sender) = map { poller($client, 'big') } 1 .. 2;
    polls($_) for $slow, $sender;
    send_by($sender, 'application/octet-stream', frame('big', chr(64 + $_) x 900_000)) for 1 .. 6;
    my $answer = polls($slow);
    is $answer->{lost}, JSON::PP::true, 'frames that are gone are said to be lost';
    ok @{ frames_of($answer) } >= 1, 'and what is left is given';
    my $more = 0;
    while (@{ frames_of($answer = polls($slow)) }) { $more++ < 10 or last }
    ok !exists $answer->{lost} && $more < 10, 'then all is well again';
    $slow->{state} = $_, ok(polls($slow)->{state}, "a state that is none of ours: '$_'") for 'x', '.', 'a.b', '0' x 500;
    my %counter = %{ WordSocket::Client->decode(HTTP::Tiny->new->get('http://' . $server->address . '/status?json')->{content})->{counters} };
    cmp_ok $counter{delivered_binary}, '>=', 8, 'frames are counted';
    cmp_ok $counter{delivered_presence}, '>=', 8, 'and lists';
}

# Poll mode of an event stream: who is there, each time it comes.
{
    my $off = server_with("WordSocketAdopt Off\n");
    my $client = WordSocket::Client->new($off);
    my $bob = poller($client, 'room');
    polls($bob);
    send_by($bob, 'application/json', $client->encode({ type => 'presence', channel => 'room', state => { name => 'Bob' } }));
    my $events = $client->get('/sse?' . WordSocket::Client::query(token => $client->token, channels => 'room,wps:connections'))->{content};
    like $events, qr/^data: \{"channel":"room","event":"wps\.presence","data":\{"action":"sync","members":\[\{"id":"[0-9a-f]{16}","state":\{"name":"Bob"\}\}\]\}\}$/m,
        'poll mode has the list';
    like $events, qr/^data: \{"channel":"wps:connections","event":"wps\.connections",/m, 'and the number of connections';
    $off->stop;
}

$server->stop;
done_testing;
