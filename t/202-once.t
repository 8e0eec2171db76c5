# SPDX-License-Identifier: Apache-2.0
# The same signed bytes again, whichever child they reach; what was refused is
# not remembered; lists are taken as a whole or not at all.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Client;
use WordSocket::Server;

my $narrow = { site_key => 'narrow', publish_secret => 's', jwt_secret => 'j',
    limits => { publish_rate => 1, publish_burst => 2 } };
my $server = WordSocket::Server->new(
    children => 4, sites => [ WordSocket::Server::default_site(), $narrow ],
    lines => 'WordSocketPublishRate 10000 10000')->start;
my $client = WordSocket::Client->new($server);
my $ws  = $client->socket(channels => ['events']);
my $sse = $client->events(channels => ['events']);

sub said {
    my ($answer) = @_;
    return "$answer->{status} " . ($answer->{json}{error} // '');
}

# What arrived on either way since the last time, up to a mark.
sub arrived {
    my $mark = $client->publish('events', 'mark', {})->{json}{id};
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

my $count = 0;
sub body { $count++; return qq({"channel":"events","event":"e$count","data":{}}) }

# --- the same bytes again -----------------------------------------------------

my $body = body();
my $ts = int(time * 1000);
my $first = $client->publish_body($body, ts => $ts);
is said($first), '200 ', 'a message is taken';
ok !exists $first->{json}{duplicate}, 'and is no duplicate';
my $id = $first->{json}{id};
# Each over a connection of its own, so that several children are asked.
my @again = map { WordSocket::Client->new($server)->publish_body($body, ts => $ts) } 1 .. 40;
is_deeply $_->{json}, { ok => JSON::PP::true, duplicate => JSON::PP::true, id => $id }, 'the same bytes have the first id'
    for $again[0];
is scalar(grep { $_->{status} == 200 && $_->{json}{duplicate} && $_->{json}{id} eq $id } @again), 40,
    'forty times';
# A child that is idle takes them all where each takes its time.
my $asked = sub { scalar keys %{ { map { $_ => 1 } WordSocket::Server::slurp("$server->{root}/logs/access_log") =~ m{^\[.*?\] (\d+) .*/publish}mg } } };
for (1 .. 200) {
    last if $asked->() >= 2;
    WordSocket::Client->new($server)->publish_body($body, ts => $ts);
}
cmp_ok $asked->(), '>=', 2, 'several children were asked';
is said($client->publish_body($body, ts => $ts, sign => uc $client->signature($body, $ts))), '200 ',
    'nor does hex in capitals make it another request';
is_deeply [ arrived() ], [ ([ "e$count $id" ]) x 2 ], 'it was delivered once';

my $later = $client->publish_body($body, ts => $ts + 1);
ok !$later->{json}{duplicate}, 'another time stamp makes another message';
isnt $later->{json}{id}, $id, 'with an id of its own';
is_deeply [ arrived() ], [ ([ "e$count $later->{json}{id}" ]) x 2 ], 'which is delivered';

# Eight at the same moment: heads and bodies but one byte, then the last bytes.
$body = body();
my %header = $client->signed_headers($body);
my $request = join "\r\n", "POST $server->{path}/publish HTTP/1.1", 'Host: x',
    (map { "$_: $header{$_}" } keys %header), 'Content-Length: ' . length $body, '', $body;
my @wires = map { WordSocket::Wire->open_wire($client->connect_options) } 1 .. 8;
$_->send_bytes(substr $request, 0, -1) for @wires;
sleep 0.3;
$_->send_bytes(substr $request, -1) for @wires;
my @said = map { $_->exchange(''); $_->take($_->header('Content-Length'), time + 10) } @wires;
is scalar(grep { /"ok":true/ } @said), 8, 'eight at once are all answered';
is scalar(grep { !/"duplicate"/ } @said), 1, 'one of them was the first';
my %ids = map { /"id":"([^"]+)"/ ? ($1 => 1) : () } @said;
is scalar keys %ids, 1, 'all have one id';
is_deeply [ arrived() ], [ ([ "e$count @{[ keys %ids ]}" ]) x 2 ], 'one message was delivered';

ok $server->graceful, 'a graceful restart';
my $after = WordSocket::Client->new($server)->publish_body($body, ts => $header{'X-WP-Signal-Ts'});
ok $after->{json}{duplicate}, 'the next generation remembers';
ok $ids{ $after->{json}{id} }, 'and knows the first id';
$ws  = $client->socket(channels => ['events']);
$sse = $client->events(channels => ['events']);

# --- refused is not remembered --------------------------------------------------

my $slow = WordSocket::Client->new($server, site => $narrow);
$ts = int(time * 1000);
my @held = map { { body => body(), ts => $ts + $_ } } 1 .. 4;
$_->{answer} = $slow->publish_body($_->{body}, ts => $_->{ts}) for @held;
my ($refused) = grep { $_->{answer}{status} == 429 } @held;
ok $refused, 'a message is refused for its rate';
sleep $refused->{answer}{headers}{'retry-after'};
my $retry = $slow->publish_body($refused->{body}, ts => $refused->{ts});
is said($retry), '200 ', 'the same bytes go through after Retry-After';
ok !$retry->{json}{duplicate}, 'as a message that was not there';
for my $bad ('{"channel":"wps:x","event":"e"}', '{"channel":"events"}', 'x') {
    my @both = map { said($client->publish_body($bad, ts => $ts)) } 1, 2;
    is $both[0], $both[1], "$bad is refused twice in the same words";
}

# The clock is looked at when the body is there: who holds it back cannot outlast
# the memory of what was seen.
$body = body();
$ts = int(time * 1000) - 58_500;
my $aged = $client->publish_body($body, ts => $ts);
is said($aged), '200 ', 'a message of almost a minute ago';
%header = $client->signed_headers($body, ts => $ts);
$request = join "\r\n", "POST $server->{path}/publish HTTP/1.1", 'Host: x',
    (map { "$_: $header{$_}" } keys %header), 'Content-Length: ' . length $body, '', $body;
my $late = WordSocket::Wire->open_wire($client->connect_options);
$late->send_bytes(substr $request, 0, -1);
sleep 2.5;
is $late->exchange(substr $request, -1), 401, 'the same, begun in time and ended later';
like $late->take($late->header('Content-Length'), time + 10), qr/stale_timestamp/, '... is out of time';
is_deeply [ arrived() ], [ ([ "e$count $aged->{json}{id}" ]) x 2 ], '... and was delivered once';

# --- lists ------------------------------------------------------------------------

sub list { '[' . join(',', @_) . ']' }
sub numbers { map { /-(\d+)$/ } @_ }

for my $n (1, 2, 100) {
    my $from = $count + 1;
    my $sent = list(map { body() } 1 .. $n);
    $ts = int(time * 1000);
    my $answer = $client->publish_body($sent, ts => $ts);
    is_deeply [ sort keys %{ $answer->{json} } ], [ 'ids', 'ok' ], "a list of $n is answered with ids";
    my @ids = @{ $answer->{json}{ids} };
    my ($least) = numbers(@ids);
    is_deeply [ numbers(@ids) ], [ $least .. $least + $n - 1 ], 'that follow each other';
    my $again = $client->publish_body($sent, ts => $ts)->{json};
    ok $again->{duplicate}, 'again it is a duplicate';
    is_deeply $again->{ids}, \@ids, 'with all the first ids';
    is_deeply [ arrived() ], [ ([ map { "e@{[ $from + $_ ]} $ids[$_]" } 0 .. $n - 1 ]) x 2 ],
        'and each message came once, in order';
}

my %bad = (
    'an empty one' => [ '[]', 'invalid_json' ],
    'one of 101' => [ list(map { body() } 1 .. 101), 'invalid_json' ],
    'a list in it' => [ list(body(), list(body())), 'invalid_json' ],
    'null in it' => [ list(body(), 'null'), 'invalid_json' ],
    'a bad channel in the middle' => [ list(body(), '{"channel":"a,b","event":"e"}', body()), 'invalid_channel' ],
    'a channel of the relay at the end' => [ list(body(), '{"channel":"wps:x","event":"e"}'), 'invalid_channel' ],
    'no event at the end' => [ list((map { body() } 1 .. 99), '{"channel":"events"}'), 'invalid_json' ],
);
for my $what (sort keys %bad) {
    is said($client->publish_body($bad{$what}[0])), "400 $bad{$what}[1]", "a list: $what is refused";
}
is_deeply [ arrived() ], [ [], [] ], 'and nothing of any of them was delivered';

# Each message of a list costs one; a list that costs too much leaves nothing.
sleep 2.1;
my $head = $slow->poll->{json}{cursor};
is said($slow->publish_body(list(body(), body(), body()))), '429 rate_limited', 'three where the burst is two';
is_deeply $slow->poll(since => $head)->{json}{messages}, [], 'none of the three is there';
sleep 2.1;
is said($slow->publish_body(list(body(), body()))), '200 ', 'two go through';
is said($slow->publish_body(body())), '429 rate_limited', 'and cost two';

$server->stop;
done_testing;
