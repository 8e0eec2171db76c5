# SPDX-License-Identifier: Apache-2.0
# Event streams: the head, the form of what comes, and refusals over HTTP.
use v5.30;
use warnings;
use lib 't/lib';
use JSON::PP ();
use Test::More;
use WordSocket::Talk;

# Compression on for everything, as many hosts have it.
my $server = server_with(qq{<Location "/">\nSetOutputFilter DEFLATE\n</Location>\n});
$server->write_file('htdocs/long.html', "an ordinary page\n" x 200);

sub ask {
    my ($client, $path, %option) = @_;
    return WordSocket::Events->connect($client->connect_options, path => $path, %option);
}

both {
    my ($client, $how) = @_;
    my $name = channel();
    my $sse = $client->events(channels => [$name], headers => { 'Accept-Encoding' => 'gzip, deflate, br', Origin => 'https://example.org' });
    like $sse->header('Content-Type'), qr{\Atext/event-stream(?:;|\z)}, "${how}text/event-stream";
    like $sse->header('Cache-Control'), qr/\bno-store\b/, "${how}never stored";
    is $sse->header('Content-Encoding'), undef, "${how}not compressed, though mod_deflate is on";
    is $sse->header('Access-Control-Allow-Origin'), 'https://example.org', "${how}open to the origin that asks";
    is $sse->header('Access-Control-Allow-Credentials'), undef, "${how}without credentials";
    like $sse->header('Vary'), qr/\bOrigin\b/, "${how}and caches are told so";
    is $sse->header('Content-Length'), undef, "${how}no length";
    my $page = ask($client, '/long.html', base => '', headers => { 'Accept-Encoding' => 'gzip' });
    is $page->header('Content-Encoding'), 'gzip', "${how}(pages are)";
    $page->hang_up;

    my $open = $sse->event;
    is $open->{event}, 'wps.open', "${how}it begins with wps.open";
    like JSON::PP::decode_json($open->{data})->{stream}, qr/\A[0-9a-f]{32}\z/, "${how}which has the stream's id, 128 bits";
    my $place = $sse->event;
    is_deeply [ sort keys %$place ], [qw(data id)], "${how}then comes an event with nothing but an id";
    is $place->{data}, undef, "${how}which no page will see";

    my $id = $client->publish($client->qualified($name), 'post.updated', { text => "two\nlines\r\n", n => [ 1, { a => undef } ] })->{json}{id};
    my $event = $sse->event;
    is_deeply [ sort keys %$event ], [qw(data id)], "${how}a message is one unnamed event";
    is $event->{id}, $id, "${how}with its id";
    unlike $event->{data}, qr/\n/, "${how}on one line";
    is_deeply JSON::PP::decode_json($event->{data}),
        { channel => $name, event => 'post.updated', data => { text => "two\nlines\r\n", n => [ 1, { a => undef } ] }, id => $id },
        "${how}a JSON object of event, bare channel and data";
    cmp_ok number_of($place->{id}) + 1, '==', number_of($id), "${how}the first id was the place before it";

    # What a second stream has, and where it begins.
    my $second = $client->events(channels => [ $name, $client->qualified($name), 'other' ]);
    my $open2 = $second->event;
    isnt $open2->{data}, $open->{data}, "${how}another stream has another id";
    is $second->event->{id}, $id, "${how}a stream begins at the place the log is at";
    $client->publish($_, 'e', {}) for $name, 'other';
    is_deeply [ map { $_->{channel} } $second->messages(2) ], [ $name, 'other' ], "${how}several channels, one spelled twice: each message once";
    my ($seen) = $sse->messages(1);
    is $seen->{channel}, $name, "${how}and only what was asked for" ;
    is_deeply [ until_marker($client, $sse, $name) ], [], "${how}on a stream";
    $_->hang_up for $sse, $second;
} $server;

# Names, as URLs carry them.
{
    my $client = WordSocket::Client->new($server);
    my $name = "gr\xc3\xbc\xc3\x9fe +%&=\xf0\x9f\x98\x80#?/" . $$;
    my $sse = $client->events(channels => [$name]);
    my $text = $name;
    utf8::decode($text);
    $client->publish($text, 'e', {});
    is +($sse->messages(1))[0]{channel}, $text, 'a name with everything in it';
    $sse->hang_up;
    # Refused ones are left out.
    my $token = $client->token(allowed_channel_prefixes => [ $client->qualified('open') ]);
    $sse = $client->events(channels => [ 'secret', 'open', '', 'n' x 201 ], token => $token);
    $client->publish($_, 'e', {}) for 'secret', 'open';
    is +($sse->messages(1))[0]{channel}, 'open', 'refused names are left out, the rest goes through';
    $sse->hang_up;
}

# Refusals, as JSON.
both {
    my ($client, $how) = @_;
    my $token = $client->token(allowed_channel_prefixes => [ $client->qualified('open') ]);
    my $query = \&WordSocket::Client::query;
    my @cases = (
        [ 401, 'invalid_token', '/sse?' . $query->(channels => 'a') ],
        [ 401, 'invalid_token', '/sse?' . $query->(channels => 'a', token => 'x') ],
        [ 403, 'channel_forbidden', '/sse?' . $query->(channels => 'secret,site:x', token => $token) ],
        [ 400, 'invalid_channel', '/sse?' . $query->(token => $token) ],
        [ 400, 'invalid_channel', '/sse?' . $query->(channels => '', token => $token) ],
        [ 404, 'not_found', '/nothing' ],
    );
    for my $case (@cases) {
        my ($status, $code, $path) = @$case;
        my $answer = ask($client, $path, status => $status);
        my $json = JSON::PP::decode_json($answer->take($answer->header('Content-Length'), time + 5));
        is $json->{error}, $code, "${how}$status $code: " . ($path =~ s/token=[^&]{9,}/token=.../r);
        ok length $json->{message}, "${how}with a text";
        like $answer->header('Cache-Control'), qr/no-store/, "${how}not stored";
        $answer->hang_up;
    }
    for my $method (qw(POST PUT DELETE)) {
        my $answer = $client->request($method => '/sse?' . $query->(channels => 'open', token => $token));
        is $answer->{status}, 405, "${how}$method is not allowed";
        is $answer->{json}{error}, 'method_not_allowed', "${how}and says so";
    }
} $server;
$server->stop;

# Origins, where a host names them.
my $strict = server_with("WordSocketAllowOrigin https://a.example http://b.example:81\n");
{
    my $client = WordSocket::Client->new($strict);
    for my $origin ('https://a.example', 'http://b.example:81') {
        my $sse = $client->events(headers => { Origin => $origin });
        is $sse->header('Access-Control-Allow-Origin'), $origin, "$origin may";
        $sse->hang_up;
        my $ws = $client->socket(headers => { Origin => $origin }, channels => ['a']);
        ok $ws->{subscribed}, 'also by WebSocket';
        $ws->hang_up;
    }
    for my $origin ('https://a.example.org', 'http://a.example', 'https://a.example:444', 'null', 'HTTPS://A.EXAMPLE') {
        my $sse = $client->events(headers => { Origin => $origin }, status => 403);
        is $sse->header('Access-Control-Allow-Origin'), undef, "$origin may not";
        $sse->hang_up;
        WordSocket::Frames->connect($client->connect_options, path => '/ws?token=' . $client->token,
            headers => { Origin => $origin }, status => 403)->hang_up;
    }
    my $sse = $client->events;
    ok $sse->event, 'without an origin, which is no browser, it may';
    $sse->hang_up;
}
$strict->stop;

done_testing;
