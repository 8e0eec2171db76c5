# SPDX-License-Identifier: Apache-2.0
# Whose sites they are is what httpd runs their programs as: hosts of one account
# share its limits; another account has its own. A site file may say otherwise.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Server;
use WordSocket::Tenants;

my ($one, $two, $own) = map { tenant($_) } qw(one two own);
my $said = tenant('said', user => 'bob');
my $server = WordSocket::Server->new(modules => ['suexec'], sites => [ $one, $said ],
    lines => 'WordSocketUserConnections 3', vhost_lines => 'SuexecUserGroup games nogroup');
$server->prepare;
$server->write_file("$_->{site_key}.json", WordSocket::Client->encode($_)) for $two, $own;
$server->{more_vhosts} = join '', map { <<"END" } [ 2, 'games', $two ], [ 3, 'mail', $own ];
Listen 127.0.0.$_->[0]:\@Port\@
<VirtualHost 127.0.0.$_->[0]:\@Port\@>
    ServerName 127.0.0.$_->[0]
    WordSocket On
    WordSocketSiteFile $_->[2]{site_key}.json
    SuexecUserGroup $_->[1] nogroup
</VirtualHost>
END
$server->start;

my %user = map { $_->{user} => $_->{sites} } @{ status_of($server)->{users} };
my ($games, $mail) = map { 'uid:' . getpwnam $_ } qw(games mail);
is_deeply \%user, { $games => 2, $mail => 1, bob => 1 }, 'hosts have the user their programs run as, unless a file says who';

my @client = map { WordSocket::Client->new($server, site => $_->[0], host => "127.0.0.$_->[1]") }
    [ $one, 1 ], [ $two, 2 ], [ $own, 3 ], [ $said, 1 ];
my @held = map { $_->socket(channels => ['room']) } @client[ 0, 0, 1 ];
is $client[$_]->socket->close_code, 4029, 'a host of a user who has all its connections' for 0, 1;
ok $client[$_]->socket(channels => ['room'])->{subscribed}, 'a host of another has room' for 2, 3;
is site_status($server, $two)->{quotas}{user_connections}, 1, 'it is counted where it was';
$_->hang_up for @held;
$server->stop;
done_testing;
