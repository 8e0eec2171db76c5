# SPDX-License-Identifier: Apache-2.0
# Whose sites they are is what httpd runs their programs as: hosts of one account
# share its limits; another account has its own. A site file may say otherwise.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Host;
use WordSocket::Php;
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

# The same in host mode, where keys come of their own.
my $php;
my $hosts = WordSocket::Server->new(modules => [qw(proxy_fcgi suexec)], lines => <<'END');
WordSocketHostKey host.key
WordSocketUserConnections 3
WordSocketHostSites 2
DirectoryIndex index.php
<Directory "@ServerRoot@">
    Require all granted
    AllowOverride All
</Directory>
END
$hosts->prepare;
$php = WordSocket::Php->start($hosts->{root}, site => '');
$hosts->{lines} .= $php->handler('site');
$hosts->{more_vhosts} = join '', map { <<"END" } [ 2, 'games' ], [ 3, 'games' ], [ 4, 'mail' ], [ 5, 'games' ];
Listen 127.0.0.$_->[0]:\@Port\@
<VirtualHost 127.0.0.$_->[0]:\@Port\@>
    ServerName h$_->[0].example
    DocumentRoot "\@ServerRoot\@/$_->[1]"
    SuexecUserGroup $_->[1] nogroup
</VirtualHost>
END
for my $user (qw(games mail)) {
    mkdir "$hosts->{root}/$user";
    WordSocket::Host::write_scripts("$hosts->{root}/$user");
    chown scalar getpwnam $user, -1, "$hosts->{root}/$user/index.php";
}
$hosts->start;
my %blog = map { $_ => WordSocket::Host->new($hosts, host => "127.0.0.$_", home => "http://h$_.example") } 2 .. 5;
my %site = map { $_ => $blog{$_}->client($blog{$_}->connect) } keys %blog;
%user = map { $_->{user} => $_->{sites} } @{ status_of($hosts)->{users} };
is $user{$games}, 3, 'hosts of a user in host mode are the user\'s';
is $user{$mail}, 1, 'another\'s are another\'s';
@held = map { $site{$_}->socket(channels => ['room']) } 2, 2, 3;
is $site{$_}->socket->close_code, 4029, "the hosts of one share its connections ($_)" for 2, 3;
ok $site{4}->socket(channels => ['room'])->{subscribed}, 'a host of another has room';

# Sites beyond the first of each host are the owner's, too.
sub connects {
    my ($n, $path) = @_;
    my $more = WordSocket::Host->new($hosts, host => "127.0.0.$n", home => "http://h$n.example/$path");
    my $said = $more->whoami($more->enroll(path => "/$path/wp-json/wpsignal/v1/enroll"));
    return "$said->{status} " . ($said->{json}{error} // '');
}
is connects(2, 'a'), '200 ', 'a second site of a host';
$hosts->announce(qr/WSK0506 the host h2\.example has as many sites/);
is connects(2, 'b'), '403 site_limit_reached', 'a third is more than it may have';
is connects(3, 'a'), '200 ', 'a second of the owner\'s other host';
$hosts->announce(qr/WSK0506 the host h5\.example is of an owner whose hosts have as many further sites/, maybe => 1);
is connects(5, 'a'), '403 site_limit_reached', 'but not of all of them';
is connects(4, 'a'), '200 ', 'which is another owner\'s no matter';
$_->hang_up for @held;
$hosts->stop;
$php->stop;
done_testing;
