# SPDX-License-Identifier: Apache-2.0
# The table of quotas in PROTOCOL.md is that of the code: the same rows, set by
# what there is to set them, with the defaults of the code; each is reached in
# t/410-quotas.t.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(slurp);

my @quotas = map { { name => $_->[0], limit => $_->[1], counter => $_->[2] } }
    map { [ /X\(\s*(\w+),\s*"(\w+)",\s*(\w+),/ ] } slurp('src/core/wsk_quota.h') =~ /^(X\( .*)$/mg;
cmp_ok scalar @quotas, '>=', 10, 'the table of the code was read';

my ($section) = slurp('PROTOCOL.md') =~ /^## Quotas\n(.*?)^## /ms or die "no quotas in PROTOCOL.md\n";
my @rows = $section =~ /^\| `(\w+)` \|(.*)\|$/mg;
my %row = @rows;
is_deeply [ map { $rows[ 2 * $_ ] } 0 .. $#rows / 2 ], [ map { $_->{name} } @quotas ], 'PROTOCOL.md has the same quotas in the same order';

my $settings = slurp('src/conf/wsk_directives.h') . slurp('src/conf/wsk_conf.c');
my $sites    = slurp('src/store/wsk_site.h');
my $manual   = slurp('docs/operate.md');
my $tests    = slurp('t/410-quotas.t');
# What no directive sets: the products that wsk_settings_limits gives.
my $defaults = slurp('src/conf/wsk_settings.h') . slurp('src/conf/wsk_settings.c');
my %constant = $defaults =~ /^#define (\w+) (\d+)/mg;
my %product;
while ($defaults =~ /\.((?:user_)?(?:browser|connection)_(?:rate|burst)) = ([A-Z_* ]+),/g) {
    $product{$1} = 1;
    $product{$1} *= $constant{$_} // die "no $_\n" for split / ?\* ?/, $2;
}
my $readme = slurp('README.md');
for my $quota (@quotas) {
    my ($name, $limit) = @$quota{qw(name limit)};
    my ($bounds, $default, $set, $refusal) = map { s/^\s+|\s+$//gr } split /\|/, $row{$name} // '| | | ';
    ok length $bounds && length $refusal, "$name: what it bounds, and how it is refused";
    like $manual, qr/^\| `$quota->{counter}` \|/m, "$name: its counter is explained";
    like $tests, qr/\b$name\b/, "$name: it is reached in a test";
    for my $directive ($set =~ /`(WordSocket\w+)`/g) {
        like $settings, qr/"$directive"/, "$name: $directive is a directive";
        my ($number) = slurp("docs/directives/$directive.md") =~ /^\| Default \| `\w+ ([\d ]+)`/m;
        is join(' ', $default =~ /\d+/g), $number, "$name: the default of $directive";
    }
    if (my ($rate) = $product{$limit} // ()) {
        my $burst = $product{ $limit =~ s/rate/burst/r };
        is $default, "$rate a second, burst $burst", "$name: the default";
        ok $readme =~ /^\| `$limit`, .*\| $rate a second, burst $burst\b/m, "$name: the default in README.md";
    }
    next if $limit eq 'fixed' || $limit =~ /^WordSocket/;
    like $sites, qr/^X\( \w+, $limit, +SITE\)/m, "$name: the site file has $limit";
    like $set, qr/`(?:$limit|WordSocket\w+)`/, "$name: what sets it";
}
done_testing;
