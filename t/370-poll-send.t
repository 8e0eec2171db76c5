# SPDX-License-Identifier: Apache-2.0
# Without a connection of one's own: asking by /poll, sending by /send.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Talk;

my $site   = WordSocket::Server::default_site();
my $second = { %$site, site_key => 'second' };
my $server = server_with("WordSocketMaxMessage 8K\n", sites => [ $site, $second ]);

sub stream_of { $_[0]->poll(@_[ 1 .. $#_ ])->{json}{stream} }

# A lease to look at again at the end, when it has run out.
my $early = WordSocket::Client->new($server);
my ($lease, $leased) = (stream_of($early), time);

# Polls.
both {
    my ($client, $how) = @_;
    my ($one, $two) = (channel(), channel());
    my $ask = sub { $client->poll(channels => [ $one, $client->qualified($two) ], @_) };
    $client->publish($one, 'e', 'before');
    my $first = $ask->();
    my $json  = $first->{json};
    is_deeply [ sort keys %$json ], [qw(cursor messages retry stream)], "${how}a poll answers at once, with four members";
    is_deeply $json->{messages}, [], "${how}without since there is nothing to catch up on";
    like $json->{cursor}, qr/\A[0-9a-f]{12}-\d+\z/, "${how}a cursor";
    ok $json->{retry} >= 1000 && $json->{retry} <= 10_000, "${how}a time to wait, in milliseconds";
    like $json->{stream}, qr/\A[0-9a-f]{32}\z/, "${how}a stream";
    like $first->{headers}{'cache-control'}, qr/no-store/, "${how}not stored";
    like $first->{headers}{'content-type'}, qr{\Aapplication/json}, "${how}as JSON";
    is_deeply $ask->(since => $json->{cursor})->{json}{messages}, [], "${how}nothing new";
    my @ids = map { $client->publish($_->[0], 'e', $_->[1])->{json}{id} } [ $one, 1 ], [ 'else', 2 ], [ $two, 3 ];
    my $next = $ask->(since => $json->{cursor})->{json};
    is_deeply $next->{messages}, [
        { channel => $one, event => 'e', data => 1, id => $ids[0] }, { channel => $two, event => 'e', data => 3, id => $ids[2] } ],
        "${how}what is new, with bare names and ids";
    is $next->{cursor}, $ids[2], "${how}and the next cursor";
    isnt $next->{stream}, $json->{stream}, "${how}each poll leases anew";
    my $else = $client->publish('else', 'e', {})->{json}{id};
    is $ask->(since => $ids[2])->{json}{cursor}, $else, "${how}others' messages move the cursor on";

    my $token = $client->token(allowed_channel_prefixes => [ $client->qualified('open') ]);
    is $client->poll(token => $token, channels => [ 'open', 'secret' ])->{status}, 200, "${how}refused names are left out";
    my @refused = (
        [ 403, 'channel_forbidden', $client->poll(token => $token, channels => ['secret']) ],
        [ 400, 'invalid_channel', $client->poll(channels => []) ],
        [ 401, 'invalid_token', $client->poll(token => 'x') ],
        [ 401, 'invalid_token', $client->get('/poll?channels=a') ],
    );
    is "$_->[2]{status} $_->[2]{json}{error}", "$_->[0] $_->[1]", "${how}a poll is refused with $_->[0] $_->[1]" for @refused;
} $server;

# Sending.
both {
    my ($client, $how) = @_;
    my $name  = channel();
    my $token = $client->token;
    my $ws    = $client->socket(channels => [$name]);
    my $sse   = $client->events(channels => [$name]);
    my $open  = $client->decode($sse->event->{data})->{stream};
    my %message = (type => 'message', channel => $client->qualified($name), event => 'hi', data => { n => 1 });
    for my $stream ([ 'a poll', stream_of($client) ], [ 'an event stream', $open ]) {
        my $sent = ask_send($client, $token, $stream->[1], \%message);
        is $sent->{status}, 200, "${how}a message with the stream of $stream->[0]";
        is_deeply [ $ws->messages(1) ], [ { %message, channel => $name, id => $sent->{json}{id} } ], "${how}comes as from a socket";
        is_deeply $sent->{json}, { ok => JSON::PP::true(), id => $sent->{json}{id} }, "${how}and is answered with its id";
        is +($sse->messages(1))[0]{id}, $sent->{json}{id}, "${how}also on a stream";
        my $frame = WordSocket::Frames::channel_frame($client->qualified($name), "\0\1\xff");
        $sent = ask_send($client, $token, $stream->[1], $frame);
        is_deeply [ $sent->{status}, $sent->{json} ], [ 200, { ok => JSON::PP::true() } ], "${how}a binary frame";
        is +($ws->receive // {})->{payload}, $frame, "${how}comes byte for byte";
    }

    # The same rights as over the socket, and the same answers.
    my $stream = stream_of($client);
    my $poor   = $client->token(allowed_publish_prefixes => [ $client->qualified('mine') ]);
    my @cases = (
        [ 403, 'publish_forbidden', { %message, channel => 'theirs' } ], [ 403, 'publish_forbidden', { %message, channel => 'wps:x' } ],
        [ 403, 'publish_forbidden', WordSocket::Frames::channel_frame('theirs', 'x') ],
        [ 400, 'invalid_channel', { %message, channel => 'a,b' } ], [ 400, 'bad_message', { %message, event => '' } ],
        [ 400, 'bad_message', { %message, type => 'subscribe' } ], [ 400, 'bad_message', { channel => 'mine', event => 'e' } ],
        [ 400, 'bad_message', ['message'] ], [ 400, 'bad_message', "\0" ], [ 400, 'bad_message', '' ],
        [ 413, 'too_large', { %message, data => 'x' x 9000 } ], [ 413, 'too_large', "\0\1a" . 'x' x 9000 ],
        [ 403, 'publish_forbidden', { type => 'presence', channel => 'theirs', state => {} } ],
        [ 400, 'bad_message', { type => 'presence', channel => 'mine', state => [] } ],
    );
    for my $case (@cases) {
        my ($status, $code, $content) = @$case;
        my $sent = ask_send($client, $poor, $stream, $content);
        is "$sent->{status} $sent->{json}{error}", "$status $code", "${how}$code is $status";
    }
    is ask_send($client, $poor, $stream, { %message, channel => 'mine' })->{status}, 200, "${how}where it may send, it may";

    # Whose stream it is.
    my $other = WordSocket::Client->new($server, site => $second, tls => $client->{tls});
    my %bad = (
        'no stream' => undef, 'an empty one' => '', 'a made-up one' => 'ab' x 16, 'of zeros' => '0' x 32, 'half of one' => substr($open, 0, 16),
        'with a digit changed' => $open =~ s/(.)\z/$1 eq '0' ? 1 : 0/er, 'with another time' => 'ffffffff' . substr($stream, 8),
        'of another user' => stream_of($client, token => $client->token(user_id => '2')), 'of another site' => stream_of($other),
    );
    for my $what (sort keys %bad) {
        my $sent = ask_send($client, $token, $bad{$what}, \%message);
        is "$sent->{status} $sent->{json}{error}", '404 invalid_stream', "${how}a stream $what";
    }
    is ask_send($client, $client->token(user_id => '2'), $bad{'of another user'}, \%message)->{status}, 200, "${how}which is good for its own user";

    # The token: in Authorization, and nowhere else.
    for my $case ([ 'no token', undef, '' ], [ 'a token in the query', undef, "?token=$token" ], [ 'a bad one', 'x', '' ],
        [ 'one of another site', $other->token, '' ], [ 'one that ran out', $client->token(iat => time() - 300, exp => int(time) - 1), '' ])
    {
        my ($what, $bearer, $query) = @$case;
        my $sent = $client->request(POST => "/send$query", content => $client->encode(\%message), headers => {
            'X-WordSocket-Stream' => $stream, defined $bearer ? (Authorization => "Bearer $bearer") : () });
        my $want = $what =~ /another site/ ? '404 invalid_stream' : '401 invalid_token';
        is "$sent->{status} $sent->{json}{error}", $want, "${how}$what is refused";
    }
    is $client->request(POST => '/send', content => $client->encode(\%message),
        headers => { 'X-WordSocket-Stream' => $stream, Authorization => "Basic $token" })->{status}, 401, "${how}so is another scheme";
    is $client->get('/send')->{status}, 405, "${how}GET is not allowed";

    # Before a browser sends, it asks.
    my $answer = $client->request(OPTIONS => '/send', headers => { Origin => 'https://example.org',
        'Access-Control-Request-Method' => 'POST', 'Access-Control-Request-Headers' => 'authorization, content-type, x-wordsocket-stream' });
    is $answer->{status}, 204, "${how}a preflight is answered with 204";
    is $answer->{headers}{'access-control-allow-origin'}, 'https://example.org', "${how}for the origin that asks";
    like $answer->{headers}{'access-control-allow-methods'}, qr/\bPOST\b/, "${how}POST is allowed";
    like lc $answer->{headers}{'access-control-allow-headers'}, qr/\b$_\b/, "${how}$_ is allowed" for qw(authorization content-type x-wordsocket-stream);
    is $answer->{headers}{'access-control-allow-credentials'}, undef, "${how}credentials are not";
    my $sent = ask_send($client, $token, $stream, \%message, Origin => 'https://example.org');
    is $sent->{headers}{'access-control-allow-origin'}, 'https://example.org', "${how}and the answer may be read";

    # Nothing of what was refused has been sent.
    my @seen = grep { $_->{event} ne 'hi' } until_marker($client, $ws, $name);
    is_deeply \@seen, [], "${how}what was refused was not sent";
    $_->hang_up for $ws, $sse;
} $server;

# A sender does not get its own binary frame back on its own stream.
both {
    my ($client, $how) = @_;
    my $name = channel();
    my ($mine, $theirs) = map {
        WordSocket::Events->connect($client->connect_options,
            path => '/sse?' . WordSocket::Client::query(token => $client->token, channels => $name, binary => 1))
    } 1, 2;
    my ($stream) = map { $client->decode($_->event->{data})->{stream} } $mine, $theirs;
    $_->event for $mine, $theirs;    # their places: they listen
    ask_send($client, $client->token, $stream, WordSocket::Frames::channel_frame($name, 'x'));
    $client->publish($name, 'after', {});
    my $first = $mine->next_data;
    is $first->{event} // 'message', 'message', "${how}a binary frame does not come back to the stream it was sent for";
    is $theirs->next_data(10, 'wps.binary')->{event}, 'wps.binary', "${how}others get it";
    $_->hang_up for $mine, $theirs;
} $server;

# A lease ends.
{
    my %message = (type => 'message', channel => 'lease', event => 'e', data => {});
    is ask_send($early, $early->token, $lease, \%message)->{status}, 200, 'a lease is good for a while' if time < $leased + 29;
    sleep $leased + 32 - time if time < $leased + 32;
    is ask_send($early, $early->token, $lease, \%message)->{status}, 404, 'but not for more than 30 s';
}

$server->stop;
done_testing;
