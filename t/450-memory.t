# SPDX-License-Identifier: Apache-2.0
# A segment that is too small, or full: said at the start, and in answers that
# ask to come again; and what is promised to a site stays its own.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Client;
use WordSocket::Server;
use WordSocket::Tenants;

use constant SMALL => <<'END';
WordSocketMaxConnections 100
WordSocketPublishRate 1000 10000
END

sub server_of {
    my ($memory, %option) = @_;
    return WordSocket::Server->new(lines => "WordSocketSharedMemory $memory\n" . SMALL, %option);
}

# --- the start --------------------------------------------------------------------------

my @many = map { tenant("number-$_") } 1 .. 40;
my $refused = eval { server_of('1M', sites => \@many)->start; '' } // $@;
like $refused, qr/WSK0302 WordSocketSharedMemory must be at least (\d+)K for this configuration/,
    'a segment that cannot hold its tables stops the start, and the size is told';
my ($least) = $refused =~ /at least (\d+)K/ or BAIL_OUT('no size was told');

{
    my $server = server_of("${least}K", sites => \@many)->start;
    pass 'a segment of the size that was told will do';
    $server->announce(qr/WSK0301 the pages promised to every site do not fit WordSocketSharedMemory/);
    my @clients = map { WordSocket::Client->new($server, site => $_) } @many[ 0, -1 ];
    is $clients[0]->publish('room', 'said', 'x')->{status}, 200, 'the first of forty sites has its pages';
    is $clients[1]->publish('room', 'said', 'x')->{status}, 503, 'the last has none: 503';
    ok $clients[1]->socket(channels => ['room'])->{subscribed}, 'and connects all the same';
    $server->stop;
}

# --- full ---------------------------------------------------------------------------------

my $loud  = tenant('loud', limits => { history_bytes => 64 << 20, history_messages => 100_000, history_age_ms => 4000 });
my $small = tenant('small');
my $server = server_of($least + 2048 . 'K', sites => [ $loud, $small ])->start;
my ($flood, $client) = map { WordSocket::Client->new($server, site => $_) } $loud, $small;
my $ws = $client->socket(channels => ['room']);
my $cursor = $client->poll(channels => ['room'])->{json}{cursor};
my $loud_cursor = $flood->poll(channels => ['room'])->{json}{cursor};

# A body of the site that does not fit beside the flood, always the same bytes.
my $large = $client->encode({ channel => 'room', event => 'said', data => 'y' x 200_000 });
my $ts;

sub publish_large { $client->publish_body($large, ts => $ts) }

my $before = status_of($server)->{segment};
my @status = map { $flood->publish('room', 'said', $_ x 100_000)->{status} } (1 .. 9) x 8;
is scalar(grep { $_ != 200 } @status), 0, 'a site that fills the segment goes round in it';
my $full = status_of($server)->{segment};
cmp_ok $full->{free} - $full->{reserved}, '<', 8, "of $full->{pages} pages those are free that are promised";
cmp_ok site_status($server, $loud)->{pages}, '>', 0.8 * ($before->{free} - 8), 'it holds the rest';

$ts = int(time * 1000);
my $answer = publish_large();
is $answer->{status}, 503, 'what does not fit is 503';
is $answer->{json}{error}, 'unavailable', 'unavailable';
like $answer->{headers}{'retry-after'}, qr/^[1-9]\d*$/, 'with Retry-After';
is counter($server, 'publish_full'), 1, 'and counted';
$ws->send_json({ type => 'message', channel => 'room', event => 'said', data => 'z' x 200_000, ref => 'r' });
my $error = $ws->message(5, 'error');
is_deeply [ @{ $error // {} }{qw(code ref)} ], [qw(unavailable r)], 'a visitor is told as well';

# Promised is promised: four pages for text, whatever the neighbour does.
my @kept = map { $client->publish('room', 'said', "$_ " . 'k' x 8_000) } 1 .. 4;
is_deeply [ map { $_->{status} } @kept ], [ (200) x 4 ], 'what fits into the promised pages is taken';
is_deeply [ map { $_->{status} } map { $flood->publish('room', 'said', 'x' x 100_000) } 1 .. 10 ], [ (200) x 10 ], 'and more of the flood';
is_deeply [ map { $_->{id} } @{ $client->poll(channels => ['room'], since => $cursor)->{json}{messages} } ],
    [ map { $_->{json}{id} } @kept ], 'does not push it out';
is_deeply [ map { $_->{id} } $ws->messages(4) ], [ map { $_->{json}{id} } @kept ], 'the subscriber has it';

# --- and again --------------------------------------------------------------------------

# The flood's history grows old, and goes with the next look at it.
sleep 4.2;
is $flood->poll(channels => ['room'], since => $loud_cursor)->{json}{messages}[0]{type}, 'gap', 'the flood is over';
$answer = publish_large();
is $answer->{status}, 200, 'the very bytes that were refused are taken now';
ok !$answer->{json}{duplicate}, 'and are no duplicate';
is(($ws->messages(1))[0]{id}, $answer->{json}{id}, 'they are delivered');
ok publish_large()->{json}{duplicate}, 'once';
is status_of($server, '?check')->{segment}{whole}, JSON::PP::true, 'the segment is whole';

# A reload does not lose it, nor what is promised.
$server->announce(qr/WSK0304/, maybe => 1);
my $last = $answer->{json}{id} =~ s/-(\d+)$/'-' . ($1 - 1)/er;
ok $server->graceful, 'a reload';
is $client->poll(channels => ['room'], since => $last)->{json}{messages}[0]{id}, $answer->{json}{id}, 'keeps the log';
$server->stop;
done_testing;
