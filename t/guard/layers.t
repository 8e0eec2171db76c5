# SPDX-License-Identifier: Apache-2.0
# Who may include whom. This table is the architecture, and src/README.md has
# the same one.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files slurp BARE_ROOMS);

my %may_include = (
    core      => [],
    proto     => [qw(core)],
    auth      => [qw(core)],
    store     => [qw(core)],
    conf      => [qw(core store)],
    hub       => [qw(core store proto)],
    transport => [qw(core conf proto hub store auth)],
    status    => [qw(core conf store)],
    registry  => [qw(core)],
    hooks     => [qw(core conf auth proto store hub registry transport status)],
);
my %is_bare = map { $_ => 1 } BARE_ROOMS;

for my $file (files(qr{^src/\w+/.*\.[ch]$})) {
    my ($room) = $file =~ m{^src/(\w+)/};
    my $allowed = $may_include{$room};
    if (!ok $allowed, "$file lies in a room of the table") {
        next;
    }
    my %ok   = map { $_ => 1 } $room, @$allowed;
    my @ours = slurp($file) =~ m{^\s*#\s*include\s+"([^"]+)"}mg;
    is join(' ', grep { m{^(\w+)/} && !$ok{$1} } @ours), '',
        "$file includes what its room may";
    if ($is_bare{$room}) {
        my @all = slurp($file) =~ m{^\s*#\s*include\s+["<]([^">]+)[">]}mg;
        is join(' ', grep { m{^(?:apr|apu|ap_|http|util_|mod_|mpm_|unixd)} } @all),
            '', "$file knows no httpd";
        is join(' ', grep { !m{/} } @ours), '',
            "$file says in which room its headers are";
    }
}

my %drawn = slurp('src/README.md') =~ m{^    (core|proto|auth|store|conf|hub|transport|status|registry|hooks)  +((?:\w+ ?)+)$}mg;
for my $room (sort keys %may_include) {
    my @others = grep { $_ ne $room } sort keys %may_include;
    my %words  = (nobody => [], all => \@others);
    my $drawn  = $drawn{$room} // '(nothing)';
    is_deeply [ sort @{ $words{$drawn} // [ split ' ', $drawn ] } ], [ sort @{ $may_include{$room} } ],
        "src/README.md: arrows of $room";
}
done_testing;
