# SPDX-License-Identifier: Apache-2.0
# Every counter is explained to whoever reads the status page.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(slurp);

my @counters = slurp('src/core/wsk_counters.h') =~ m{^X\(\s*(\w+),}mg
    or die "nothing to check\n";
my $manual = slurp('docs/operate.md');

for my $counter (@counters) {
    like $manual, qr{`$counter`}, "docs/operate.md explains $counter";
}
done_testing;
