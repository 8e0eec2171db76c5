# SPDX-License-Identifier: Apache-2.0
# Every attack that was thought of has a test that is there, or a reason why it
# is out of reach. docs/internals/attacks.md and SECURITY.md name tests by file and
# by what they print.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(slurp);

sub check {
    my ($file, $letter, $count) = @_;
    my @rows = slurp($file) =~ /^\| ($letter\d+) \|.*\| ([^|]+) \|$/mg;
    my @names = @rows[ grep { !($_ % 2) } 0 .. $#rows ];
    is_deeply \@names, [ map { "$letter$_" } 1 .. $count ], "$file: each once, in order";
    while (my ($name, $tests) = splice @rows, 0, 2) {
        if ($tests =~ /^out of reach: \S/) {
            pass "$name has a reason";
            next;
        }
        my @named = split /; /, $tests;
        cmp_ok scalar @named, '>=', 1, "$name has tests";
        for (@named) {
            my ($test, $says) = /^`([^`]+)` "([^"]+)"$/;
            ok $test && index(slurp($test), $says) >= 0, "... $_";
        }
    }
    return;
}

check('docs/internals/attacks.md', 'A', 17);
check('SECURITY.md', 'H', 15);

# Each attack of t/407 is one of them.
my $table = slurp('SECURITY.md');
ok index($table, qq{`t/407-hostile.t` "$_"}) >= 0, "SECURITY.md has: $_" for slurp('t/407-hostile.t') =~ /^attack '([^']+)'/mg;
done_testing;
