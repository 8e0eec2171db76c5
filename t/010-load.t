# SPDX-License-Identifier: Apache-2.0
# What an administrator may write, and what httpd says when it is wrong.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Server;

my $ok = qr/^Syntax OK$/m;

# What httpd says to a configuration with these lines.
sub verdict {
    my ($lines, %option) = @_;
    return WordSocket::Server->new(lines => $lines, %option)->verdict;
}

for my $mpm (qw(event worker prefork)) {
    like verdict('', mpm => $mpm), $ok, "the module loads into $mpm";
}
like verdict('', without => ['ssl']), $ok, 'and without mod_ssl';

# name, something in between, the bounds, and what is just outside of them
my @numbers = (
    [ WordSocketSharedMemory       => '64M',   '1M 64G',       '1023K 65G' ],
    [ WordSocketMaxConnections     => '5000',  '0 10000000',   '10000001' ],
    [ WordSocketSiteConnections    => '5000',  '0 10000000',   '10000001' ],
    [ WordSocketAddressConnections => '50',    '0 10000000',   '10000001' ],
    [ WordSocketMaxMessage         => '64K',   '1K 16M',       '1023 17M' ],
    [ WordSocketMaxPublish         => '64K',   '1K 16M',       '1023 17M' ],
    [ WordSocketMaxChannels        => '20',    '1 4096',       '0 4097' ],
    [ WordSocketSendQueue          => '128k',  '16K 256M',     '15K 257M' ],
    [ WordSocketPing               => '90',    '1s 3600s',     '999ms 3601s' ],
    [ WordSocketIdleTimeout        => '2min',  '2s 86400s',    '1999ms 86401s' ],
    [ WordSocketDrain              => '500ms', '100ms 60s',    '99ms 61s' ],
);
for my $row (@numbers) {
    my ($name, $usual, $bounds, $outside) = @$row;
    my @bounds = split ' ', $bounds;
    like verdict("$name $_"), $ok, "$name $_" for $usual, @bounds;
    for my $value (split ' ', $outside) {
        like verdict("$name $value"), qr/\Q$name: $value is outside $bounds[0] to $bounds[1]\E/,
            "$name $value is refused in the words it was written in";
    }
    like verdict("$name $_"), qr/\Q$name: cannot read '$_'\E/, "$name '$_' is refused"
        for '-1', 'many', '1x', '99999999999999999999';
    like verdict($name), qr/$name takes one argument/, "$name without a value is refused";
}

for my $name (qw(WordSocket WordSocketEcho WordSocketAdopt)) {
    like verdict("$name $_"), $ok, "$name $_" for qw(On off);
    like verdict("$name Maybe"), qr/$name: cannot read 'Maybe'/, "$name Maybe is refused";
}

like verdict("WordSocketHistory $_"), $ok, "WordSocketHistory $_"
    for 'Off', '256K', '1M 500', '1M 500 5min';
like verdict('WordSocketHistory 1M lots'), qr/WordSocketHistory: cannot read 'lots'/, 'a word for a count';
like verdict('WordSocketHistory 10'), qr/WordSocketHistory: 10 is outside 1K to 1G/, 'a tiny history';
like verdict('WordSocketHistory Off 100'), qr/WordSocketHistory: nothing follows Off/, 'Off and a count';
like verdict("WordSocketPublishRate $_"), $ok, "WordSocketPublishRate $_" for '0', '50', '50 200';
like verdict('WordSocketPublishRate 50 x'), qr/WordSocketPublishRate: cannot read 'x'/, 'a burst that is none';
like verdict("WordSocketPath $_"), $ok, "WordSocketPath $_" for '/ws', '/a/b-c';
like verdict("WordSocketPath $_"), qr/WordSocketPath: '\Q$_\E' must begin with a slash/, "WordSocketPath $_ is refused"
    for 'ws', '/', '/ws/', '/a?b', '//a.example', '/a//b';
like verdict('WordSocketAllowOrigin https://example.org http://127.0.0.1:8080'), $ok, 'two origins';
like verdict("WordSocketAllowOrigin $_"), qr/WordSocketAllowOrigin: '\Q$_\E' is not an origin/, "origin $_ is refused"
    for 'example.org', 'https://', 'https://example.org/';

# Where a directive may stand.
like verdict('', vhost_lines => $_), $ok, "$_ in a virtual host"
    for 'WordSocket Off', 'WordSocketMaxMessage 64K', 'WordSocketPublishRate 5', 'WordSocketPath /other';
like verdict('', vhost_lines => $_), qr/\Q@{[ (split)[0] ]}\E (?:cannot occur|not allowed)/, "$_ is not a host's to say"
    for 'WordSocketSharedMemory 64M', 'WordSocketAdopt Off', 'WordSocketMaxConnections 10';
like verdict("<Directory />\nWordSocketPing 30s\n</Directory>"), qr/WordSocketPing (?:cannot occur|not allowed)/,
    'nor a directory\'s';

# Site files: read when httpd starts, so that is what fails.
sub site_verdict {
    my ($text) = @_;
    my $server = WordSocket::Server->new;
    $server->prepare;
    $server->write_file('bad.json', $text) if defined $text;
    $server->{vhost_lines} = "WordSocketSiteFile $server->{root}/bad.json";
    return eval { $server->start; $server->stop; 1 } ? 'started' : $@;
}
my %bad = (
    'a file that is not there'  => undef,
    'a file that is not JSON'   => '{"site_key":',
    'a number instead of sites' => '7',
    'a site without a key'      => '{"publish_secret":"a","jwt_secret":"b"}',
    'a site without secrets'    => '{"site_key":"k"}',
    'a secret that is a number' => '{"site_key":"k","publish_secret":1,"jwt_secret":"b"}',
    'three secrets'             => '{"site_key":"k","publish_secret":["a","b","c"],"jwt_secret":"b"}',
    'a key that is too long'    => '{"site_key":"' . 'k' x 500 . '","publish_secret":"a","jwt_secret":"b"}',
);
for my $name (sort keys %bad) {
    my $said = site_verdict($bad{$name});
    like $said, qr/bad\.json/, "$name stops the start, and the file is named";
    unlike $said, qr/publish-secret|jwt-secret/, "$name: and no secret is";
}

done_testing;
