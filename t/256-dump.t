# SPDX-License-Identifier: Apache-2.0
# httpd -t -D DUMP_WORDSOCKET: what is in force, and no secret.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Server;

my @sites = (
    { site_key => 'first', publish_secret => [ 'MARK-new', 'MARK-old' ], jwt_secret => 'MARK-j', site_url => 'https://first.example' },
    { site_key => 'second', publish_secret => 'MARK-p', jwt_secret => 'MARK-j', signature => 2, limits => { connections => 77, publish_rate => 3 } },
);
my $server = WordSocket::Server->new(sites => \@sites, without => ['ssl'], lines => "WordSocketSharedMemory 48M\nWordSocketSiteConnections 900", more_vhosts => <<'END');
<VirtualHost 127.0.0.1:@Port@>
    ServerName shop.example
    WordSocketPath /live
    WordSocketPing 45s
    WordSocketHistory 512K 2000 5m
    WordSocketAllowOrigin https://shop.example
</VirtualHost>
<VirtualHost 127.0.0.1:@Port@>
    ServerName dark.example
    WordSocket Off
</VirtualHost>
END

sub dump_of {
    my ($define) = @_;
    local %ENV = (%ENV, WordSocket::Sanitizer::environment(@$server{qw(top root)}));
    return scalar qx{@{[WordSocket::Server::httpd()]} -t @{[$define ? "-D $define" : '']} -f '$server->{conf}' 2>&1};
}

like $server->verdict, qr/Syntax OK/, 'the configuration is right';
my $dump = dump_of('DUMP_WORDSOCKET');
is $?, 0, 'it is dumped';
like $dump, qr/^Syntax OK$/m, 'and tested as before';
unlike $dump, qr/MARK/, 'no secret';
like $dump, qr/\AWordSocket \d+\.\d+\S*\nserver\n/, 'the version';
like $dump, qr/^  WordSocketSharedMemory +48M\n/m, 'what holds for the server';

like $dump, qr/^  WordSocketHostKey +\(none\)\n/m, 'and that there is no host key';

my %host = $dump =~ /^(?:main server|virtual host) (\S+?),? .*?\n(.*?)(?=^\S|\z)/msg;
is_deeply [ sort keys %host ], [ '127.0.0.1', 'shop.example' ], 'the hosts that serve, and no other';
like $dump, qr/^virtual host shop\.example, 127\.0\.0\.1:$server->{port} \(\Q$server->{conf}\E:\d+\)$/m, 'with address and place';
my $shop = $host{'shop.example'};
like $shop, qr/^  \Q$_->[0]\E +\Q$_->[1]\E$/m, "$_->[0] $_->[1]" for [ WordSocketPath => '/live' ], [ WordSocketPing => '45s' ],
    [ WordSocketSiteConnections => 900 ], [ WordSocketHistory => '512K 2000 300s' ], [ WordSocketPublishRate => '50 200' ],
    [ WordSocketSiteFile => "$server->{root}/sites.json" ], [ WordSocketRegistry => '(none)' ], [ WordSocketAllowOrigin => 'https://shop.example' ];
unlike $shop, qr/WordSocketSharedMemory/, 'not what holds for the server';
like $host{'127.0.0.1'}, qr{^  WordSocketPath +/wordsocket$}m, 'a default';
my %site = $shop =~ /^  site (\S+)(.*?)(?=^  site|\z)/msg;
is_deeply [ sort keys %site ], [qw(first second)], 'the sites of a host';
like $site{first}, qr{\A of https://first\.example$}m, 'with the address';
like $site{first}, qr/\bhistory_bytes 524288\b.*\bconnections 900\b.*\bpublish_rate 50\b/s, 'with what the host gives them';
like $site{first}, qr/^    signature 1 or 2$/m, 'with the signatures it may use';
like $site{second}, qr/^    signature 2$/m, '... which may be one';
like $site{second}, qr/\bconnections 77\b.*\bpublish_rate 3\b/s, 'and what is their own';
unlike dump_of(), qr/WordSocket/, 'nothing unless asked';
unlike dump_of('DUMP_VHOSTS'), qr/site_key|  site /, 'nor with another dump';
ok !-e "$server->{root}/logs/httpd.pid", 'and nothing was started';

$server->write_file('sites.json', '{"site_key":"x"}');
my $wrong = dump_of('DUMP_WORDSOCKET');
isnt $?, 0, 'a wrong site file';
like $wrong, qr/WSK0306 .*"publish_secret"/, 'is told';
unlink "$server->{root}/sites.json";
like dump_of('DUMP_WORDSOCKET'), qr/WSK0306 WordSocketSiteFile \S+sites\.json: cannot be opened: No such file/, 'so is one that is not there';
done_testing;
