# SPDX-License-Identifier: Apache-2.0
# A thousand clients at an httpd that may open 400 files in a process: it holds
# as many connections as that is good for, answers the others in poll mode, and
# the status page and the log say why. No child goes, no page is refused.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Frames;
use WordSocket::Server;
use WordSocket::Tenants;

use constant { CLIENTS => 1000, FILES => 400, BURST => 100 };

# The soft limit is below what is needed; the hard one is what counts.
my $server = WordSocket::Server->new(open_files => '128:' . FILES, lines => <<'END')->start;
WordSocketAddressConnections 40000
END
$server->announce(qr/WSK0203 this child has \d+ connections, as many as its limit of open files allows/);
$server->announce(qr/AH\d+: server reached MaxRequestWorkers/, maybe => 1);
$server->write_file('htdocs/.htaccess', "Header set X-Read yes\n");
my @children = $server->children;
my $client   = WordSocket::Client->new($server);
my $token    = $client->token;

# --- a thousand at once -----------------------------------------------------------

# What each of them said to a request, and what it was told; those that were given
# a stream go on holding it. Who has an answer leaves, as browsers do: for who does
# not, httpd keeps the descriptor for two seconds more.
sub ask {
    my ($n, $since) = @_;
    my @wires = map { WordSocket::Wire->open_wire($client->connect_options) } 1 .. $n;
    my $query = WordSocket::Client::query(token => $token, channels => 'room', since => $since);
    $_->send_bytes("GET $server->{path}/sse?$query HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n") for @wires;
    my @got;
    for my $wire (@wires) {
        my $head = $wire->take_until(qr/\r\n\r\n/, time + 20) // '';
        push @got, { wire => $wire, status => ($head =~ m{^HTTP/1.1 (\d+)})[0] // 'nothing' };
        $got[-1]{polled} = $head =~ /^Content-Length:/mi;
        next if !$got[-1]{polled};
        $got[-1]{text} = $wire->take_all(20);
        $wire->hang_up;
    }
    return @got;
}

my @all;
push @all, ask(BURST) for 1 .. CLIENTS / BURST;
# Which child gets one is the system's to say: until each is full.
for (1 .. 30) {
    my ($most) = $server->log_text =~ /WSK0203 this child has (\d+) /;
    last if $most && $most * @children <= grep { !$_->{polled} } @all;
    push @all, ask(BURST);
}
is scalar(grep { $_->{status} == 200 } @all), scalar(@all), 'a thousand ask for a stream, and each gets 200';
my @held = grep { !$_->{polled} } @all;
my @polls = grep { $_->{polled} } @all;
my $files = FILES;
my ($most) = $server->log_text =~ /WSK0203 this child has (\d+) /;
cmp_ok $most, '>=', 64, "a child with $files files takes $most connections";
cmp_ok $most, '<=', FILES - 256, 'and leaves httpd its 256';
# Workers look before they give: as many as there are may find the last place free.
cmp_ok scalar(@held), '>=', $most * @children, 'all children are full';
cmp_ok scalar(@held), '<', ($most + $server->{threads}) * @children, 'and not more than that';
is scalar(grep { $_->{text} =~ /^retry: ?\d+$/m && $_->{text} =~ /^id: ?\S+$/m } @polls), scalar(@polls),
    'the others get a cursor, and when to come back';
for (1 .. 3) {
    my $ws = WordSocket::Frames->connect($client->connect_options, path => "/ws?token=$token", status => 503);
    ok $ws->header('Retry-After'), 'a WebSocket is 503, with Retry-After';
}

# --- everybody is served ------------------------------------------------------------

my ($cursor) = $polls[-1]{text} =~ /^id: ?(\S+)$/m;
is $client->publish('room', 'said', "word $_")->{status}, 200, 'a publish is taken' for 1 .. 3;
my $complete = 0;
for my $one (@held) {
    my $deadline = time + 20;
    $complete++ if $one->{wire}->take_until(qr/word 1.*word 2.*word 3/s, $deadline);
}
is $complete, scalar(@held), 'who is held hears it';
my @again;
push @again, ask(BURST, $cursor) for 1 .. @polls / BURST;
is scalar(grep { $_->{polled} && $_->{text} =~ /word 1.*word 2.*word 3/s } @again), scalar(@again), 'who polls does, too';

# --- httpd stays up, and says why ------------------------------------------------------

my $page = $client->{http}->get($server->root_url . '/index.html');
is $page->{status}, 200, 'a page is served';
is $page->{headers}{'x-read'}, 'yes', 'with its .htaccess, which is a file to be opened';
is_deeply [ $server->children ], \@children, 'no child had to go';
my $status = status_of($server);
is $status->{connections}, scalar(@held), 'the status page has the connections';
is $status->{counters}{no_descriptors}, @polls + @again + 3, 'and how many found no descriptor';
is $status->{counters}{limited_host}, 0, 'which is not the cap of the host';
my $text = $client->{http}->get($server->root_url . '/status?auto')->{content};
like $text, qr/^no_descriptors +\d+  connections not taken over, their process having no more descriptors$/m, 'in words';

# --- room again ---------------------------------------------------------------------------

$_->{wire}->hang_up for @held;
ok connections_are($server, 0), 'when they have left';
my $ws = $client->socket(channels => ['room']);
$client->publish('room', 'said', 'at last');
is(($ws->messages(1))[0]{data}, 'at last', 'a WebSocket is taken');
$ws->hang_up;
$server->stop;

# --- what children have of each other --------------------------------------------------------

# Places for many children are descriptors of the parent, too: its soft limit is
# raised for them, and each child has that much less.
$server = WordSocket::Server->new(open_files => '128:1000', server_limit => 200)->start;
$client = WordSocket::Client->new($server);
is $client->poll->{status}, 200, 'many places, few files: it starts and serves';
$server->stop;

done_testing;
