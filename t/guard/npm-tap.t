# SPDX-License-Identifier: Apache-2.0
# npm-tap counts every test of a suite, and hides no failure.
use v5.30;
use warnings;
use File::Temp qw(tempdir);
use Test::More;

my $folder = tempdir(CLEANUP => 1);

# What npm-tap makes of a run that prints this and ends so.
sub flat {
    my ($tap, $status) = @_;
    open my $out, '>', "$folder/tap" or die $!;
    print $out $tap;
    close $out or die $!;
    open my $npm, '>', "$folder/npm" or die $!;
    print $npm "#!/bin/sh\ncat tap\nexit $status\n";
    close $npm or die $!;
    chmod 0755, "$folder/npm" or die $!;
    local $ENV{PATH} = "$folder:$ENV{PATH}";
    my $said = qx{sh build/lib/npm-tap '$folder' test};
    return [ $? >> 8, grep { !/^#/ } split /\n/, $said ];
}

my $suite = <<'END';
TAP version 13
# Subtest: suite
    # Subtest: one
    ok 1 - one
      ---
      duration_ms: 1
      ...
    # Subtest: two
    RESULT 2 - two
      ---
      error: |-
        ok 3 - not a test
      ...
    1..2
OUTER 1 - suite
# Subtest: alone
ok 2 - alone # SKIP why
1..2
# tests 3
END

sub suite {
    my ($two, $outer) = @_;
    return $suite =~ s/RESULT/$two/r =~ s/OUTER/$outer/r;
}

is_deeply flat(suite('ok', 'ok'), 0),
    [ 0, 'ok 1 - suite > one', 'ok 2 - suite > two', 'ok 3 - alone # SKIP why', '1..3' ],
    'tests of a suite are counted, the suite is not';
is_deeply flat(suite('not ok', 'not ok'), 1),
    [ 1, 'ok 1 - suite > one', 'not ok 2 - suite > two', 'ok 3 - alone # SKIP why', '1..3' ],
    'a failure is told once, with the status';
is_deeply flat(suite('ok', 'not ok'), 1),
    [ 1, 'ok 1 - suite > one', 'ok 2 - suite > two', 'not ok 3 - suite',
      'ok 4 - alone # SKIP why', '1..4' ],
    'a suite that failed by itself is a failure';
is_deeply flat("TAP version 13\nok 1 - a\n", 0), [ 0, 'ok 1 - a' ],
    'a run that was cut short has no plan';
is_deeply flat("TAP version 13\nok 1 - a\n1..2\n", 0), [ 0, 'ok 1 - a' ],
    'nor has one whose plan does not hold';
is_deeply flat("no tests in test/unit\n", 1), [1], 'nor one without tests';

done_testing;
