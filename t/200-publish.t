# SPDX-License-Identifier: Apache-2.0
# POST /publish: signature version 1, the order of checks, what a message is,
# where it arrives.
use v5.30;
use warnings;
use lib 't/lib';
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use WordSocket::Client;
use WordSocket::Server;

sub vectors {
    my ($name) = @_;
    return WordSocket::Client->decode(WordSocket::Server::slurp("t/vectors/$name.json"));
}

my $signatures = vectors('crypto')->{signatures};
my $channels   = vectors('channels');

# A site for each secret of the vectors; the first is the wire document's own.
my %site_of = ('publish-secret' => WordSocket::Server::default_site());
$site_of{ $_->{secret} } //= { site_key => 'site-' . keys %site_of,
    publish_secret => $_->{secret}, jwt_secret => 'j' } for @$signatures;
my $rotated = { site_key => 'rotated', publish_secret => [ 'new', 'old' ], jwt_secret => [ 'new-jwt', 'old-jwt' ] };
my $small   = { site_key => 'small', publish_secret => 's', jwt_secret => 'j',
    limits => { max_publish => 2048, publish_rate => 0, publish_burst => 0 } };
my $narrow  = { site_key => 'narrow', publish_secret => 's', jwt_secret => 'j',
    limits => { publish_rate => 1, publish_burst => 2 } };

my $own = delete $site_of{'publish-secret'};
my $server = WordSocket::Server->new(
    sites => [ $own, values %site_of, $rotated, $small, $narrow ],
    lines => "WordSocketPublishRate 10000 10000\nWordSocketMaxPublish 64K")->start;
my $client = WordSocket::Client->new($server);
sub client_of { WordSocket::Client->new($server, site => $_[0]) }

sub said {
    my ($answer) = @_;
    return "$answer->{status} " . ($answer->{json}{error} // '');
}
sub is_said { my ($answer, $want, $name) = @_; is said($answer), $want, $name }

# --- the signature --------------------------------------------------------------

# Old time stamps: the signature was right if only the clock is complained of.
for my $case (@$signatures) {
    my $by = client_of($site_of{ $case->{secret} } // $own);
    my $body = $case->{body};
    utf8::encode($body);
    my %given = (ts => $case->{ts}, sign => $case->{sign});
    is_said $by->publish_body($body, %given), '401 stale_timestamp', "$case->{name}: the signature is right";
    (my $other = $case->{sign}) =~ s/(.)$/$1 eq '0' ? '1' : '0'/e;
    is_said $by->publish_body($body, %given, sign => $other), '401 invalid_signature', '... and its neighbour is not';
    is_said $by->publish_body("$body ", %given), '401 invalid_signature', '... nor for another body';
}

my $good = '{"channel":"events","event":"e","data":{}}';
my $answer = $client->publish_body($good);
is_said $answer, '200 ', 'a signed message is taken';
is_deeply [ sort keys %{ $answer->{json} } ], [ 'id', 'ok' ], 'the answer has ok and the id';
like $answer->{json}{id}, qr/^[0-9a-f]{12}-\d+$/, 'of the form epoch-sequence';
is $answer->{headers}{'content-type'}, 'application/json', 'it is JSON';
is $answer->{headers}{'cache-control'}, 'no-store', 'and not stored';

my %bad_sign = (
    'the probe'    => 'dummy', 'nothing' => '', 'a letter too few' => 'a' x 63, 'one too many' => 'a' x 65,
    'no hex'       => 'g' x 64, 'zeroes' => '0' x 64,
    'a long text'  => 'f' x 4000, 'half a hash' => 'ab' x 16, 'blanks' => ' ' x 64, 'a version' => 'v2=' . 'a' x 64,
);
for my $what (sort keys %bad_sign) {
    for my $body ('{}', $good) {
        is_said $client->publish_body($body, sign => $bad_sign{$what}), '401 invalid_signature',
            "a signature that is $what, body $body";
    }
}
my $ts = int(time * 1000);
my $sign = $client->signature($good, $ts);
for my $left_out (qw(Ts Sign)) {
    my %header = $client->signed_headers($good);
    delete $header{"X-WP-Signal-$left_out"};
    is_said $client->request(POST => '/publish', content => $good, headers => \%header), '401 invalid_signature',
        "no X-WP-Signal-$left_out";
}
for my $bad_ts ('', 'now', '-1', '1.5', " $ts 1", '9' x 17, '0x10', '1e12', int(time)) {
    my $want = $bad_ts =~ /^\d{1,16}$/ ? 'stale_timestamp' : 'invalid_signature';
    is_said $client->publish_body($good, ts => $bad_ts), "401 $want", "the time '$bad_ts'";
}
is_said $client->publish_body($good, ts => $ts, sign => uc $sign), '200 ', 'hex in capitals is the same signature';
sub raw_publish {
    my (@lines) = @_;
    return $client->raw(join "\r\n", "POST $server->{path}/publish HTTP/1.1", 'Host: x', @lines,
        'Content-Length: ' . length $good, '', $good);
}
is_said raw_publish("x-wp-signal-key:$own->{site_key}", "X-WP-SIGNAL-TS:  $ts ", "x-WP-signal-SIGN: $sign\t"), '200 ',
    'names of headers in any case, blanks around values';
my @right = ("X-WP-Signal-Key: $own->{site_key}", "X-WP-Signal-Ts: $ts");
is_said raw_publish(@right, "X-WP-Signal-Sign: \xe2\x98\x83\xff"), '401 invalid_signature', 'a signature beyond ASCII';
is_said raw_publish(@right, ("X-WP-Signal-Sign: $sign") x 2), '401 invalid_signature', 'a signature given twice';
is_said raw_publish(@right, $right[0], "X-WP-Signal-Sign: $sign"), '401 unknown_site_key', 'a key given twice';

my $two = client_of($rotated);
is_said $two->publish_body($good), '200 ', 'the newer of two secrets signs';
is_said $two->publish_body($good, ts => $ts, sign => client_of({ %$rotated, publish_secret => 'old' })
        ->signature($good, $ts)), '200 ', 'and so does the older';
is_said $two->publish_body($good, ts => $ts, sign => client_of({ %$rotated, publish_secret => $_ })
        ->signature($good, $ts)), '401 invalid_signature', "but not '$_'"
    for '', 'newold', 'new-jwt';

# --- the clock ------------------------------------------------------------------

# Time passes on the way, so each edge is surely on one side of it only.
my %clock = (-60_001 => '401 stale_timestamp', -57_000 => '200 ', -1000 => '200 ', 1000 => '200 ',
    60_000 => '200 ', 63_000 => '401 stale_timestamp', 3_600_000 => '401 stale_timestamp');
for my $off (sort { $a <=> $b } keys %clock) {
    is_said $client->publish_body($good, ts => int(time * 1000) + $off), $clock{$off}, "a clock that is $off ms off";
}

# --- the order of checks ----------------------------------------------------------

my $huge = 'x' x 70_000;
my $large = 'x' x 3000;
my $old = 1_700_000_000_000;
my $tiny = client_of($small);
is_said $client->publish_body($huge, key => 'nobody', sign => 'dummy', ts => $old), '413 too_large', 'the size is first';
is_said $tiny->publish_body($large, key => 'nobody', sign => 'dummy', ts => $old), '401 unknown_site_key', 'then the key';
is_said $tiny->publish_body($large, sign => 'dummy', ts => $old), '413 too_large', 'then the size this site allows';
is_said $tiny->publish_body('no JSON', sign => 'dummy', ts => $old), '401 invalid_signature', 'then the signature';
is_said $tiny->publish_body('no JSON', ts => $old), '401 stale_timestamp', 'then the clock';
is_said $tiny->publish_body('no JSON'), '429 rate_limited', 'then the quota';
is_said $client->publish_body('[{"channel":"wps:x","event":"e"},'), '400 invalid_json', 'then JSON';
is_said $client->publish_body('{"channel":"wps:x","event":"e"}'), '400 invalid_channel', 'then the channel';
is_said $client->publish_body('{}', key => 'nobody', sign => 'dummy'), '401 unknown_site_key', 'the probe of a stranger';
is_said $client->publish_body('{}', sign => 'dummy'), '401 invalid_signature', 'the probe of a site';
is_said $client->publish_body($good, key => $_), '401 unknown_site_key', "the key '$_'"
    for '', uc $own->{site_key}, "$own->{site_key}x", 'k' x 65, '../sites', $client->site_id;

# --- quotas -------------------------------------------------------------------------

my $slow = client_of($narrow);
is_said $slow->publish('events', 'e', $_), '200 ', "message $_ is within the burst" for 1, 2;
my @held = map { $slow->publish('events', 'e', 3) } 1 .. 3;
my ($refused) = grep { $_->{status} == 429 } @held;
ok $refused, 'then comes 429';
is $refused->{json}{error}, 'rate_limited', 'with a code that does not silence the plugin';
like $refused->{headers}{'retry-after'}, qr/^[1-9]$/, 'and with Retry-After in seconds';
unlike $_->{content}, qr/quota/, 'never a word of quota' for @held;
is_said $client->publish_body($good), '200 ', 'other sites have a purse of their own';
is_said $tiny->publish_body($good), '429 rate_limited', 'a rate of 0 is none';

# --- what a message is --------------------------------------------------------------

my $ws  = $client->socket(channels => ['events']);
my $sse = $client->events(channels => ['events']);
sub arrives {
    my ($body, $want, $name) = @_;
    my $sent = $client->publish_body($body);
    is_said $sent, '200 ', "$name is taken" or return;
    my ($message) = $ws->messages(1, 10);
    is_deeply [ @{$message}{qw(channel event data id)} ], [ 'events', @$want, $sent->{json}{id} ], '... and arrives';
    my ($event) = $sse->messages(1, 10);
    is_deeply [ @{$event}{qw(channel event data id sse_id)} ],
        [ 'events', @$want, ($sent->{json}{id}) x 2 ], '... on the event stream, too';
    return;
}
my $qualified = $client->qualified('events');
arrives('{"channel":"events","event":"a","data":{"n":1}}', [ 'a', { n => 1 } ], 'a bare channel');
arrives(qq({"channel":"$qualified","event":"a","data":{"n":1}}), [ 'a', { n => 1 } ], 'a qualified channel');
arrives('{"channel":"events","event":"a"}', [ 'a', {} ], 'a message without data');
arrives(qq({"event":"a",\n "more":[1],\t"channel":"events" }\r\n), [ 'a', {} ], 'white space and unknown members');
arrives(qq({"channel":"\\u0065vents","event":"a"}), [ 'a', {} ], 'an escape in a channel');
arrives('{"channel":"events","event":"' . 'e' x 200 . '"}', [ 'e' x 200, {} ], 'an event of 200 bytes');
arrives('{"channel":"events","event":"a\"\\\\\\n\\u2028"}', [ "a\"\\\n\x{2028}", {} ], 'an event that needs escapes');
my %data = (
    'null' => undef, '0' => 0, '-12345678901' => -12345678901, '9223372036854775807' => 9223372036854775807,
    '1.5e300' => 1.5e300, '""' => '', '[]' => [], '[[[{}]]]' => [ [ [ {} ] ] ], '"\\ud83d\\ude00"' => "\x{1f600}",
    "\"\xc3\xbc\"" => "\x{fc}", '"line\\u000abreak\\r\\n\\n"' => "line\nbreak\r\n\n", '{"":{"a b":"\\u001f"}}' => { '' => { 'a b' => "\x1f" } },
    '{"v":1,"p":"AAECAwQFBgcICQoLX9MeXoTdLiO5h/EF3w=="}' => { v => 1, p => 'AAECAwQFBgcICQoLX9MeXoTdLiO5h/EF3w==' },
);
arrives(qq({"channel":"events","event":"d","data":$_}), [ 'd', $data{$_} ], "data $_") for sort keys %data;
my $deep = '[' x 1000 . ']' x 1000;
is_said $client->publish_body(qq({"channel":"deep","event":"d","data":$deep})), '200 ', 'nesting of a thousand';

my %no_message = (
    'nothing' => '', 'text' => '"events"', 'a number' => '7', 'null' => 'null', 'an object without members' => '{}',
    'no event' => '{"channel":"events"}', 'no channel' => '{"event":"e"}', 'half of it' => '{"channel":"events",',
    'an empty event' => '{"channel":"events","event":""}', 'a number for an event' => '{"channel":"events","event":1}',
    'an event of 201 bytes' => '{"channel":"events","event":"' . 'e' x 201 . '"}',
    'a list for a channel' => '{"channel":["events"],"event":"e"}', 'a channel twice' => '{"channel":"a","channel":"events","event":"e"}',
    'a member twice, deep inside' => '{"channel":"events","event":"e","data":[{"a":1,"a":2}]}',
    'something after it' => "$good x", 'two of them' => $good x 2, 'a byte order mark' => "\xef\xbb\xbf$good",
    'malformed UTF-8' => "{\"channel\":\"events\",\"event\":\"e\",\"data\":\"\xff\"}",
    'overlong UTF-8' => "{\"channel\":\"events\",\"event\":\"\xc0\xaf\"}",
    'half a surrogate pair' => '{"channel":"events","event":"e","data":"\\ud83d"}',
    'a NUL byte' => "{\"channel\":\"events\",\"event\":\"e\"}\0", 'a NUL byte inside' => "{\"channel\":\"ev\0\",\"event\":\"e\"}",
    'an escaped NUL in the name of a member' => '{"channel":"events","event":"e","data":{"a\\u0000b":1}}',
    'an escaped NUL in an event' => '{"channel":"events","event":"e\\u0000"}',
    'NaN' => '{"channel":"events","event":"e","data":NaN}', 'a number without bounds' => '{"channel":"events","event":"e","data":1e400}',
    'nesting of thirty thousand' => '{"channel":"events","event":"e","data":' . '[' x 30_000 . ']' x 30_000 . '}',
    'nesting that never ends' => '[' x 60_000, 'form data' => 'channel=events&event=e',
);
is_said $client->publish_body($no_message{$_}), '400 invalid_json', "$_ is refused" for sort keys %no_message;

is scalar(my @none = $ws->messages(1, 0.5)), 0, 'and nothing of that arrived';

# Text in data may have any character, and arrives as it was.
{
    my $data = { text => "a\0b", list => ["\0"], plain => '\\u0000' };
    is_said $client->publish('events', 'nul', $data), '200 ', 'data with a NUL in it';
    is_deeply(($ws->messages(1))[0]{data}, $data, 'arrives');
    is_deeply $client->poll(since => $client->poll->{json}{cursor} =~ s/-(\d+)$/'-' . ($1 - 1)/er)->{json}{messages}[0]{data}, $data,
        'by poll, too';
}

# --- channels ---------------------------------------------------------------------

sub to_channel { my ($name) = @_; $client->publish_body('{"channel":' . encode_json([$name]) =~ s/^\[|\]$//gr . ',"event":"e"}') }
for my $case (@{ $channels->{names} }) {
    is_said to_channel($case->{channel}), $case->{valid} ? '200 ' : '400 invalid_channel', "channel: $case->{name}";
}
for my $case (@{ $channels->{reserved} }) {
    next if $case->{channel} eq '';
    my $want = $case->{reserved} ? '400 invalid_channel' : '200 ';
    is_said to_channel($case->{channel}), $want, "channel $case->{channel}";
    is_said to_channel($client->qualified($case->{channel})), $want, '... and qualified';
}
$server->stop;
done_testing;
