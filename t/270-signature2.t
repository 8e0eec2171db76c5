# SPDX-License-Identifier: Apache-2.0
# Signature version 2: every field is signed, the clock has a window, a nonce has
# one use; the same bytes again have the first ids and are delivered once.
use v5.30;
use warnings;
use lib 't/lib';
use List::Util qw(min);
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Client;
use WordSocket::Sanitizer;
use WordSocket::Server;

my %secrets = (publish_secret => [ 'new-secret', 'old-secret' ], jwt_secret => 'j');
my $fixed = { site_key => 'fixed', %secrets, signature => 2 };
my $free  = { site_key => 'free', %secrets };
my $slow  = { site_key => 'slow', %secrets, signature => 2, limits => { publish_rate => 1, publish_burst => 2 } };
my $server = WordSocket::Server->new(children => 4, sites => [ $fixed, $free, $slow ],
    lines => 'WordSocketPublishRate 10000 10000')->start;
my $client = WordSocket::Client->new($server, site => $fixed);
my $ws  = $client->socket(channels => ['events']);
my $sse = $client->events(channels => ['events']);

sub said {
    my ($answer) = @_;
    return "$answer->{status} " . ($answer->{json}{error} // '');
}

my $count = 0;
sub body { $count++; return qq({"channel":"events","event":"e$count","data":{}}) }

# What arrived on either way since the last time, up to a mark.
sub arrived {
    my $mark = $client->publish_v2('{"channel":"events","event":"mark"}')->{json}{id};
    return map { until_mark($_, $mark) } $ws, $sse;
}

sub until_mark {
    my ($from, $mark) = @_;
    my @got;
    while (my ($message) = $from->messages(1, 10)) {
        return \@got if $message->{id} eq $mark;
        push @got, "$message->{event} $message->{id}";
    }
    return [ @got, 'and no mark' ];
}

# --- what is signed -----------------------------------------------------------

my $body = body();
my $first = $client->publish_v2($body);
is said($first), '200 ', 'a signed message is taken';
like $first->{json}{id}, qr/^[0-9a-f]{12}-1$/, 'and has an id';
is_deeply [ arrived() ], [ ([ "e1 $first->{json}{id}" ]) x 2 ], 'it is delivered';

my %headers = $client->signed_headers_v2($body);
my %wrong = (
    Key => 'free', Timestamp => $headers{'X-WordSocket-Timestamp'} + 1,
    Nonce => "$headers{'X-WordSocket-Nonce'}0",
    Signature => $headers{'X-WordSocket-Signature'} =~ s/(.)$/$1 eq '0' ? '1' : '0'/er,
);
for my $field (sort keys %wrong) {
    is said($client->publish_with($body, %headers, "X-WordSocket-$field" => $wrong{$field})),
        '401 invalid_signature', "another $field is refused";
    my %rest = %headers;
    delete $rest{"X-WordSocket-$field"};
    my $want = $field eq 'Key' ? 'unknown_site_key' : $field eq 'Signature' ? 'unknown_site_key' : 'invalid_signature';
    is said($client->publish_with($body, %rest)), "401 $want", "so is none";
}
is said($client->publish_with("$body ", %headers)), '401 invalid_signature', 'another body is refused';
is said($client->publish_v2($body, method => 'PUT')), '401 invalid_signature', 'what was signed for another method is';
is said($client->publish_v2($body, path => '/publisher')), '401 invalid_signature', 'and for another path';
is said($client->publish_v2($body, path => "$server->{path}/publish")), '401 invalid_signature',
    'the path is that below the base';
is said($client->publish_v2($body, key => 'nobody')), '401 unknown_site_key', 'a key nobody has';
is said($client->publish_v2($body, nonce => $_)), '401 invalid_signature', "no nonce: '$_'" for '', 'a b', 'n' x 129;
is said($client->publish_v2($body, ts => $_)), '401 invalid_signature', "no time: '$_'" for 'now', '1.5', '1' x 17;
my %prefix = %headers;
$prefix{'X-WordSocket-Signature'} =~ s/^v2=//;
is said($client->publish_with($body, %prefix)), '401 invalid_signature', 'a signature names its version';

for my $off (-61_000, 61_000, 3_600_000) {
    is said($client->publish_v2($body, ts => int(time * 1000) + $off)), '401 stale_timestamp', "a clock $off ms off";
}
for my $off (-57_000, 59_000) {
    is said($client->publish_v2(body(), ts => int(time * 1000) + $off)), '200 ', "a clock $off ms off";
}
is said($client->publish_v2($body, ts => 1, secret => 'x')), '401 invalid_signature',
    'a wrong signature is told nothing of its clock';
is scalar(map { @$_ } (arrived())[0]), 2, 'nothing of what was refused is delivered';

# --- which version ----------------------------------------------------------------

is said($client->publish_body($body)), '401 signature_v2_required', 'a site of version 2 refuses version 1';
is said($client->publish_body($body, sign => 'dummy')), '401 signature_v2_required', 'whatever it is';
is said($client->stats), '401 signature_v2_required', 'and for its figures';
is said($client->publish_with($body, %headers, $client->signed_headers($body))), '200 ',
    'a request with both is of version 2';
my $other = WordSocket::Client->new($server, site => $free);
is said($other->publish_body($body)), '200 ', 'another site still takes version 1';
is said($other->publish_v2($body)), '200 ', 'and version 2';
is said($other->publish_v2($body, secret => 'x')), '401 invalid_signature', 'but not a wrong one';

my %stats = $client->signed_headers_v2('', method => 'GET', path => '/site/stats');
for my $time (1, 2) {
    my $answer = $client->request(GET => '/site/stats', headers => \%stats);
    is said($answer), '200 ', "figures, time $time of one nonce";
    is $answer->{json}{active_connections}, 2, '... are told';
}

is said($client->publish_v2(body(), secret => 'old-secret')), '200 ', 'the secret before signs, too';
is said($client->publish_v2(body(), secret => 'older-secret')), '401 invalid_signature', 'one before that does not';

# --- a nonce has one use ------------------------------------------------------------

arrived();
$body = body();
my $event = "e$count";
my $ts = int(time * 1000);
my %once = $client->signed_headers_v2($body, ts => $ts, nonce => 'one-use');
my $id = $client->publish_with($body, %once)->{json}{id};
my @again = map { WordSocket::Client->new($server, site => $fixed)->publish_with($body, %once) } 1 .. 40;
is_deeply $again[0]{json}, { ok => JSON::PP::true, duplicate => JSON::PP::true, id => $id },
    'the same bytes again have the first id';
is scalar(grep { $_->{status} == 200 && $_->{json}{duplicate} && $_->{json}{id} eq $id } @again), 40, 'forty times';
my %asked = map { $_ => 1 } WordSocket::Server::slurp("$server->{root}/logs/access_log") =~ m{^\[.*?\] (\d+) .*/publish}mg;
cmp_ok scalar keys %asked, '>=', 2, 'several children were asked';
my %capitals = %once;
$capitals{'X-WordSocket-Signature'} =~ s/=(.*)/'=' . uc $1/e;
ok $client->publish_with($body, %capitals)->{json}{duplicate}, 'hex in capitals is the same';

my %reuse = ('another body' => [ body() ], 'another time' => [ $body, ts => $ts + 1 ],
    'another secret' => [ $body, ts => $ts, secret => 'old-secret' ]);
for my $what (sort keys %reuse) {
    my ($with, %option) = @{ $reuse{$what} };
    is said(WordSocket::Client->new($server, site => $fixed)->publish_v2($with, nonce => 'one-use', %option)),
        '401 nonce_reused', "a nonce again with $what";
}
is said($other->publish_v2($body, nonce => 'one-use')), '200 ', 'another site has nonces of its own';
is_deeply [ arrived() ], [ ([ "$event $id" ]) x 2 ],
    'all that was delivered once';

ok $server->graceful, 'a graceful restart';
my $after = WordSocket::Client->new($server, site => $fixed);
is_deeply $after->publish_with($body, %once)->{json}, { ok => JSON::PP::true, duplicate => JSON::PP::true, id => $id },
    'the next generation answers with the first id';
is said($after->publish_v2(body(), nonce => 'one-use')), '401 nonce_reused', 'and knows the nonce';
$client = $after;
$ws  = $client->socket(channels => ['events']);
$sse = $client->events(channels => ['events']);
is_deeply [ arrived() ], [ [], [] ], 'nothing of that was delivered';

my $list = '[' . join(',', map { body() } 1 .. 3) . ']';
%once = $client->signed_headers_v2($list);
my $ids = $client->publish_with($list, %once)->{json}{ids};
is_deeply $client->publish_with($list, %once)->{json}{ids}, $ids, 'a list again has all the first ids';

# --- what was refused may come again ------------------------------------------------

my $poor = WordSocket::Client->new($server, site => $slow);
my @held = map { my $b = body(); { body => $b, headers => { $poor->signed_headers_v2($b) } } } 1 .. 4;
$_->{answer} = $poor->publish_with($_->{body}, %{ $_->{headers} }) for @held;
my ($refused) = grep { $_->{answer}{status} == 429 } @held;
ok $refused, 'a message is refused for its rate';
sleep $refused->{answer}{headers}{'retry-after'};
my $retry = $poor->publish_with($refused->{body}, %{ $refused->{headers} });
is said($retry), '200 ', 'the same bytes go through after Retry-After';
ok !$retry->{json}{duplicate}, 'as a message that was not there';
%once = $client->signed_headers_v2('{"channel":"wps:x","event":"e"}');
is said($client->publish_with('{"channel":"wps:x","event":"e"}', %once)), '400 invalid_channel', 'what is wrong stays so'
    for 1, 2;

# A body that comes slowly is judged by the time at which it is whole.
my $late = body();
my %held = $client->signed_headers_v2($late, ts => int(time * 1000) - 58_000);
my $wire = WordSocket::Wire->open_wire($client->connect_options);
$wire->send_bytes(join "\r\n", "POST $server->{path}/publish HTTP/1.1", 'Host: x',
    (map { "$_: $held{$_}" } keys %held), 'Content-Length: ' . length $late, '', substr $late, 0, -1);
sleep 3;
is $wire->exchange(substr $late, -1), 401, 'a body that was held back until its time was over is refused';

$server->stop;

# Where another site holds all the memory there is, until its messages are old.
# Before the time stamp of what is sent again is over.
my $old = min(4 * WordSocket::Sanitizer::slowness()**2, 40);
$server = WordSocket::Server->new(children => 2, sites => [ $fixed, $free ],
    lines => "WordSocketSharedMemory 8M\nWordSocketHistory 16M 10000 ${old}s\nWordSocketPublishRate 10000 10000")->start;
($client, $other) = map { WordSocket::Client->new($server, site => $_) } $fixed, $free;
my $large = '{"channel":"events","event":"e","data":"' . 'x' x 200_000 . '"}';
is said($client->publish_v2(body())), '200 ', 'there is memory to remember requests in';
$other->publish_v2($large) for 1 .. 50;
$other->publish_v2('{"channel":"events","event":"e","data":"' . 'x' x 14_000 . $_ . '"}') for 1 .. 30;    # into what is left over
%once = $client->signed_headers_v2($large);
is said($client->publish_with($large, %once)), '503 unavailable', 'a message for which there is no memory';
my $answer;
ok $server->wait_for(30, sub { ($answer = $client->publish_with($large, %once))->{status} == 200 }),
    'the same bytes go through when there is';
ok !$answer->{json}{duplicate}, 'as a message that was not there';
ok $client->publish_with($large, %once)->{json}{duplicate}, 'and then are known';
$server->stop;
done_testing;
