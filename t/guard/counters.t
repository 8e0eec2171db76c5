# SPDX-License-Identifier: Apache-2.0
# Every counter is explained to whoever reads the status page, and every line
# of the log to whoever reads that.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files slurp);

my @counters = slurp('src/core/wsk_counters.h') =~ m{^X\(\s*(\w+),}mg
    or die "nothing to check\n";
my $manual = slurp('docs/operate.md');

for my $counter (@counters) {
    like $manual, qr{`$counter`}, "docs/operate.md explains $counter";
}

my %tag = map { $_ => 1 } map { slurp($_) =~ m{"(WSK\d{4}) }g } files(qr{^src/.*\.c$});
my %told = map { $_ => 1 } $manual =~ m{^\| (WSK\d{4}) \|}mg;
is join(' ', sort keys %told), join(' ', sort keys %tag), 'docs/operate.md explains every line of the log';
done_testing;
