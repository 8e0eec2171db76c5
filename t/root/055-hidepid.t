# SPDX-License-Identifier: Apache-2.0
# Where users do not see processes of others in /proc, as on servers that many
# share: a keeper, which is no root, knows all the same whether httpd lives.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Server;
use WordSocket::Tenants;

$> == 0 or die "this test is about a /proc that only root may mount\n";
exec 'unshare', '--mount', $^X, $0 or die "unshare: $!\n" if !$ENV{WSK_OWN_PROC}++;
system(qw(mount -t proc -o hidepid=invisible proc /proc)) == 0 or die "mount: failed\n";

my $server = WordSocket::Server->new(children => 1)->start;
my ($child) = $server->children;
my ($user, $group) = (stat "/proc/$child")[4, 5];
isnt $user, 0, 'children are no root';
isnt system('setpriv', "--reuid=$user", "--regid=$group", '--clear-groups', 'test', '-e', "/proc/$server->{pid}"), 0,
    'they do not see the parent';

my $client = WordSocket::Client->new($server, tls => 1);
my $socket = $client->socket(channels => ['events']);
ok $server->renew, 'a reload';
my ($keeper) = $server->keepers;
ok $keeper, 'somebody over TLS is kept';
WordSocket::Client->new($server)->publish('events', 'said', 'hello');
is(($socket->messages(1))[0]{data}, 'hello', 'and hears');

kill 'KILL', $server->{pid};
ok $server->wait_for(5 * WordSocket::Sanitizer::slowness(), sub { !-e "/proc/$keeper" }), 'when httpd is killed, the keeper ends';
$server->kill_all;
done_testing;
