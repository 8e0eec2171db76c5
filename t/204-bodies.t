# SPDX-License-Identifier: Apache-2.0
# The bodies of publishes as bytes on the wire: their sizes, their framing,
# what comes after them, and what never comes.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(time);
use WordSocket::Client;
use WordSocket::Server;

my $server = WordSocket::Server->new(lines => "WordSocketPublishRate 10000 10000\nWordSocketHistory 4M\nTimeout 3")->start;
my $client = WordSocket::Client->new($server);
my $head = $client->poll->{json}{cursor};

sub said {
    my ($answer) = @_;
    return "$answer->{status} " . ($answer->{json}{error} // '');
}

# The events that are in the log since the last time.
sub events_since {
    my $poll = $client->poll(since => $head)->{json};
    $head = $poll->{cursor};
    return [ map { $_->{event} } @{ $poll->{messages} } ];
}

my $count = 0;
sub body { my ($pad) = @_; $count++; return qq({"channel":"events","event":"e$count","data":"$pad"}) }

# The head of a publish of this body, with other lines.
sub head_of {
    my ($body, @lines) = @_;
    my %header = $client->signed_headers($body);
    return join "\r\n", "POST $server->{path}/publish HTTP/1.1", 'Host: x',
        (map { "$_: $header{$_}" } sort keys %header), @lines, '', '';
}
sub length_line { 'Content-Length: ' . length $_[0] }

sub chunked {
    my ($body, $piece, $end) = @_;
    my $out = '';
    $out .= sprintf "%x\r\n%s\r\n", length $_, $_ for unpack "(a$piece)*", $body;
    return $out . ($end // "0\r\n\r\n");
}

# --- sizes ------------------------------------------------------------------------

my $most = 262_144;
sub sized { my ($size) = @_; my $least = length body(''); $count--; return body('x' x ($size - $least)) }
for my $size (1000, 65_536, $most - 1, $most) {
    my $body = sized($size);
    is length $body, $size, "a body of $size bytes";
    is said($client->publish_body($body)), '200 ', 'is taken';
    my ($message) = @{ $client->poll(since => $head)->{json}{messages} };
    is length($message->{data} // ''), $size - length(qq({"channel":"events","event":"e$count","data":""})), 'and is whole';
    events_since();
}
for my $size ($most + 1, 1_000_000) {
    my $body = sized($size);
    is said($client->publish_body($body)), '413 too_large', "one of $size is not";
    is said($client->raw(head_of($body, 'Transfer-Encoding: chunked') . chunked($body, 8000))), '413 too_large',
        'nor in chunks';
}
is said($client->raw(head_of('', 'Content-Length: 9223372036854775807'))), '413 too_large',
    'a length beyond all bounds is refused before a byte of it came';
is_deeply events_since(), [], 'nothing of that is in the log';

# --- framing ----------------------------------------------------------------------

for my $piece (1, 7, 1000) {
    my $body = body('chunks');
    is said($client->raw(head_of($body, 'Transfer-Encoding: chunked') . chunked($body, $piece))), '200 ',
        "a body in chunks of $piece";
}
my $body = body('trailer');
is said($client->raw(head_of($body, 'Transfer-Encoding: chunked') . chunked($body, 9, "0\r\nX-WP-Signal-Key: other\r\n\r\n"))),
    '200 ', 'a trailer is not a header';
is scalar @{ events_since() }, 4, 'all of them are in the log';

$body = body('slowly');
my $wire = WordSocket::Wire->open_wire($client->connect_options);
$wire->dribble(head_of($body, length_line($body)) . $body, 50, 0.01);
is $wire->exchange(''), 200, 'a body that comes slowly';

$body = body('asked for');
$wire = WordSocket::Wire->open_wire($client->connect_options);
is $wire->exchange(head_of($body, length_line($body), 'Expect: 100-continue')), 100, 'who asks first is told to go on';
is $wire->exchange($body), 200, 'and then goes through';
is_deeply events_since(), [ map { "e$_" } $count - 1, $count ], 'both are in the log';

# A body that is shorter than was said, or cut off, is none.
my %cut = (
    'a length one too many' => sub { head_of($_[0], 'Content-Length: ' . (1 + length $_[0])) . $_[0] },
    'half a body' => sub { head_of($_[0], length_line($_[0])) . substr $_[0], 0, 20 },
    'a head alone' => sub { head_of($_[0], length_line($_[0])) },
    'chunks without an end' => sub { head_of($_[0], 'Transfer-Encoding: chunked') . chunked($_[0], 1000, '') },
    'a chunk cut off' => sub { head_of($_[0], 'Transfer-Encoding: chunked') . substr chunked($_[0], 1000), 0, 30 },
    'a chunk of no size' => sub { head_of($_[0], 'Transfer-Encoding: chunked') . "zz\r\n$_[0]\r\n0\r\n\r\n" },
    'chunks of a huge size' => sub { head_of($_[0], 'Transfer-Encoding: chunked') . "ffffffffffffffff1\r\n$_[0]" },
);
for my $what (sort keys %cut) {
    my @wires = map { WordSocket::Wire->open_wire($client->connect_options) } 1, 2;
    $_->send_bytes($cut{$what}->(body('cut'))) for @wires;
    $wires[0]->reset_hard;
    shutdown $wires[1]{socket}, 1;
    my $said = $wires[1]->take_all(10);
    ok $wires[1]{ended}, "$what, then the end: the connection ends";
    unlike $said, qr{^HTTP/1.1 2}, '... without a word of success';
}
$wire = WordSocket::Wire->open_wire($client->connect_options);
$wire->send_bytes($cut{'half a body'}->(body('silence')));
unlike $wire->take_all(10), qr{^HTTP/1.1 2}, 'half a body and silence';
ok $wire->{ended}, '... ends with Timeout';
is_deeply events_since(), [], 'nothing that was cut off is in the log';

# More than was said: the body is what was said, the rest another request.
$body = body('longer');
$wire = WordSocket::Wire->open_wire($client->connect_options);
$wire->send_bytes(head_of($body, 'Content-Length: ' . (length($body) - 1)) . $body);
my $said = $wire->take_all(10);
like $said, qr/"invalid_signature"/, 'a length one too few leaves another body than was signed';
unlike $said, qr/"ok":true/, 'and the rest is no publish';

for my $lines ([ 'Content-Length: 5', 'Content-Length: 6' ], [ 'Content-Length: -1' ], [ 'Content-Length: 0x10' ],
    [ 'Transfer-Encoding: gzip' ], [ 'Transfer-Encoding: chunked, gzip' ]) {
    my $answer = $client->raw(head_of($body, @$lines) . $body);
    cmp_ok $answer->{status}, '>=', 400, "@$lines: $answer->{status}";
}
is said($client->raw(head_of(''))), '400 invalid_json', 'no body at all is no JSON';
is_deeply events_since(), [], 'nothing of that is in the log either';

# --- one connection, many requests --------------------------------------------------

$wire = WordSocket::Wire->open_wire($client->connect_options);
my $before = $count;
sub next_answer {
    my ($bytes) = @_;
    my $status = $wire->exchange($bytes);
    my $json = $wire->take($wire->header('Content-Length') // 0, time + 10) // '';
    return "$status " . ($json =~ /"error":"(\w+)"/ ? $1 : '');
}
for my $round (1 .. 3) {
    my $good = body('kept alive');
    is next_answer(head_of($good, length_line($good)) . $good), '200 ', "round $round: a publish";
    is next_answer(head_of('{}', 'Content-Length: 3') . '{ }'), '401 invalid_signature', 'a bad signature';
    is next_answer("GET $server->{path}/publish HTTP/1.1\r\nHost: x\r\n\r\n"), '405 method_not_allowed', 'another method';
    is next_answer("GET $server->{path}/healthz HTTP/1.1\r\nHost: x\r\n\r\n"), '200 ', 'another endpoint';
}
my @two = map { body('pipelined') } 1, 2;
is next_answer(join '', map { head_of($_, length_line($_)) . $_ } @two), '200 ', 'two in one segment: the first';
is next_answer(''), '200 ', 'and the second';
is_deeply events_since(), [ map { "e$_" } $before + 1 .. $count ], 'each of them is in the log once';
is next_answer(head_of('{}', 'Content-Length: 2') . '{}'), '400 invalid_json', 'after 400';
is lc($wire->header('Connection') // ''), 'close', 'httpd closes, and says so';

for my $type ('text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-8', 'multipart/form-data') {
    is said($client->publish_body(body('typed'), headers => { 'Content-Type' => $type })), '200 ',
        "the type is not looked at: $type";
}
is_deeply events_since(), [ map { "e$_" } $count - 3 .. $count ], 'and those are there, too';

$server->stop;
done_testing;
