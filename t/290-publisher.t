# SPDX-License-Identifier: Apache-2.0
# The publish socket: who may open one, what each frame is answered, and what
# ends it.
use v5.30;
use warnings;
use lib 't/lib';
use IO::Select;
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Client;
use WordSocket::Server;
use WordSocket::Talk qw(both);

my %secrets = (publish_secret => [ 'new-secret', 'old-secret' ], jwt_secret => 'j');
my $first  = { site_key => 'first', %secrets, limits => { max_publish => 3000 } };
my $second = { site_key => 'second', %secrets, signature => 2 };
my $narrow = { site_key => 'narrow', %secrets, limits => { publish_rate => 1, publish_burst => 2, connections => 2 } };
my $server = WordSocket::Server->new(children => 4, sites => [ $first, $second, $narrow ],
    lines => "WordSocketPublishRate 100000 1000000\nWordSocketMaxPublish 64K")->start;
my $client = WordSocket::Client->new($server);

sub signed { my ($who, %option) = @_; return { $who->signed_headers_v2('', method => 'GET', path => '/publisher', %option) } }

# A publish socket; status => what else is wanted.
sub publisher {
    my ($who, %option) = @_;
    return WordSocket::Frames->connect(path => '/publisher', headers => signed($who), $who->connect_options(%option));
}

# The code of an upgrade that is refused, and its status.
sub refused {
    my ($who, $headers, %option) = @_;
    my %header = (Host => 'x', Connection => 'Upgrade', Upgrade => 'websocket', 'Sec-WebSocket-Version' => 13,
        'Sec-WebSocket-Key' => WordSocket::Frames->KEY, %$headers);
    my $answer = $who->raw(join "\r\n", ($option{method} // 'GET') . " $server->{path}/publisher HTTP/1.1",
        (map { "$_: $header{$_}" } grep { defined $header{$_} } sort keys %header), '', '');
    return "$answer->{status} " . ($answer->{json}{error} // '');
}

# The next answer, pings aside; text of a close, if that is what comes.
sub answer {
    my ($socket, $seconds) = @_;
    my $end = time + ($seconds // 10);
    while (my $frame = $socket->receive($end - time)) {
        if ($frame->{opcode} == WordSocket::Frames::PING) {
            $socket->send_frame(opcode => WordSocket::Frames::PONG, payload => $frame->{payload});
            next;
        }
        return { closed => WordSocket::Frames::close_of($frame)->{code} } if $frame->{opcode} == WordSocket::Frames::CLOSE;
        return WordSocket::Client->decode($frame->{payload});
    }
    return {};
}
sub ask { my ($socket, $text) = @_; $socket->send_text($text); return answer($socket) }

my $good = '{"channel":"events","event":"e","data":{"n":1}}';

# --- who may open one --------------------------------------------------------------

is refused($client, signed($client, secret => 'x')), '401 invalid_signature', 'a wrong signature';
is refused($client, signed($client, path => '/publish')), '401 invalid_signature', 'one for another path';
is refused($client, signed($client, method => 'POST')), '401 invalid_signature', 'one for another method';
is refused($client, signed($client, body => $good)), '401 invalid_signature', 'one of a body';
is refused($client, signed($client, ts => int(time * 1000) - 61_000)), '401 stale_timestamp', 'an old one';
is refused($client, signed($client, ts => int(time * 1000) + 63_000)), '401 stale_timestamp', 'an early one';
is refused($client, signed($client, key => 'nobody')), '401 unknown_site_key', 'a key nobody has';
is refused($client, {}), '401 unknown_site_key', 'none';
is refused($client, { $client->signed_headers('') }), '401 signature_v2_required', 'one of version 1';
is refused($client, { %{ signed($client) }, Upgrade => undef }), '426 upgrade_required', 'no upgrade';
is refused($client, signed($client), method => 'POST'), '405 method_not_allowed', 'another method';
is $client->stats->{json}{active_connections}, 0, 'nobody of them is a connection';

my %upgrade = %{ signed($client) };
my $socket = WordSocket::Frames->connect(path => '/publisher', headers => \%upgrade, $client->connect_options);
is ask($socket, $good)->{ok}, 1, 'the right one opens a socket';
is scalar(grep { refused(WordSocket::Client->new($server), \%upgrade) eq '401 nonce_reused' } 1 .. 20), 20,
    'the same upgrade again is refused, twenty times';
my $nonce = $upgrade{'X-WordSocket-Nonce'};
is refused($client, signed($client, nonce => $nonce)), '401 nonce_reused', 'so is another with its nonce';
my $body_with = $client->publish_v2($good, nonce => $nonce);
is $body_with->{json}{error}, 'nonce_reused', 'or a message with it';
is $client->stats->{json}{active_connections}, 1, 'it is one connection';
my $old = WordSocket::Frames->connect(path => '/publisher',
    headers => signed($client, secret => 'old-secret'), $client->connect_options);
is ask($old, $good)->{ok}, 1, 'the secret before opens one, too';
$old->hang_up;

# --- what it takes ------------------------------------------------------------------

both {
    my ($who, $how) = @_;
    for my $site ($first, $second) {
        my $c = WordSocket::Client->new($server, site => $site, tls => $who->{tls});
        my $ws  = $c->socket(channels => ['events']);
        my $sse = $c->events(channels => ['events']);
        my $sender = publisher($c);
        my $said = ask($sender, $good);
        is_deeply [ sort keys %$said ], [ 'id', 'ok' ], "$how$site->{site_key}: a message is answered";
        my $list = ask($sender, "[$good,$good,$good]");
        is scalar @{ $list->{ids} }, 3, 'a list has an id for each';
        for my $from ($ws, $sse) {
            is_deeply [ map { $_->{id} } $from->messages(4, 10) ], [ $said->{id}, @{ $list->{ids} } ],
                'all are delivered, in order';
        }
        isnt ask($sender, $good)->{id}, $said->{id}, 'the same bytes in another frame are another message';
    }
} $server;

my $ws = $client->socket(channels => ['events']);
my %refusal = (
    'not JSON' => [ 'x', 'invalid_json' ], 'no event' => [ '{"channel":"events"}', 'invalid_json' ],
    'an empty list' => [ '[]', 'invalid_json' ], 'a bad channel' => [ '{"channel":"a,b","event":"e"}', 'invalid_channel' ],
    'a channel of the relay' => [ '{"channel":"wps:connections","event":"e"}', 'invalid_channel' ],
    'a list with a bad end' => [ "[$good,{}]", 'invalid_json' ], 'a large one' => [ ' ' x 3000 . '{}', 'too_large' ],
    'nesting that never ends' => [ '[' x 2900, 'invalid_json' ],
);
for my $what (sort keys %refusal) {
    my $said = ask($socket, $refusal{$what}[0]);
    is $said->{error}, $refusal{$what}[1], "$what is refused";
    ok exists $said->{ok} && !$said->{ok} && length $said->{message}, '... in words';
}
$socket->send_binary($good);
is answer($socket)->{error}, 'invalid_json', 'a binary frame is none';
my $id = ask($socket, $good)->{id};
is_deeply [ map { $_->{id} } $ws->messages(1, 10) ], [$id], 'the socket stays, and only what was taken is delivered';
my $large = publisher($client);
$large->send_text(' ' x 10_000);
is $large->close_code, 1009, 'a frame far beyond the limit closes it';

# --- quotas --------------------------------------------------------------------------

my $poor = WordSocket::Client->new($server, site => $narrow);
my $slow = publisher($poor);
is ask($slow, $good)->{ok}, 1, "message $_ is within the burst" for 1, 2;
my $held = ask($slow, $good);
is $held->{error}, 'rate_limited', 'the next is refused';
like $held->{retry}, qr/^[12]$/, 'with a time to come back';
is $poor->publish_v2($good)->{status}, 429, 'the purse is that of POST /publish';
sleep 2.1;
is ask($slow, $good)->{ok}, 1, 'later it goes through';
my $other = $poor->socket(channels => []);
is refused($poor, signed($poor)), '429 connection_limit', 'a publish socket counts among the connections';
$other->hang_up;
ok $server->wait_for(5, sub { $poor->stats->{json}{active_connections} == 1 }), 'a place is free';
$other = publisher($poor);
$_->hang_up for $slow, $other;
ok $server->wait_for(5, sub { $poor->stats->{json}{active_connections} == 0 }), 'and each is given back';

# --- who does not read ------------------------------------------------------------

my $deaf = publisher($client, receive_buffer => 4096);
my $frame = WordSocket::Frames::frame(payload => '{}' . ' ' x 78);
my ($frames, $out, $stuck) = (0, '', 0);
$deaf->{socket}->blocking(0);
while (!$stuck && $frames < 2_000_000) {
    $out .= $frame x 1000, $frames += 1000 if length $out < length $frame;
    $stuck = !IO::Select->new($deaf->{socket})->can_write(1);
    my $n = $stuck ? 0 : $deaf->{socket}->syswrite($out);
    substr $out, 0, $n, '' if $n;
}
ok $stuck, 'who does not read its answers is not read';
my $sent = $frames - int length($out) / length $frame;
$sent-- if length($out) % length $frame;
$deaf->{socket}->blocking(1);
my $answers = 0;
$answers += (answer($deaf, 5)->{error} // '') eq 'invalid_json' for 1 .. $sent;
is $answers, $sent, "all of $sent are answered when it does";
$deaf->hang_up;

# --- what ends it ---------------------------------------------------------------------

$socket->send_close(1000);
is $socket->close_code, 1000, 'a Close is answered';
my %who = map { $_->{site_key} => WordSocket::Client->new($server, site => $_) } $first, $second, $narrow;
my %open = (kept => publisher($who{first}), gone => publisher($who{narrow}), revoked => WordSocket::Frames->connect(
    path => '/publisher', headers => signed($who{second}, secret => 'old-secret'), $who{second}->connect_options));
is ask($open{$_}, $good)->{ok}, 1, "$_: open" for sort keys %open;
%upgrade = %{ signed($who{first}) };
WordSocket::Frames->connect(path => '/publisher', headers => \%upgrade, $client->connect_options)->hang_up;
$server->write_file('sites.json', WordSocket::Client->encode(
    [ $first, { %$second, publish_secret => [ 'newest-secret', 'new-secret' ] } ]));
my $begin = time;
$server->signal('USR1');
is answer($open{revoked}, 5)->{closed}, 4001, 'a secret that is not live any more closes it';
is answer($open{gone}, 5)->{closed}, 4003, 'a site that is gone does';
cmp_ok time - $begin, '<', 2.5, 'soon';
ok $server->wait_for(20, sub { refused($client, \%upgrade) eq '401 nonce_reused' }),
    'the next generation knows the upgrades of the last';
is ask($open{kept}, $good)->{ok}, 1, 'and goes on with those that are open';
is ask(publisher($who{first}), $good)->{ok}, 1, 'and takes new ones';
is refused($who{second}, signed($who{second}, secret => 'old-secret')), '401 invalid_signature', 'but not by the old secret';
ok $server->wait_for(10, sub { $server->log_text =~ /WSK0401 publisher of site second ended: code 4001/ }),
    'the log tells who ended, and why';

$server->stop;
done_testing;
