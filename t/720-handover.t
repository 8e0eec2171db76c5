# SPDX-License-Identifier: Apache-2.0
# Which ways keys of host mode take to a script, and which they never take: CGI,
# TLS, a client that comes from elsewhere, error pages, subrequests.
use v5.30;
use warnings;
use lib 't/lib';
use HTTP::Tiny;
use IO::Socket::INET;
use Test::More;
use WordSocket::Client;
use WordSocket::Host;
use WordSocket::Php;
use WordSocket::Server;

my $route = '/wp-json/wpsignal/v1/enroll';
my $server = WordSocket::Server->new(modules => [qw(proxy_fcgi cgid include)], lines => <<'END');
WordSocketHostKey host.key
ScriptSock @ServerRoot@/cgid.sock
DirectoryIndex index.php
END
$server->prepare;
my $docroot = "$server->{root}/htdocs";
my $php = WordSocket::Php->start($server->{root}, site => '');

$server->{lines} .= $php->handler('site');
my %folder = map { $_ => "$docroot/$_" } qw(cgi errors ssi);
mkdir $_ or die "$_: $!\n" for values %folder;
WordSocket::Host::write_scripts($docroot, 'info.php');

# CGI: no handler of PHP there, and a script that shows the same.
my $show = <<'END_PERL';
#!/usr/bin/perl
use JSON::PP;
my %found = map { $_ => $ENV{$_} } grep { /ENROLL/i } keys %ENV;
print "Content-Type: application/json\n\n", JSON::PP->new->encode({ script => $ENV{SCRIPT_FILENAME}, %found ? (found => \%found) : () });
END_PERL
sub script { my ($file, $text) = @_; open my $out, '>', $file or die "$file: $!\n"; print $out $text; close $out; chmod 0755, $file; return }
script("$folder{cgi}/index.php", $show);
script("$folder{errors}/index.php", "<?php\nhttp_response_code( 404 );\n");
script("$folder{ssi}/index.php", qq{<!--#include virtual="/index.php?rest_route=/wpsignal/v1/enroll" --><!--#include virtual="$route" -->\n<!--#printenv -->\n});

$server->{more_vhosts} = <<"END";
<Directory "$folder{cgi}">
    Options +ExecCGI
    <FilesMatch "\\.php\$">
        SetHandler cgi-script
    </FilesMatch>
</Directory>
<Directory "$folder{errors}">
    ErrorDocument 404 /info.php
    ProxyErrorOverride On
</Directory>
<Directory "$folder{ssi}">
    Options +Includes
    <FilesMatch "\\.php\$">
        SetHandler none
        SetOutputFilter INCLUDES
        ForceType text/html
    </FilesMatch>
</Directory>
<VirtualHost 127.0.0.2:\@Port\@>
    ServerName header.example
    DocumentRoot "\@DocumentRoot\@"
    WordSocketEnrollHeader On
</VirtualHost>
Listen 127.0.0.2:\@Port\@
END
$server->start;
my $blog = WordSocket::Host->new($server);
my $keys = $blog->enroll;
ok $keys, 'PHP by FPM is handed keys';

# --- CGI ----------------------------------------------------------------------------

my $ask = '?rest_route=/wpsignal/v1/enroll';
my $cgi = WordSocket::Host->new($server, home => "$blog->{home}/cgi");
my $found = $cgi->found("/cgi/$ask");
is_deeply [ sort keys %{ $found // {} } ], ['WORDSOCKET_ENROLL'], 'a CGI script is, by the variable';
my $by_header = WordSocket::Host->new($server, host => '127.0.0.2', home => 'http://header.example/cgi');
$found = $by_header->found("/cgi/$ask");
is_deeply [ sort keys %{ $found // {} } ], [qw(HTTP_WORDSOCKET_ENROLL WORDSOCKET_ENROLL)], 'and by a header, which suEXEC lets pass, where that is on';
is $found->{HTTP_WORDSOCKET_ENROLL}, $found->{WORDSOCKET_ENROLL}, 'with the same keys';
is said($by_header->whoami(WordSocket::Client->decode($found->{HTTP_WORDSOCKET_ENROLL}))), '200 ', 'which are good';
my @sent = ('WordSocket-Enroll', 'WORDSOCKET_ENROLL', 'wordsocket.enroll');
for my $host ($cgi, $by_header) {
    is_deeply $host->post('/cgi/', headers => { 'X-WordSocket-Home' => undef, map { $_ => '{"v":1}' } @sent })->{json}{found}, undef,
        "a header that a client sends to $host->{host} does not arrive";
    unlike $host->post("/cgi/$ask", headers => { map { $_ => 'forged' } @sent })->{content}, qr/forged/, '... nor beside the real one';
}
is_deeply $by_header->post('/cgi/?x', headers => {})->{json}{found}, undef, 'another request has no header';

# --- who comes from elsewhere ---------------------------------------------------------

# A POST over the loopback by a client whose address is another one of this machine.
sub from {
    my ($client) = @_;
    my $socket = IO::Socket::INET->new(LocalAddr => $client, PeerAddr => '127.0.0.1', PeerPort => $server->{port}, Timeout => 10)
        or die "$client: $!\n";
    print $socket "POST $route HTTP/1.1\r\nHost: 127.0.0.1\r\nX-WordSocket-Home: $blog->{home}\r\n"
        . "Content-Length: 0\r\nConnection: close\r\n\r\n";
    my $answer = do { local $/; <$socket> };
    return $answer =~ /WORDSOCKET_ENROLL/ ? 'keys' : $answer =~ m{index\.php} ? 'nothing' : $answer;
}
my ($elsewhere) = grep { !/^127\./ } qx{hostname -I} =~ /(\d+\.\d+\.\d+\.\d+)/g;
SKIP: {
    skip 'this machine has no address but the loopback', 1 if !$elsewhere;
    is from($elsewhere), 'nothing', 'plain HTTP from another address is handed nothing';
}
is from('127.0.0.9'), 'keys', 'that is what differs';

my $by_tls = HTTP::Tiny->new(verify_SSL => 0, timeout => 20)->post("https://127.0.0.1:$server->{tls_port}$route",
    { headers => { 'X-WordSocket-Home' => $blog->{home} }, content => '' });
my $tls = eval { WordSocket::Client->decode(WordSocket::Client->decode($by_tls->{content})->{found}{WORDSOCKET_ENROLL}) };
is_deeply $tls, $keys, 'by TLS it is the same site of the same host' or diag $by_tls->{content};
is $by_tls->{headers}{'cache-control'}, 'no-store', 'and nobody may keep the answer';

# --- error pages and subrequests --------------------------------------------------------

sub nothing {
    my ($name, $answer, $ran) = @_;
    like $answer->{content}, $ran, "$name runs";
    unlike $answer->{content}, qr/publish_secret|WORDSOCKET_ENROLL|[0-9a-f]{64}/, '... and has no keys, by whatever name';
    return;
}
nothing('the error page of a request that was handed keys',
    $blog->post("/errors/$ask", headers => { 'X-WordSocket-Home' => "$blog->{home}/errors" }), qr{"script":".*info\.php"});
nothing('a page with the route inside',
    $blog->post("/ssi/$ask", headers => { 'X-WordSocket-Home' => "$blog->{home}/other" }), qr/index\.php.*DOCUMENT_ROOT/s);
my $page = $blog->post("/ssi/$ask", headers => { 'X-WordSocket-Home' => "$blog->{home}/ssi" })->{content};
like $page, qr/^WORDSOCKET_ENROLL=.*publish_secret/m, 'a page that is handed keys itself';
is_deeply [ map { [ sort keys %{ WordSocket::Client->decode($_)->{found} // {} } ] } $page =~ /(\{"script".*?\}\})/g ],
    [ ['DOCUMENT_ARGS'], ['REDIRECT_DOCUMENT_ARGS'] ], '... does not hand them on to what it includes';

sub said { my ($answer) = @_; return "$answer->{status} " . ($answer->{json}{error} // ''); }
$server->stop;
$php->stop;
done_testing;
