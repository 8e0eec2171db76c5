# SPDX-License-Identifier: Apache-2.0
# What the logs and the status pages say, and what they never do: tokens,
# secrets and messages.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Server;

my $site = { site_key => 'marked', publish_secret => 'MARK-publish-secret', jwt_secret => [ 'MARK-jwt-secret', 'MARK-older' ],
    site_url => 'http://127.0.0.1' };
my $server = WordSocket::Server->new(sites => [$site], lines => <<'END', vhost_lines => <<'END_HOST')->start;
LogLevel debug wordsocket:trace8
ExtendedStatus On
LogFormat "%r | %U | %q | %m | %f | %{QUERY_STRING}e | %{Authorization}o | %>s" everything
CustomLog "logs/everything_log" everything
CustomLog "logs/expr_log" test "expr=%{THE_REQUEST} =~ /token=/ || %{QUERY_STRING} =~ /token=/"
RequestReadTimeout header=2
END
RewriteEngine On
RewriteCond %{QUERY_STRING} token=
RewriteRule ^ - [E=saw:token]
END_HOST
my $client = WordSocket::Client->new($server);

my @tokens;
sub token { push @tokens, $client->token(user_id => 'user ' . @tokens, @_); return $tokens[-1] }
sub logged { join '', map { WordSocket::Server::slurp($_) } glob "$server->{root}/logs/*_log $server->{root}/logs/startup" }
sub page { $client->{http}->get('http://' . $server->address . $_[0])->{content} }
sub access { WordSocket::Server::slurp("$server->{root}/logs/access_log") }

# --- everything that has a token, a secret or a message in it --------------------

my $old = token(iat => time - 600, exp => time - 300);
my $ws = $client->socket(token => token(user_id => 'who renews'), channels => ['events']);
my $sse = $client->events(token => token());
my $bad = $client->socket(token => $old);
is $bad->close_code(5), 4001, 'an old token is refused';
is $client->poll(token => token(), channels => ['events'])->{status}, 200, 'a poll';
is $client->poll(token => $_)->{status}, 401, 'a poll that is refused' for $old, 'MARK-no-token';
is $client->publish('events', 'MARK-event', { mark => 'MARK-data' })->{status}, 200, 'a publish';
is $client->publish('wps:x', 'MARK-event', 'MARK-data')->{status}, 400, 'one that is refused';
is $client->publish_body('MARK-no-json')->{status}, 400, 'one that is no JSON';
is $client->publish_body('{"channel":"MARK-channel"}', sign => 'MARK-sign')->{status}, 401, 'one with a bad signature';
is(($ws->messages(1))[0]{event}, 'MARK-event', 'it arrives');
is(($sse->messages(1))[0]{event}, 'MARK-event', 'on both');
$ws->send_json({ type => 'message', channel => 'events', event => 'MARK-said', data => 'MARK-data', ref => 'MARK-ref' });
is $ws->message(5, 'ack')->{ref}, 'MARK-ref', 'a client says something';
$ws->send_text('{"type":"MARK-type"');
is $ws->message(5, 'error')->{code}, 'bad_message', 'and something wrong';
$ws->send_binary(WordSocket::Frames::channel_frame('events', 'MARK-binary'));
$ws->send_json({ type => 'auth', token => token(user_id => 'who renews', exp => time + 100) });
is $ws->message(5, 'auth_ok')->{type}, 'auth_ok', 'a new token in band';
$ws->send_json({ type => 'auth', token => $old });
is $ws->close_code(5), 4001, 'a bad one in band';
my $sent = $client->request(POST => "/send?token=@{[ token() ]}", content => 'MARK-body',
    headers => { Authorization => 'Bearer ' . token(), 'X-WordSocket-Stream' => 'MARK-stream' });
is $sent->{json}{error}, 'invalid_stream', '/send with a token in the header, and one in the query';

# Spellings of a query, each with a token of its own.
my %spelling = (
    'alone' => '?token=<>', 'first' => '?token=<>&channels=events', 'last' => '?channels=events&token=<>',
    'in the middle' => '?a=1&token=<>&b=2', 'three times' => '?token=<>&token=<>&x=1&token=<>',
    'with nothing' => '?&&token=<>&&', 'after an empty one' => '?token=&token=<>', 'escaped inside' => '?token=%65<>',
);
for my $what (sort keys %spelling) {
    my $token = token();
    my $query = $spelling{$what} =~ s/%65<>/'%65' . substr $token, 1/er =~ s/<>/$token/gr;
    my $answer = $client->raw("GET $server->{path}/poll$query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    like $answer->{status}, qr/^(?:200|40[013])$/, "a token $what: $answer->{status}";
}
for my $line ("GET http://127.0.0.1$server->{path}/sse?token=<>", 'GET //wordsocket/ws?token=<>',
    'GET /%77ordsocket/ws?token=<>', "GET $server->{path}/nothing?token=<>", "GET $server->{path}?token=<>",
    "BREW $server->{path}/ws?token=<>", "OPTIONS $server->{path}/send?token=<>") {
    my $token = token();
    $client->raw(($line =~ s/<>/$token/r) . " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}
# Requests that httpd ends before any module has seen them.
for my $rest ('Host: no end', "Host: x\r\nno header\r\n\r\n", "Host: x\r\nHost: y\r\n\r\n", 'X: ' . 'x' x 9000 . "\r\n\r\n", "\r\n") {
    my $wire = WordSocket::Wire->open_wire($client->connect_options);
    $wire->send_bytes("GET $server->{path}/ws?a=1&token=@{[ token() ]}&b=2 HTTP/1.1\r\n$rest");
    like $wire->take_all(8), qr{^HTTP/1.1 4\d\d}, 'a request that httpd ends: ' . ($rest =~ tr/\r\n/ /r) =~ s/.{20}\K.*//r;
    unlike page('/server-status'), qr/token=e/, '... is not on server-status with its token';
}

# --- status pages while it happens -------------------------------------------------

my $slow = WordSocket::Wire->open_wire($client->connect_options);
my $slow_token = token();
$slow->send_bytes("POST $server->{path}/publish?token=$slow_token&and=more HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n12");
my $seen;
ok $server->wait_for(5, sub { ($seen = page('/server-status')) =~ m{publish\?and=more} }),
    'server-status has the request that is under way, without its token';
$slow->send_bytes('345');
my %page = map { $_ => page($_) } '/server-status', '/status', '/status?json';
$page{'while it went on'} = $seen;

# --- what is there -----------------------------------------------------------------

$sse->hang_up;
my $ended = qr/\[wordsocket:info\].*WSK0401/;
ok $server->wait_for(5, sub { 2 <= (() = $server->log_text =~ /$ended/g) }), 'each session ends with a line';
my $log = join '', grep { /WSK/ } split /^/m, $server->log_text;
like $log, qr/$ended websocket of site marked ended: code 4001, \d+ ms, [1-9]\d* bytes in, [1-9]\d* out$/m,
    'of a WebSocket with its code, life and bytes';
like $log, qr/$ended event-stream of site marked ended: code \d+, \d+ ms, \d+ bytes in, [1-9]\d* out$/m, 'of an event stream, too';
like $log, qr/\[wordsocket:debug\].*WSK0101 refused: invalid_signature$/m, 'refusals are told at debug';
like access(), qr{ 101 \d+ \d+ "GET /wordsocket/ws HTTP/1.1"$}m, 'the access log has the 101';
like access(), qr{ 200 \d+ \d+ "GET /wordsocket/sse\?channels=events HTTP/1.1"$}m, 'and the event stream';
like logged(), qr{^GET /wordsocket/poll\?a=1&b=2 HTTP/1.1 \| /wordsocket/poll \| \?a=1&b=2 \| GET}m,
    'what is around a token stays';

# --- what is not -------------------------------------------------------------------

$page{'the logs'} = logged();
for my $where (sort keys %page) {
    my $text = $page{$where};
    ok length $text, "$where: there is something to look at";
    my @found = map { substr $_, 0, 30 } grep { index($text, $_) >= 0 } map { (split /\./)[1, 2] } @tokens;
    is "@found", '', "$where: no token, nor a part of one";
    unlike $text, qr/MARK/, "$where: no secret, no message";
    unlike $text, qr/[?&]token=./, "$where: not even the name of a token" if $where ne 'the logs';
}
is -s "$server->{root}/logs/expr_log", 0, 'no condition of a log can see one';

$server->stop;
done_testing;
