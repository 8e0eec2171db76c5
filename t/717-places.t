# SPDX-License-Identifier: Apache-2.0
# Places for sites of host mode when tenants take all they can: a host that has
# none yet gets its first, whatever others took.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Host;
use WordSocket::Php;
use WordSocket::Server;

use constant { SPARE => 256, GREEDY => 5, LATE => 4 };

my $server = WordSocket::Server->new(modules => ['proxy_fcgi'], lines => <<'END');
WordSocketHostKey host.key
DirectoryIndex index.php
END
$server->prepare;
my $php = WordSocket::Php->start($server->{root}, site => '');
$server->{lines} .= $php->handler('site');
WordSocket::Host::write_scripts("$server->{root}/htdocs");
my @greedy = 2 .. 1 + GREEDY;
my @late = 2 + GREEDY .. 1 + GREEDY + LATE;
$server->{more_vhosts} = join '', map { <<"END" } @greedy, @late;
<VirtualHost 127.0.0.$_:\@Port\@>
    ServerName s$_.example
    DocumentRoot "\@DocumentRoot\@"
</VirtualHost>
Listen 127.0.0.$_:\@Port\@
END
$server->start;

sub connects {
    my ($host, $n) = @_;
    my $site = WordSocket::Host->new($server, host => "127.0.0.$host", home => "http://h$n.example");
    my $keys = $site->enroll // return 'no keys';
    my $said = $site->whoami($keys);
    return "$said->{status} " . ($said->{json}{error} // '');
}
my %said;
$server->announce(qr/WSK0506 the host s\d\.example has as many sites as WordSocketHostSites allows/);
$server->announce(qr/WSK0506 the host s6\.example cannot have one more site: places are used up until a full restart/);
for my $host (@greedy) {
    $said{ connects($host, $_) }++ for 1 .. 65;
}
cmp_ok $said{'200 '}, '>=', SPARE, 'a few hosts take all the spare places';
cmp_ok $said{'200 '}, '<', 64 * GREEDY, 'but not all there are';
is $said{'200 '} + $said{'403 site_limit_reached'}, 65 * GREEDY, 'the rest is refused for that';
my $size = -s "$server->{root}/host.key.sites";
is connects(6, $_), '403 site_limit_reached', 'still' for 100, 101;
is -s "$server->{root}/host.key.sites", $size, 'and is not noted';
is connects($_, 1), '200 ', "a host that has none gets its first ($_)" for @late;
is connects(2, 1), '200 ', 'those that are there go on';
$server->stop;
$server->start;
is connects(6, 200), '200 ', 'a full restart makes room';
$server->stop;
$php->stop;
done_testing;
