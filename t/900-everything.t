# SPDX-License-Identifier: Apache-2.0
# A little of everything with few connections, for the tools that make httpd
# slow and look closely: build/check runs it under valgrind, ASan and TSan.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Crowd;
use WordSocket::Sanitizer;
use WordSocket::Server;

my $slow = WordSocket::Sanitizer::slowness();

# --- who follows the rules ----------------------------------------------------

sub crowd_hears {
    my ($server, $what) = @_;
    my $swarm = swarm($server, ws => 20, sse => 20, wss => 10, sses => 10, users => 3,
        publish => 60, lanes => 2, channels => 2, fresh => 1, seconds => 40 * $slow, settle => 10 * $slow);
    ok $swarm->ready(20 * $slow), "$what: sixty are subscribed" or return $swarm->end;
    is_clean($swarm->report(50 * $slow), $what);
    return;
}

sub one_of_each {
    my ($client, $what) = @_;
    my $ws = $client->socket(channels => ['events', 'news']);
    is $client->publish('events', 'post.updated', { id => 1 })->{status}, 200, "$what: a publish is taken";
    my ($message) = $ws->messages(1);
    is $message->{event}, 'post.updated', "$what: and heard";
    $ws->send_json({ type => 'auth', token => $client->token(exp => time + 900) });
    ok $ws->message(undef, 'auth_ok'), "$what: a token is renewed";
    $ws->send_json({ type => 'message', channel => 'events', event => 'hello', data => [ 1, 2, 3 ] });
    $ws->send_binary(WordSocket::Frames::channel_frame('events', "\0\1\2"));
    $ws->send_json({ type => 'unsubscribe', channels => ['news'] });
    ok $ws->message(undef, 'unsubscribed'), "$what: a channel is left";
    $ws->send_close(1000);
    is $ws->close_code, 1000, "$what: and the connection closed";

    my $since = $message->{id};
    $client->publish('events', 'later', "\x{e9}" x 3000) for 1 .. 3;
    my $back = $client->socket(channels => ['events'], since => $since);
    is scalar($back->messages(3)), 3, "$what: what came meanwhile is replayed";
    my $stream = $client->events(since => $since);
    is scalar($stream->messages(3)), 3, "$what: and over an event stream";
    is $client->poll(since => $since)->{status}, 200, "$what: and by polling";
    is $client->stats->{status}, 200, "$what: statistics";
    return;
}

# --- who does not ---------------------------------------------------------------

sub bad_requests {
    my ($client, $what) = @_;
    is $client->publish_body('{', sign => $_)->{status} >= 400, 1, "$what: a publish signed '$_'"
        for '', 'x' x 64, '0' x 64, '0' x 5000;
    is $client->publish_body($_)->{status} >= 400, 1, "$what: a body of " . length
        for '', '{', '[' x 2000, '{"channel":7}', '{"channel":"events","event":"\ud800"}', "\xff" x 100;
    is $client->get("/ws?token=$_")->{status} >= 400, 1, "$what: no WebSocket for " . substr $_, 0, 10
        for '', 'a.b.c', '.' x 4000, $client->token(exp => 1), $client->token(v => 'x');
    is $client->get("/sse?$_")->{status} >= 400, 1, "$what: no event stream for " . substr $_, 0, 10
        for '', 'token=%', 'channels=' . 'a,' x 500;
    is $client->get($_)->{status} >= 400, 1, "$what: nothing at $_" for '/none', '/%00', '/ws/../x';
    return;
}

sub bad_frames {
    my ($client, $what) = @_;
    my @bad = (
        [ 'no JSON',          text   => '{"type":' ],
        [ 'deep JSON',        text   => '[' x 3000 ],
        [ 'an unknown type',  text   => '{"type":"x"}' ],
        [ 'channels of none', text   => '{"type":"subscribe","channels":[7,null,{}]}' ],
        [ 'no UTF-8',         text   => "\xc0\x80" ],
        [ 'a short binary',   binary => "\0" ],
        [ 'a long name',      binary => "\xff\xff" . 'x' x 900 ],
        [ 'no mask',          frame  => { payload => 'x', mask => 0 } ],
        [ 'reserved bits',    frame  => { payload => 'x', rsv => 7 } ],
        [ 'far too much',     frame  => { payload => 'x', size => 64, length => 1 << 40 } ],
    );
    for my $bad (@bad) {
        my ($name, $how, $value) = @$bad;
        my $ws = $client->socket(channels => ['events']);
        $how eq 'frame' ? $ws->send_frame(%$value)
            : $how eq 'text' ? $ws->send_text($value)
            :                  $ws->send_binary($value);
        ok $ws->receive(10 * $slow), "$what: $name is answered";
    }
    # And one that says nothing more at all, in the middle of a frame.
    my $ws = $client->socket(channels => ['events']);
    $ws->send_bytes(substr WordSocket::Frames::frame(payload => 'x' x 50), 0, 20);
    return;
}

# --- the servers -------------------------------------------------------------------

for my $one_process (1, 0) {
    my $name = $one_process ? 'one process' : 'two children';
    my $server = crowd_server(children => $one_process ? 1 : 2, threads => 8, one_process => $one_process);
    for my $tls (0, 1) {
        my $client = WordSocket::Client->new($server, tls => $tls, keep_alive => 0);
        my $what = $name . ($tls ? ' over TLS' : '');
        one_of_each($client, $what);
        bad_requests($client, $what);
        bad_frames($client, $what);
    }
    crowd_hears($server, $name);
    if (!$one_process) {
        my $held = swarm($server, ws => 10, sse => 10, wss => 5, sses => 5, publish => 20, fresh => 1,
            wait => 1, seconds => 60 * $slow, settle => 20 * $slow);
        ok $held->ready(20 * $slow), 'thirty are there before a graceful restart';
        $held->command('publish');
        ok $server->graceful, 'a new generation serves';
        is_clean($held->report(60 * $slow), 'a graceful restart');
        crowd_hears($server, 'after it');
    }
    $server->stop;
}
done_testing;
