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
    next if $limit eq 'fixed' || $limit =~ /^WordSocket/;
    like $sites, qr/^X\( \w+, $limit, +SITE\)/m, "$name: the site file has $limit";
    like $set, qr/`(?:$limit|WordSocket\w+)`/, "$name: what sets it";
}
done_testing;
