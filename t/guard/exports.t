# SPDX-License-Identifier: Apache-2.0
# httpd loads all modules into one space of symbols: ours adds one.
use v5.30;
use warnings;
use Test::More;

my $so = $ENV{WSK_SO} // '.libs/mod_wordsocket.so';
ok -e $so, 'the module is built' or diag $so;

my @symbols = qx{nm -D --defined-only '$so' 2>&1};
is $?, 0, 'nm reads it';
is_deeply [ map { (split)[2] // $_ } @symbols ], ['wordsocket_module'],
    'the module record is the only symbol it exports';

my @undefined = map { (split)[-1] } qx{nm -D --undefined-only '$so'};
ok scalar @undefined, 'it uses symbols of others';
is join(' ', grep { /^_?wsk_/i } @undefined), '', 'and none of its own is missing';
done_testing;
