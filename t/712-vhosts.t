# SPDX-License-Identifier: Apache-2.0
# Hosts that are not one tenant's, or have no name of their own, get no keys; and
# every way in which a host's own WordPress is reached does.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use File::Path qw(make_path);
use WordSocket::Client;
use WordSocket::Host;
use WordSocket::Php;
use WordSocket::Server;

my $server = WordSocket::Server->new(modules => [qw(proxy_fcgi vhost_alias)], lines => <<'END');
WordSocketHostKey host.key
DirectoryIndex index.php
<Directory "@ServerRoot@">
    Require all granted
    AllowOverride All
</Directory>
END
$server->prepare;
my $root = $server->{root};
my $php = WordSocket::Php->start($root, site => '');
$server->{lines} .= $php->handler('site');

sub host {
    my ($n, $lines) = @_;
    return "Listen 127.0.0.$n:\@Port\@\n<VirtualHost 127.0.0.$n:\@Port\@>\n$lines\n</VirtualHost>\n";
}
my $pass = <<'END';
RewriteEngine On
RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-f
RewriteCond %{DOCUMENT_ROOT}%{REQUEST_URI} !-d
RewriteRule . /index.php [PT,L]
END
sub folder { return qq{DocumentRoot "\@ServerRoot\@/$_[0]"} }
$server->{more_vhosts} = join '',
    host(2, "ServerName mass.example\nServerAlias *.mass.example\nUseCanonicalName Off\nVirtualDocumentRoot \"\@ServerRoot\@/mass/%0\""),
    host(3, "ServerName fallback.example\n" . folder('fallback') . "\n<Directory \"\@ServerRoot\@/fallback\">\nFallbackResource /index.php\n</Directory>"),
    host(4, "ServerName pass.example\n" . folder('pass') . "\n$pass"),
    host(6, folder('pass')), host(7, folder('pass')),
    host(8, "ServerName ownerless.example\nWordSocketPublisherUser On\n" . folder('pass')),
    host(9, "ServerName blogs.example\nServerAlias *.blogs.example\n" . folder('blogs'));
my @folders = qw(mass/victim.mass.example mass/evil.mass.example fallback pass blogs);
WordSocket::Host::write_scripts("$root/htdocs");
for (@folders) {
    make_path("$root/$_");
    WordSocket::Host::write_scripts("$root/$_");
    unlink "$root/$_/.htaccess" unless /mass|blogs/;
}
$server->announce(qr/WSK0508 VirtualDocumentRoot \(.*:\d+\) makes one host of many folders/);
$server->announce(qr/WSK0509 no keys of host mode for the host \S* \(.*:\d+\): it has no ServerName/);
$server->announce(qr/WSK0509 no keys of host mode for the host ownerless\.example \(.*:\d+\): WordSocketPublisherUser is on/);
$server->announce(qr/AH00549: Failed to resolve server name/, maybe => 1);
$server->start;

sub said { my ($answer) = @_; return "$answer->{status} " . ($answer->{json}{error} // ''); }
sub site { my ($n, $home) = @_; return WordSocket::Host->new($server, host => "127.0.0.$n", home => "http://$home") }
my $named = qr{/index\.php$};

# --- folders by the name that was asked for -----------------------------------------

for my $name (qw(victim evil)) {
    my $site = site(2, 'victim.mass.example');
    my $answer = $site->post($site->ROUTE, headers => { Host => "$name.mass.example" });
    like $answer->{json}{script}, qr{/\Q$name\E\.mass\.example/index\.php$}, "VirtualDocumentRoot: $name has its script";
    is $answer->{json}{found}, undef, 'and no keys';
}
like $server->log_text, qr/\[wordsocket:notice\].*WSK0508 the host blogs\.example .*answers for names by ServerAlias \*\.blogs\.example/,
    'names by a wildcard are noted';
my $blogs = site(9, 'one.blogs.example');
ok $blogs->found($blogs->ROUTE, headers => { Host => 'one.blogs.example' }), 'blogs of one folder have keys';

# --- hosts without a name -----------------------------------------------------------

for (6, 7) {
    my $site = site($_, 'victim.example');
    is $site->enroll, undef, "a host without ServerName ($_) has no keys";
    is said($site->client({ site_key => 'x', publish_secret => 'x', jwt_secret => 'x' })
        ->publish_body('{}', path => '/site/whoami')), '404 not_found', 'and connects nothing';
}

# --- a host whose owner nobody knows, where the owner counts ------------------------

my $dump = qx{@{[WordSocket::Server::httpd()]} -t -D DUMP_WORDSOCKET -f '$server->{conf}' 2>&1};
like $dump, qr/^virtual host ownerless\.example.*?^  keys of host mode +none: WordSocketPublisherUser is on/ms, 'the dump says why a host has no keys';
my $ownerless = site(8, 'ownerless.example');
is $ownerless->enroll, undef, 'WordSocketPublisherUser without an owner: no keys';
my $blog = WordSocket::Host->new($server);
ok $blog->connect, 'and none of it is another host\'s matter';

# --- ways to index.php --------------------------------------------------------------

for ([ 3, 'fallback.example', 'FallbackResource' ], [ 4, 'pass.example', 'a rule with [PT]' ]) {
    my ($n, $home, $way) = @$_;
    my $site = site($n, $home);
    like $site->post($site->ROUTE)->{json}{script}, $named, "$way leads to index.php";
    my $keys = $site->enroll;
    ok $keys, 'which gets keys';
    is_deeply $site->enroll(path => '/?rest_route=/wpsignal/v1/enroll'), $keys, 'by the other form of the path, too';
    is $keys && said($site->whoami($keys)), '200 ', 'that are good';
    is $site->found('/wp-json/wpsignal/v1/token'), undef, 'another path gets none';
    my $below = site($n, "$home/below");
    is $below->enroll, undef, 'nor does a home that was not asked for';
}
$server->stop;
$php->stop;
done_testing;
