# SPDX-License-Identifier: Apache-2.0
# Short functions, short files: what grows past these has a noun hiding in it.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use List::Util qw(max);
use WordSocket::Tree qw(files slurp functions);

use constant {
    FUNCTION_MOST => 80,
    FUNCTION_GOOD => 45,    # and nine in ten stay under it
    FILE_MOST     => 500,
    MODULE_MOST   => 350,   # mod_wordsocket.c: record and order, no more
};

my (@lengths, @files);
for my $file (files(qr{^(?:src|t)/.*\.[ch]$|^mod_wordsocket\.c$})) {
    my @functions = functions($file);
    my @long = map { "$_->[0] ($_->[2] lines)" }
        grep { $_->[2] > FUNCTION_MOST } @functions;
    is "@long", '', "$file: no function over ${\FUNCTION_MOST} lines";
    push @lengths, map { $_->[2] } @functions if $file !~ m{^t/};
}
my $short = grep { $_ <= FUNCTION_GOOD } @lengths;
cmp_ok $short, '>=', 0.9 * @lengths,
    sprintf '%d of %d functions have at most %d lines', $short,
    scalar @lengths, FUNCTION_GOOD;

for my $file (files(qr{\.(?:[ch]|pm|t|php|ts|mjs|sh)$|^build/\w+$})) {
    my $most = $file eq 'mod_wordsocket.c' ? MODULE_MOST : FILE_MOST;
    cmp_ok slurp($file) =~ tr/\n//, '<=', $most, "$file: at most $most lines";
}
done_testing;
