# SPDX-License-Identifier: Apache-2.0
# Subscribing: what is granted, what is refused, and what comes in which order.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Talk;

my $server = WordSocket::Server->shared;

# Both spellings, and the way back.
both {
    my ($client, $how) = @_;
    my ($one, $two) = (channel('one'), channel('two'));
    my $ws = $client->socket;
    my $said = $ws->subscribe([ $one, $client->qualified($two) ]);
    is_deeply $said->{channels}, [ $one, $two ], "${how}both spellings are granted, under the bare name";
    like $said->{id}, qr/\A[0-9a-f]{12}-\d+\z/, "${how}and where the log is, is told";

    my $id = $client->publish($client->qualified($one), 'e', { n => 1 })->{json}{id};
    my ($got) = $ws->messages(1);
    is_deeply $got, { type => 'message', channel => $one, event => 'e', data => { n => 1 }, id => $id },
        "${how}what is published under the other spelling comes, under the bare name";
    cmp_ok number_of($id), '>', number_of($said->{id}), "${how}with a higher id than the subscription's";
    $client->publish($two, 'e', { n => 2 });
    is +($ws->messages(1))[0]{data}{n}, 2, "${how}the other channel delivers too";

    $ws->send_json({ type => 'unsubscribe', channels => [ $client->qualified($one), 'never.was' ] });
    is_deeply $ws->message(undef, 'unsubscribed'), { type => 'unsubscribed', channels => [$one] },
        "${how}unsubscribed in the other spelling";
    $client->publish($one, 'e', { n => 3 });
    is_deeply [ until_marker($client, $ws, $two) ], [], "${how}and nothing more comes of it";
    $ws->hang_up;
} $server;

# Refused channels: the rest goes through.
both {
    my ($client, $how) = @_;
    my $mine  = channel('mine');
    my $token = $client->token(allowed_channel_prefixes => [ $client->qualified('mine'), 'chat:' ]);
    my $ws    = $client->socket(token => $token);
    my @bad   = ('secret', $client->qualified('secret'), 'site:' . '0' x 64 . ':mine', '', 'a,b', "x\ny", 'n' x 201);
    $ws->send_json({ type => 'subscribe', channels => [ $mine, @bad, 'chat:room-1' ] });
    my @said = fence($ws);
    is_deeply [ map { $_->{type} } @said ], [qw(subscribed error)], "${how}subscribed first, then what is refused";
    is_deeply $said[0]{channels}, [ $mine, 'chat:room-1' ], "${how}the granted ones are listed, and no other";
    is $said[1]{code}, 'channel_forbidden', "${how}never unauthorized";
    is_deeply $said[1]{channels}, \@bad, "${how}the refused ones as they were spelled";
    ok length $said[1]{message}, "${how}with a text";
    $client->publish($_, 'e', {}) for 'secret', $mine;
    is_deeply [ map { $_->{channel} } until_marker($client, $ws, 'chat:room-1') ], [$mine],
        "${how}what was refused is not delivered";

    $ws->send_json({ type => 'subscribe', channels => ['secret'] });
    @said = fence($ws);
    is_deeply [ $said[0]{channels}, $said[1]{code} ], [ [], 'channel_forbidden' ], "${how}nothing granted is an empty list";
    $ws->hang_up;
} $server;

# A prefix is compared with the name as given, too; never beyond the site.
{
    my $client = WordSocket::Client->new($server);
    my $ws = $client->socket(token => $client->token(allowed_channel_prefixes => ['chat:']));
    is_deeply $ws->subscribe([ 'chat:a', $client->qualified('chat:b') ])->{channels}, ['chat:a'],
        'a bare prefix reaches the bare spelling only';
    $ws->hang_up;
}

# Twice is once.
{
    my $client = WordSocket::Client->new($server);
    my ($one, $two) = (channel(), channel());
    my $ws = $client->socket;
    is_deeply $ws->subscribe([ $one, $one, $client->qualified($one) ])->{channels}, [$one],
        'a name that stands there three times is listed once';
    is_deeply $ws->subscribe([ $one, $two ])->{channels}, [ $one, $two ], 'subscribing again is granted again';
    $client->publish($one, 'e', {});
    is scalar(until_marker($client, $ws, $two)), 1, 'and delivers once';
    $ws->send_json({ type => 'subscribe', channels => [ 'a,b', 'a,b' ] });
    is_deeply +(fence($ws))[1]{channels}, ['a,b'], 'a refused one is told once, too';
    $ws->send_json({ type => 'unsubscribe', channels => [ $one, $one ] });
    is_deeply $ws->message(undef, 'unsubscribed')->{channels}, [$one], 'and once it is gone it is gone';
    $ws->hang_up;
}

# Order after a granted subscribe: subscribed, gap, replay, live.
both {
    my ($client, $how) = @_;
    my $name = channel();
    my @ids  = map { $client->publish($name, 'old', { n => $_ })->{json}{id} } 1 .. 3;
    my $ws   = $client->socket;
    $ws->send_json({ type => 'subscribe', channels => [$name], since => $ids[0] });
    my @said = fence($ws);
    push @said, $ws->messages(3 - @said) if @said < 3;
    is_deeply [ map { $_->{type} eq 'message' ? $_->{data}{n} : $_->{type} } @said ], [ 'subscribed', 2, 3 ],
        "${how}subscribed, then what was missed";
    $ws->hang_up;

    $ws = $client->socket;
    $ws->send_json({ type => 'subscribe', channels => [$name], since => 'f' x 12 . '-7' });
    is $ws->message->{type}, 'subscribed', "${how}from an unknown place: subscribed";
    my $gap = $ws->message;
    is_deeply [ @$gap{qw(type since)} ], [ 'gap', 'f' x 12 . '-7' ], "${how}then the gap";
    cmp_ok number_of($gap->{oldest}), '<', number_of($ids[0]), "${how}oldest is the place before what is left";
    $client->publish($name, 'new', { n => 4 });
    is_deeply [ map { $_->{data}{n} } $ws->messages(4) ], [ 1 .. 4 ], "${how}then what is left, then what is new";
    $ws->hang_up;
} $server;

# What is no message.
my @malformed = (
    'no JSON' => 'hello', 'half of it' => '{"type":', 'a list' => '[]', 'a text' => '"subscribe"', 'nothing' => '',
    'no type' => '{}', 'an unknown type' => '{"type":"dance"}', 'a type that is a number' => '{"type":1}',
    'a type in capitals' => '{"type":"PONG"}', 'a member twice' => '{"type":"pong","type":"pong"}',
    'something behind it' => '{"type":"pong"}x', 'subscribe without channels' => '{"type":"subscribe"}',
    'channels that are a text' => '{"type":"subscribe","channels":"a"}',
    'channels that are numbers' => '{"type":"subscribe","channels":[1]}',
    'a since that is a number' => '{"type":"subscribe","channels":["a"],"since":7}',
    'unsubscribe without channels' => '{"type":"unsubscribe"}',
    'unsubscribe of a number' => '{"type":"unsubscribe","channels":[null]}',
    'a message without channel' => '{"type":"message","event":"e"}',
    'a message without event' => '{"type":"message","channel":"c"}',
    'an event that is a number' => '{"type":"message","channel":"c","event":1}',
    'presence without channel' => '{"type":"presence","state":{}}',
    'a nesting without end' => '{"type":"pong","x":' . '[' x 5000 . ']' x 5000 . '}',
    'a type with a NUL' => '{"type":"pong\u0000"}',
);
{
    my $client = WordSocket::Client->new($server);
    my $ws;
    while (my ($name, $text) = splice @malformed, 0, 2) {
        $ws = $client->socket;
        $ws->send_text($text);
        is codes($ws), 'bad_message', "$name is a bad message, and the connection stays";
        $ws->hang_up;
    }
    $ws = $client->socket;
    $ws->send_text(qq({"type":"subscribe","channels":[],"since":null,"more":{"unknown":1}}));
    is codes($ws), 'subscribed', 'unknown members do no harm, nor does a since of null';
}

# Ten of them within a minute.
both {
    my ($client, $how) = @_;
    my $ws = $client->socket;
    $ws->send_text('{}') for 1 .. 9;
    is codes($ws), join(' ', ('bad_message') x 9), "${how}nine bad messages are told, and the connection stays";
    $ws->send_text('{}');
    is $ws->message->{code}, 'bad_message', "${how}the tenth is told";
    is $ws->close_code, 1008, "${how}and closes with 1008";
    $ws->send_close(1008);
    ok $ws->ends, "${how}the connection ends";
} $server;

# Frames that came with the handshake, in one segment.
both {
    my ($client, $how) = @_;
    my $name = channel();
    my $frame = sub { WordSocket::Frames::frame(payload => $client->encode($_[0])) };
    my $ws = $client->socket(early => $frame->({ type => 'subscribe', channels => [$name] })
            . $frame->({ type => 'message', channel => $name, event => 'early', data => {} }));
    is_deeply $ws->message(undef, 'subscribed')->{channels}, [$name], "${how}a subscribe right behind the handshake";
    is +($ws->messages(1))[0]{event}, 'early', "${how}and a message right behind that";
    $ws->hang_up;

    $ws = $client->socket(early => join '', map { $frame->({ type => 'subscribe', channels => ["$name.$_"] }) } 1 .. 90);
    my @said = map { $ws->message } 1 .. 90;
    is_deeply [ map { $_->{channels}[0] } @said ], [ map { "$name.$_" } 1 .. 90 ], "${how}ninety of them";
    $ws->hang_up;
} $server;

$server->stop;

# Limits: small ones, on a server of its own.
my $small = server_with("WordSocketMaxChannels 3\nWordSocketMaxMessage 4K\n");
both {
    my ($client, $how) = @_;
    my $ws = $client->socket(channels => [qw(a b)]);
    $ws->send_json({ type => 'subscribe', channels => [qw(c d)] });
    is codes($ws), 'too_many_channels', "${how}the fourth channel is one too many";
    is_deeply $ws->subscribe(['e'])->{channels}, ['e'], "${how}nothing of that list was kept";
    $client->publish('c', 'e', {});
    is_deeply [ until_marker($client, $ws, 'a') ], [], "${how}and nothing of it is delivered";
    is_deeply $ws->subscribe([qw(a b e)])->{channels}, [qw(a b e)], "${how}those that are there may be named again";
    $ws->send_json({ type => 'subscribe', channels => [ map { "x$_" } 1 .. 13 ] });
    is codes($ws), 'too_many_channels', "${how}so is an endless list";
    $ws->hang_up;

    $ws = $client->socket;
    my @good = ('n' x 200, "\xc3\xa9" x 100, "\xf0\x9f\x98\x80 {\"}\\");
    my @list = map { my $copy = $_; utf8::decode($copy); $copy } @good;
    is_deeply $ws->subscribe(\@list)->{channels}, \@list, "${how}names of 200 bytes, of any characters";
    $client->publish($_, 'e', {}) for @list;
    is_deeply [ map { $_->{channel} } $ws->messages(3) ], \@list, "${how}deliver under that very name";
    $ws->hang_up;

    my $text = '{"type":"subscribe","channels":["a"],"x":""}';
    my $full = $text =~ s/""/'"' . 'x' x (4096 - length $text) . '"'/er;
    $ws = $client->socket;
    $ws->send_text($full);
    is codes($ws), 'subscribed', "${how}a message of just the largest size";
    $ws->send_text($full =~ s/xx/xxx/r);
    is $ws->close_code, 1009, "${how}one byte more closes with 1009";
    $ws->hang_up;

    $ws = $client->socket;
    $ws->send_frame(payload => 'x' x 3000, fin => 0);
    $ws->send_frame(payload => 'x' x 1097, opcode => 0);
    is $ws->close_code, 1009, "${how}also in two fragments";
    $ws->hang_up;
} $small;
$small->stop;

done_testing;
