# SPDX-License-Identifier: Apache-2.0
# Clients that vanish without a word, as a laptop that is closed: no FIN, no
# reset, nothing acknowledged. It runs in a network of its own, where an address
# can be taken away with everybody behind it.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Server;
use WordSocket::Tenants;

use constant LAPTOP => '10.9.9.9';

$> == 0 or die "this test is about a network that only root may change\n";
exec 'unshare', '--net', $^X, $0 or die "unshare: $!\n" if !$ENV{WSK_OWN_NETWORK}++;

sub ip { system('ip', split ' ', $_[0]) == 0 or die "ip $_[0]: failed\n" }
ip('link set lo up');
ip("address add ${\LAPTOP}/32 dev lo");

my $server = WordSocket::Server->new(children => 1, lines => "WordSocketPing 1s\nWordSocketIdleTimeout 3s\n")->start;
my $client = WordSocket::Client->new($server);

my $near = $client->events(from => '127.0.0.9');
my @far  = map { my $tls = $_; WordSocket::Client->new($server, tls => $tls)->events(from => LAPTOP) } 0, 1;
push @far, $client->socket(channels => ['events'], from => LAPTOP);
$client->publish('events', 'said', 'hello');
is(($_->messages(1))[0]{data}, 'hello', 'a client hears') for $near, @far;
ok connections_are($server, 4), 'they are counted';

ip("address del ${\LAPTOP}/32 dev lo");
ok connections_are($server, 1), 'who vanished is found, event streams too';
is counter($server, 'idle_closed'), 1, 'the WebSocket by its silence';
$client->publish('events', 'said', 'still here');
is(($near->messages(1))[0]{data}, 'still here', 'who is silent and acknowledges stays');

$near->hang_up;
$server->stop;
done_testing;
