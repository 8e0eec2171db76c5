# SPDX-License-Identifier: Apache-2.0
# Keys travel on this machine, or by TLS: a front here that comes from the
# machine's own address is as good as one on the loopback; another's is not. In a
# network of its own, where an address can be added.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Host;
use WordSocket::Php;
use WordSocket::Server;

use constant { OURS => '10.9.9.9', THEIRS => '10.9.9.8' };

$> == 0 or die "this test is about a network that only root may change\n";
exec 'unshare', '--net', $^X, $0 or die "unshare: $!\n" if !$ENV{WSK_OWN_NETWORK}++;

sub ip { system('ip', split ' ', $_[0]) == 0 or die "ip $_[0]: failed\n" }
ip('link set lo up');
ip("address add $_/32 dev lo") for OURS, THEIRS;

my $server = WordSocket::Server->new(modules => ['proxy_fcgi'],
    lines => "WordSocketHostKey host.key\nDirectoryIndex index.php\n");
$server->prepare;
my $php = WordSocket::Php->start($server->{root}, site => '');
$server->{lines} .= $php->handler('site');
$server->{more_vhosts} = "Listen ${\OURS}:\@Port\@\n<VirtualHost ${\OURS}:\@Port\@>\nServerName front.example\n"
    . "DocumentRoot \"\@DocumentRoot\@\"\n</VirtualHost>\n";
WordSocket::Host::write_scripts("$server->{root}/htdocs");
$server->start;

my $site = WordSocket::Host->new($server, host => OURS, home => 'http://front.example');
sub from { return $site->post($site->ROUTE, from => $_[0], headers => { Host => 'front.example' })->{json} }
like from($_)->{script}, qr/index\.php$/, "a request from $_" for OURS, THEIRS;
ok from(OURS)->{found}, 'from the address that it goes to gets keys';
is from(THEIRS)->{found}, undef, 'from another it does not';
$server->stop;
$php->stop;
done_testing;
