# SPDX-License-Identifier: Apache-2.0
# .clang-format decides where the braces go.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files);

my ($version) = (qx{clang-format --version 2>/dev/null} // '') =~ /version (\d+)/;
if (($version // 0) != 14) {
    plan skip_all => 'layout is checked with clang-format 14 only';
}
for my $file (files(qr{^(?:src|t)/.*\.[ch]$|^mod_wordsocket\.c$})) {
    my $said = qx{clang-format --dry-run --Werror '$file' 2>&1};
    is $?, 0, "$file is laid out by .clang-format" or diag join "\n", grep { defined } (split /\n/, $said)[0 .. 5];
}
done_testing;
