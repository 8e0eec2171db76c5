# SPDX-License-Identifier: Apache-2.0
# Every source, test and fuzz target in the tree is part of the build.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(slurp);

my ($sources) = split /^tree_files/m, slurp('build/aux/files.am');
my %listed = map { $_ => 1 } map { split } grep { defined }
    $sources =~ m{^    (\S+)|_SOURCES = (.*)$}mg;

for my $file (glob('src/*/*.c t/unit/*.c t/fuzz/*.c t/load/*.c')) {
    ok $listed{$file}, "$file is built"
        or diag 'run build/bootstrap after adding a file';
}
done_testing;
