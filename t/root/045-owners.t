# SPDX-License-Identifier: Apache-2.0
# A host whose owner no module knows, and folders of several users behind it by a
# rule: only what belongs to whom the document root belongs to gets keys.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use File::Path qw(make_path);
use WordSocket::Host;
use WordSocket::Php;
use WordSocket::Server;

$> == 0 or die "this test is about files that only root gives away\n";

my $server = WordSocket::Server->new(modules => ['proxy_fcgi'], lines => <<'END');
WordSocketHostKey host.key
DirectoryIndex index.php
<Directory "@ServerRoot@/names">
    Require all granted
</Directory>
END
$server->prepare;
my $php = WordSocket::Php->start($server->{root}, site => '');
$server->{lines} .= $php->handler('site');
$server->{more_vhosts} = <<'END';
Listen 127.0.0.2:@Port@
<VirtualHost 127.0.0.2:@Port@>
    ServerName named.example
    DocumentRoot "@ServerRoot@/names"
    RewriteEngine On
    RewriteRule ^/(?:wp-json/.*)?$ /%{HTTP_HOST}/index.php [PT,L]
</VirtualHost>
END
my %owner = (victim => 'games', evil => 'mail', own => 'root');
for my $name (sort keys %owner) {
    my $folder = "$server->{root}/names/$name.example";
    make_path($folder);
    WordSocket::Host::write_scripts($folder);
    unlink "$folder/.htaccess";
    chown scalar getpwnam $owner{$name}, -1, "$folder/index.php" or die "chown: $!\n";
}
$server->announce(qr/WSK0510 no keys for .*index\.php: it belongs to another user than the document root/);
$server->start;

my $site = WordSocket::Host->new($server, host => '127.0.0.2', home => 'http://victim.example');
for my $name (sort keys %owner) {
    my $answer = $site->post($site->ROUTE, headers => { Host => "$name.example" });
    like $answer->{json}{script}, qr{/names/\Q$name\E\.example/index\.php$}, "$name has its script";
    is !!$answer->{json}{found}, $name eq 'own', 'which gets keys only if it is the document root\'s owner\'s';
}
my $said = () = $server->log_text =~ /WSK0510/g;
is $said, 1, 'the log says it once a minute';
$server->stop;
$php->stop;
done_testing;
