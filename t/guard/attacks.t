# SPDX-License-Identifier: Apache-2.0
# Every attack that was thought of has a test that is there, or a reason why it
# is out of reach. docs/internals/attacks.md names tests by file and by what they
# print.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(slurp);

my $text = slurp('docs/internals/attacks.md');
my @rows = $text =~ /^\| (A\d+) \|.*\| ([^|]+) \|$/mg;
my @names = @rows[ grep { !($_ % 2) } 0 .. $#rows ];
is_deeply \@names, [ map { "A$_" } 1 .. 17 ], 'each attack once, in order';

while (my ($name, $tests) = splice @rows, 0, 2) {
    if ($tests =~ /^out of reach: \S/) {
        pass "$name has a reason";
        next;
    }
    my @named = split /; /, $tests;
    cmp_ok scalar @named, '>=', 1, "$name has tests";
    for (@named) {
        my ($file, $says) = /^`([^`]+)` "([^"]+)"$/;
        ok $file && index(slurp($file), $says) >= 0, "... $_";
    }
}
done_testing;
