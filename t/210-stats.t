# SPDX-License-Identifier: Apache-2.0
# GET /site/stats and /healthz: how many are connected, over all children, at
# whatever moment one asks.
use v5.30;
use warnings;
use lib 't/lib';
use List::Util qw(sum);
use Test::More;
use Time::HiRes qw(time);
use WordSocket::Client;
use WordSocket::Server;

my $other = { site_key => 'other', publish_secret => [ 'new', 'old' ], jwt_secret => 'j', limits => { connections => 3 } };
my $server = WordSocket::Server->new(
    children => 4, sites => [ WordSocket::Server::default_site(), $other ], lines => 'WordSocketSiteConnections 700')->start;
my $client = WordSocket::Client->new($server);
my $second = WordSocket::Client->new($server, site => $other);

sub said {
    my ($answer) = @_;
    return "$answer->{status} " . ($answer->{json}{error} // '');
}
sub stats { my ($by, %option) = @_; $by->request(GET => '/site/stats', headers => { $by->signed_headers('', %option) }) }

# --- who may ask ----------------------------------------------------------------

is_deeply stats($client)->{json}, { active_connections => 0, max_connections => 700 }, 'nobody is there; the cap of the host';
is_deeply stats($second)->{json}, { active_connections => 0, max_connections => 3 }, 'the cap of a site';
is stats($client)->{headers}{'cache-control'}, 'no-store', 'not stored';
my $ts = int(time * 1000);
is_deeply [ map { stats($client, ts => $ts)->{status} } 1 .. 5 ], [ (200) x 5 ], 'the same signature is good again and again';
is said(stats($client, ts => $ts, sign => $client->signature($_, $ts))), '401 invalid_signature', "a signature over '$_' is not"
    for '{}', ' ', '.';
is said(stats($client, sign => 'dummy')), '401 invalid_signature', 'nor the probe\'s';
is said(stats($client, key => 'nobody', sign => 'dummy')), '401 unknown_site_key', 'the key comes first';
is said(stats($client, ts => $ts + $_)), '401 stale_timestamp', "a clock $_ ms off" for -61_000, 63_000;
is said($client->get('/site/stats')), '401 unknown_site_key', 'no headers at all';
# The wire document's signature of an empty body: only its clock is wrong.
my %wire = (ts => 1_700_000_000_000, sign => 'd838d154d6d9fdfec1721b12675bfac4ec8c19892180d0d7a0355db022b43ed8');
is said(stats($client, %wire)), '401 stale_timestamp', 'the signature of the wire document';
is stats($second, ts => $ts, sign => WordSocket::Client->new($server, site => { %$other, publish_secret => 'old' })
        ->signature('', $ts))->{status}, 200, 'the older of two secrets';
my $published = $client->publish_body('', ts => $ts);
is said($published), '400 invalid_json', 'what is signed for stats publishes nothing';

# --- the count --------------------------------------------------------------------

sub count_is {
    my ($by, $want, $name) = @_;
    my $got;
    $server->wait_for(10, sub { ($got = $by->stats->{json}{active_connections} // 'nothing') eq $want });
    # In every child: each answer is over a connection of its own.
    my @all = map { WordSocket::Client->new($server, site => $by->{site})->stats->{json}{active_connections} } 1 .. 24;
    is "@all", join(' ', ($want) x 24), $name;
    return;
}
# What the status page says of the children: pid and connections.
sub slots {
    my $page = HTTP::Tiny->new->get('http://' . $server->address . '/status?json');
    return map { $_->{pid} => $_->{connections} } @{ WordSocket::Client->decode($page->{content})->{slots} };
}
my @open = map { $_ % 2 ? $client->socket(channels => ['events']) : $client->events } 1 .. 60;
count_is($client, 60, 'thirty WebSockets and thirty event streams');
my %slot = slots();
cmp_ok scalar(grep { $_ } values %slot), '>=', 2, 'they are in several children';
my @mine = map { $second->socket } 1 .. 3;
count_is($second, 3, 'those of another site are that site\'s');
count_is($client, 60, 'and only that one\'s');
is $second->socket->close_code(5), 4029, 'one more is refused';
eval { $second->events };
like $@, qr/429/, 'as an event stream, too';
count_is($second, 3, 'and does not count');
$client->poll for 1 .. 5;
my @refused = map { $client->socket(token => 'none') } 1 .. 5;
my @echo = map { WordSocket::Frames->connect($client->connect_options, path => '/echo') } 1 .. 3;
count_is($client, 60, 'nor do polls, refused tokens and echoes');

$_->hang_up    for @open[0 .. 9];
$_->reset_hard for @open[10 .. 19];
$open[$_]->send_close(1000) for grep { $open[$_]->isa('WordSocket::Frames') } 20 .. 29;
count_is($client, 35, 'who hangs up, is reset or says Close is gone from the count');

$_->hang_up for @echo;
ok $server->wait_for(10, sub { my %now = slots(); sum(values %now) == 38 }), 'the children say the same';
%slot = slots();
my ($victim) = sort { $slot{$b} <=> $slot{$a} } keys %slot;
cmp_ok $slot{$victim}, '>', 0, "child $victim has $slot{$victim} of them";
kill 'KILL', $victim;
ok $server->wait_for(15, sub { my %now = eval { slots() }; 4 == keys %now && !exists $now{$victim} }),
    'it is killed, and another comes';
my $left;
ok $server->wait_for(15, sub {
    $left = 0;
    $left += $_->stats->{json}{active_connections} // 100 for $client, $second;
    return $left == 38 - $slot{$victim};
}), 'what it had is gone from the counts' or diag $left;

@open = @mine = ();
count_is($client, 0, 'all are gone');
count_is($second, 0, 'of the other site, too');

# --- health -------------------------------------------------------------------------

my $healthy = $client->get('/healthz');
is $healthy->{status}, 200, 'healthz';
is $healthy->{content}, '{"status":"ok"}', 'says so';
is $healthy->{headers}{'cache-control'}, 'no-store', 'and is not stored';

$server->announce(qr/exit signal Killed/, maybe => 1);
$server->stop;
done_testing;
