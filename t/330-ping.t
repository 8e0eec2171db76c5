# SPDX-License-Identifier: Apache-2.0
# Signs of life: JSON pings with the place the log is at, events that have only
# an id, the silence that ends a connection, and protocol pings.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Talk;

my $server = server_with("WordSocketPing 1s\nWordSocketIdleTimeout 3s\n");

# The next JSON ping, answered or not.
sub next_ping {
    my ($ws, $seconds, $silent) = @_;
    my $deadline = time + $seconds;
    while (my $frame = $ws->receive($deadline - time)) {
        next if $frame->{opcode} != 1 || $frame->{payload} !~ /"type":"ping"/;
        $ws->send_text('{"type":"pong"}') if !$silent;
        return WordSocket::Client->decode($frame->{payload});
    }
    return;
}

both {
    my ($client, $how) = @_;
    my $ws = $client->socket(channels => ['quiet']);
    my $ping = next_ping($ws, 3);
    is_deeply $ping, { type => 'ping', id => $ping->{id} }, "${how}a ping is JSON, with an id";
    is $ping->{id}, $ws->{subscribed}{id}, "${how}the same as long as nothing is published";
    my $id = $client->publish('busy', 'e', {})->{json}{id};
    $ping = next_ping($ws, 3);
    $ping = next_ping($ws, 3) if $ping->{id} eq $ws->{subscribed}{id};    # was on its way
    is $ping->{id}, $id, "${how}and that of what was published elsewhere";
    my $from = time;
    next_ping($ws, 3) for 1 .. 3;
    my $took = time - $from;
    ok $took > 1.9 && $took < 4.2, "${how}pings come every WordSocketPing" or diag $took;
    is codes($ws), '', "${how}who answers them stays beyond the idle timeout";
    $ws->hang_up;

    my $sse = $client->events(channels => ['quiet']);
    is $sse->event->{event}, 'wps.open', "${how}a stream is opened";
    is_deeply $sse->event, { id => $id, data => undef }, "${how}with an event that has only an id: the place it starts from";
    my $next = $client->publish('busy', 'e', {})->{json}{id};
    my $place = $sse->event(3);
    $place = $sse->event(3) if $place && $place->{id} eq $id;             # was on its way
    is_deeply $place, { id => $next, data => undef }, "${how}and is kept alive by another, with the place now";
    $from = time;
    $sse->event(3) for 1 .. 3;
    $took = time - $from;
    ok $took > 1.9 && $took < 4.2, "${how}every WordSocketPing" or diag $took;
    is $sse->{comments}, undef, "${how}without comments";
    ok !$sse->{ended}, "${how}a stream has nothing to answer, and stays";
    $sse->hang_up;
} $server;

# Silence.
{
    my @silent;
    both { push @silent, $_[0]->socket(channels => ['quiet']) } $server;
    my $from = time;
    for my $ws (@silent) {
        is $ws->close_code(8), 1001, 'who says nothing at all is closed with 1001';
        my $took = time - $from;
        ok $took > 2 && $took < 5.5, 'after WordSocketIdleTimeout' or diag $took;
        $ws->send_close(1001);
        ok $ws->ends(5), 'and the connection ends';
    }
}

# Any frame is a sign of life: a pong nobody asked for, a protocol ping, and
# parts of a message.
{
    my %life = (
        'an unasked pong' => sub { $_[0]->send_frame(opcode => 10, payload => 'x') },
        'a protocol ping' => sub { $_[0]->send_frame(opcode => 9, payload => 'x') },
        'a fragment'      => sub { $_[0]->send_frame(payload => 'x', opcode => $_[1] ? 0 : 1, fin => 0) },
    );
    my %ws = map { $_ => WordSocket::Client->new($server)->socket } sort keys %life;
    for my $turn (0 .. 5) {
        $life{$_}->($ws{$_}, $turn) for sort keys %life;
        sleep 1;
    }
    for my $name (sort keys %life) {
        my $ws = $ws{$name};
        $ws->send_frame(opcode => 9, payload => 'last');
        my ($last, $closed);
        while (my $frame = $ws->receive(5)) {
            $closed = 1 if $frame->{opcode} == 8;
            last if $last = $frame->{opcode} == 10 && $frame->{payload} eq 'last';
        }
        ok $last && !$closed, "$name is a sign of life";
        $ws->hang_up;
    }
}

both {
    my ($client, $how) = @_;
    my $ws = $client->socket;
    for my $payload ('', 'x' x 125, "\0\xff") {
        $ws->send_frame(opcode => 9, payload => $payload);
        my $frame;
        do { $frame = $ws->receive } while $frame && $frame->{opcode} == 1;
        is_deeply [ @$frame{qw(opcode payload)} ], [ 10, $payload ], "${how}a protocol ping is answered with its payload";
    }
    $ws->send_text('{"type":"pong"}');
    is codes($ws), '', "${how}a JSON pong is not answered";
    $ws->hang_up;
} $server;

$server->stop;
done_testing;
