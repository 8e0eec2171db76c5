# SPDX-License-Identifier: Apache-2.0
# Messages of browsers: rights, echo, acks, ids, rates, and the data unharmed.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep);
use WordSocket::Talk;

my $server = WordSocket::Server->shared;

both {
    my ($client, $how) = @_;
    my $name = channel();
    my $sender = $client->socket(channels => [$name]);
    my $hears  = $client->socket(channels => [$name]);
    my $reads  = $client->events(channels => [$name]);
    $sender->send_json({ type => 'message', channel => $client->qualified($name), event => 'hi', data => { n => 1 } });
    my ($got) = $hears->messages(1);
    is_deeply $got, { type => 'message', channel => $name, event => 'hi', data => { n => 1 }, id => $got->{id} },
        "${how}a browser's message comes as a publisher's would, under the bare name";
    like $got->{id}, qr/\A[0-9a-f]{12}-[1-9]\d*\z/, "${how}with an id";
    is_deeply [ $sender->messages(1) ], [$got], "${how}and comes back to its sender, who is subscribed";
    my ($event) = $reads->messages(1);
    is_deeply [ @$event{qw(id sse_id channel)} ], [ $got->{id}, $got->{id}, $name ], "${how}an event stream has it, too";

    # Not to a sender that is not; and an ack where one was asked for.
    my $other = $client->socket;
    $other->send_json({ type => 'message', channel => $name, event => 'hi', data => {} });
    is_deeply [ fence($other) ], [], "${how}a sender that is not subscribed hears nothing of it";
    for my $ref ('a1', 'r' x 64, "\x{e9}\"\\", '', 7, -9223372036854775808) {
        $other->send_json({ type => 'message', channel => $name, event => 'ref', data => {}, ref => $ref });
        my $ack = $other->message;
        is_deeply $ack, { type => 'ack', ref => $ref, id => $ack->{id} }, "${how}an ack for the ref '$ref'";
        my $came;
        do { ($came) = $hears->messages(1) } while $came && $came->{event} ne 'ref';
        is $came->{id}, $ack->{id}, "${how}with the id it was delivered under";
        ok !exists $came->{ref}, "${how}and the ref stays with its sender";
    }
    $other->send_text(qq({"type":"message","channel":"$name","event":"never","ref":$_})) for '{}', '1.5', '"' . 'r' x 65 . '"';
    is codes($other), 'bad_message bad_message bad_message', "${how}a ref of another kind is refused";
    is_deeply [ grep { $_->{event} eq 'never' } until_marker($client, $hears, $name) ], [], "${how}and nothing was sent";
    $_->hang_up for $sender, $hears, $reads, $other;
} $server;

# Rights.
both {
    my ($client, $how) = @_;
    my ($mine, $theirs) = (channel('mine'), channel('theirs'));
    my $hears = $client->socket(channels => [ $mine, $theirs ]);
    my $ws    = $client->socket(token => $client->token(allowed_publish_prefixes => [ $client->qualified('mine') ]));
    my $send  = sub { $ws->send_json({ type => 'message', channel => $_[0], event => 'e', data => {}, ref => 'x' }) };
    for my $channel ($theirs, $client->qualified($theirs)) {
        $send->($channel);
        my ($error) = fence($ws);
        is_deeply [ @$error{qw(type code ref)} ], [ 'error', 'publish_forbidden', 'x' ], "${how}no right to send to '$channel'";
    }
    $send->($mine);
    is $ws->message->{type}, 'ack', "${how}the connection stays, and sends where it may";
    is_deeply [ map { $_->{channel} } until_marker($client, $hears, $mine) ], [$mine], "${how}what was refused was not sent";

    for my $token ($client->token, $client->token(v => 1), $client->token(allowed_publish_prefixes => [ 'wps:', $client->qualified('wps:') ])) {
        $ws = $client->socket(token => $token);
        for my $channel ('wps:connections', 'wps:x', $client->qualified('wps:x'), $client->qualified($client->qualified('wps:x'))) {
            $send->($channel);
            is codes($ws), 'publish_forbidden', "${how}'$channel' is closed to every browser";
        }
        $ws->hang_up;
    }
    is $client->publish('wps:x', 'e', {})->{json}{error}, 'invalid_channel', "${how}and to publishers";

    $ws = $client->socket;
    for my $channel ('', 'a,b', ' a', "a\x{7f}", 'n' x 201) {
        $send->($channel);
        is codes($ws), 'invalid_channel', "${how}'" . substr($channel, 0, 9) . "' is not a channel name";
    }
    my %event = ('' => 'bad_message', 'e' x 200 => 'ack', 'e' x 201 => 'bad_message', "e\0" => 'bad_message');
    for my $event (sort keys %event) {
        $ws->send_json({ type => 'message', channel => $mine, event => $event, data => {}, ref => 1 });
        is codes($ws), $event{$event}, "${how}an event name of " . length($event) . ' bytes';
    }
    my $v1 = $client->socket(token => $client->token(v => undef, allowed_publish_prefixes => undef));
    $v1->send_json({ type => 'message', channel => $mine, event => 'e', ref => 1 });
    is $v1->message->{type}, 'ack', "${how}before version 2 whoever reads may write";
    my $none = $client->socket(token => $client->token(allowed_publish_prefixes => []));
    $none->send_json({ type => 'message', channel => $mine, event => 'e', ref => 1 });
    is codes($none), 'publish_forbidden', "${how}an empty list is no right at all";
    $_->hang_up for $hears, $ws, $v1, $none;
} $server;

# Ids: one by one, whatever the channel and whoever sends.
{
    my $client = WordSocket::Client->new($server);
    my @names  = (channel(), channel());
    my $ws     = $client->socket(channels => \@names);
    for my $n (1 .. 20) {
        $n % 3
            ? $ws->send_json({ type => 'message', channel => $names[ $n % 2 ], event => 'e', data => $n })
            : $client->publish($names[ $n % 2 ], 'e', $n);
    }
    my @got = $ws->messages(20);
    my ($first) = $got[0]{id} =~ /-(\d+)/;
    my ($epoch) = $got[0]{id} =~ /\A(.*)-/;
    is_deeply [ map { $_->{id} } @got ], [ map { "$epoch-" . ($first + $_) } 0 .. 19 ], 'ids of one epoch, each one more than the last';
    is_deeply [ sort { $a <=> $b } map { $_->{data} } @got ], [ 1 .. 20 ], 'each message once';
    $ws->hang_up;
}

# Data comes as it was sent. What is exact is compared by its bytes.
my @exact = (
    '{}', '[]', 'null', 'true', 'false', '0', '-1', '""', '"text"', '{"a":{"b":[1,[2,[{"c":null}]]]},"d":[]}',
    '9007199254740993', '9223372036854775807', '-9223372036854775808', '{"z":1,"a":2,"m":3}',
    qq("gr\xc3\xbc\xc3\x9fe \xe6\x97\xa5\xe6\x9c\xac \xf0\x9f\x98\x80"), '"\\"\\\\/\\b\\f\\n\\r\\t"', '"\\u0001"', qq("\xe2\x80\xa8"),
    '{"":"empty name"}', '[' x 500 . ']' x 500, '"' . 'x' x 100_000 . '"', '"a\\u0000b"',
);
my @numbers = qw(0.1 1e-7 1.5e300 -0.25 3.141592653589793 1e+21 1.8446744073709552e+19 5e-324
    18446744073709552000 -99999999999999999999);    # the last as JavaScript writes large floats
both {
    my ($client, $how) = @_;
    my $name = channel();
    my $ws   = $client->socket(channels => [$name]);
    fence($ws);
    my $comes = sub {
        my ($json) = @_;
        $ws->send_text(qq({"type":"message","channel":"$name","event":"e","data":$json}));
        my $frame = $ws->receive // { payload => 'nothing' };
        return data_of($frame) // $frame->{payload};
    };
    is $comes->($_), $_, "${how}" . substr($_, 0, 40) . ' comes as it is' for @exact;
    is $comes->('"\\u00fc\\ud83d\\ude00\\/"'), qq("\xc3\xbc\xf0\x9f\x98\x80/"), "${how}escapes come as what they stand for";
    cmp_ok $comes->($_), '==', 0 + $_, "${how}the number $_" for @numbers;
    $ws->send_text(qq({"type":"message","channel":"$name","event":"e"}));
    is data_of($ws->receive), '{}', "${how}no data is an empty object";
    $ws->hang_up;
} $server;
$server->stop;

# Rates: of a connection, and of all browsers of a site; publishers have a
# purse of their own.
my %one = (%{ WordSocket::Server::default_site() }, limits => { connection_rate => 2, connection_burst => 5 });
my %all = (%one, site_key => 'busy', limits => { browser_rate => 2, browser_burst => 5, connection_rate => 100, connection_burst => 100 });
my $limited = server_with('', sites => [ \%one, \%all ]);
both {
    my ($client, $how) = @_;
    my $name = channel();
    my $burst = sub {
        my ($ws, $n) = @_;
        $ws->send_json({ type => 'message', channel => $name, event => 'e', data => {}, ref => $_ }) for 1 .. $n;
        return fence($ws);
    };
    my $ws = $client->socket(channels => [$name]);
    my @said = $burst->($ws, 8);
    is scalar(grep { $_->{type} eq 'ack' } @said), 5, "${how}a connection has its burst";
    my @refused = grep { $_->{type} eq 'error' } @said;
    is_deeply [ map { "$_->{code} $_->{ref}" } @refused ], [ map { "rate_limited $_" } 6 .. 8 ], "${how}then it is told, by ref";
    my $other = $client->socket;
    is scalar(grep { $_->{type} eq 'ack' } $burst->($other, 5)), 5, "${how}another connection has its own";
    sleep 1.1;
    @said = $burst->($ws, 5);
    my $acks = grep { $_->{type} eq 'ack' } @said;
    cmp_ok $acks, '>=', 2, "${how}and it fills up again";
    cmp_ok $acks, '<', 5, "${how}at its rate";
    $_->hang_up for $ws, $other;

    my $busy = WordSocket::Client->new($limited, site => \%all, tls => $client->{tls});
    sleep 2.6 if $how;    # the purse is the site's, and the plain turn emptied it
    my @ws = map { $busy->socket } 1 .. 4;
    my @answers = map { $burst->($_, 3) } @ws;
    my %count;
    $count{ $_->{code} // $_->{type} }++ for @answers;
    cmp_ok $count{ack}, '>=', 5, "${how}all connections of a site together have a burst";
    cmp_ok $count{ack}, '<=', 7, "${how}and no more";
    is $count{rate_limited}, 12 - $count{ack}, "${how}the rest is told";
    is $busy->publish($name, 'e', {})->{status}, 200, "${how}the site's publisher does not notice";
    $_->hang_up for @ws;
} $limited;
$limited->stop;

done_testing;
