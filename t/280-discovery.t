# SPDX-License-Identifier: Apache-2.0
# What a relay says of itself: at its base and at the well-known address, only
# where it is switched on, and only what is there.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Server;

my $server = WordSocket::Server->new(more_vhosts => <<'END')->start;
<VirtualHost 127.0.0.1:@Port@>
    ServerName off.test
    WordSocket Off
    DocumentRoot "@DocumentRoot@"
</VirtualHost>
<VirtualHost 127.0.0.1:@Port@>
    ServerName elsewhere.test
    WordSocketPath /a/b
    WordSocketEcho Off
    WordSocketMaxPublish 64K
    WordSocketMaxMessage 1M
    WordSocketMaxChannels 7
    WordSocketAllowOrigin https://example.org
</VirtualHost>
END
my $client = WordSocket::Client->new($server);

sub answer {
    my ($path, $host, %header) = @_;
    %header = (Host => $host // '127.0.0.1', Connection => 'close', %header);
    return $client->raw(join "\r\n", "GET $path HTTP/1.1", (map { "$_: $header{$_}" } sort keys %header), '', '');
}

# --- where ---------------------------------------------------------------------

my %host = ('/wordsocket' => undef, '/a/b' => 'elsewhere.test');
for my $base (sort keys %host) {
    my @said = map { answer($_, $host{$base}) } $base, "$base/", '/.well-known/wordsocket', "$base/?x=1";
    is $_->{status}, 200, 'answered' for @said;
    is $said[$_]{content}, $said[0]{content}, 'with the same' for 1 .. $#said;
    is $said[0]{json}{base}, $base, "the base is $base";
    is $said[0]{headers}{'content-type'}, 'application/json', 'it is JSON';
    is $said[0]{headers}{'cache-control'}, 'no-store', 'and not stored';
}
is answer($_, 'off.test')->{status}, 404, "$_ is nothing where the relay is off"
    for '/wordsocket', '/wordsocket/', '/.well-known/wordsocket';
is answer('/wordsocket', 'elsewhere.test')->{status}, 404, 'nor at the base of another host';
is $client->request(POST => '/', content => '')->{status}, 405, 'it is read only';

# --- what ----------------------------------------------------------------------

my $here  = answer('/.well-known/wordsocket')->{json};
my $there = answer('/.well-known/wordsocket', 'elsewhere.test')->{json};
is $here->{name}, 'wordsocket', 'the name';
like $here->{version}, qr/^\d+\.\d+\.\d+$/, 'the version';
is_deeply $here->{protocol}, { wire => [1], token => [ 1, 2, 3 ], signature => [ 1, 2 ] }, 'the versions of the protocol';
is_deeply $there->{limits},
    { max_publish => 65_536, max_batch => 100, max_message => 1_048_576, max_channels => 7, max_channel_name => 200 },
    'limits are those of the host';
ok !exists $there->{endpoints}{echo}, 'no echo where it is off';
ok !exists $there->{endpoints}{$_}, "no $_ where there is no host mode" for qw(whoami disconnect);
is $here->{endpoints}{echo}, '/echo', 'but where it is on';
is_deeply [ sort keys %{ $here->{endpoints} } ], [ sort 'echo', keys %{ $there->{endpoints} } ],
    'the rest is the same';

# Nothing is promised that is not there: a path nobody serves is 404 to all.
my $endpoints = $here->{endpoints};
cmp_ok scalar keys %$endpoints, '>=', 8, 'there are endpoints';
isnt $client->request(PUT => $endpoints->{$_})->{status}, 404, "$_ is served at $endpoints->{$_}" for sort keys %$endpoints;
ok scalar @{ $here->{features} }, 'there are features';
is scalar(grep { /disconnect|dashboard|register/ } @{ $here->{features} }, %$endpoints), 0,
    'what is only reserved is not among them';
unlike answer('/.well-known/wordsocket')->{content}, qr/secret|0123456789abcdef/, 'nor is a site or its secret';

# --- origins ---------------------------------------------------------------------

my $open = answer('/wordsocket/', undef, Origin => 'https://any.test');
is $open->{headers}{'access-control-allow-origin'}, 'https://any.test', 'any origin may read it';
is $open->{headers}{vary}, 'Origin', 'and caches are told';
my $allowed = answer('/.well-known/wordsocket', 'elsewhere.test', Origin => 'https://example.org');
is $allowed->{headers}{'access-control-allow-origin'}, 'https://example.org', 'the origin a host allows';
is answer('/.well-known/wordsocket', 'elsewhere.test', Origin => 'https://any.test')->{status}, 403, 'and no other';

$server->stop;
done_testing;
