# SPDX-License-Identifier: Apache-2.0
# Every feature of the product has a test that is there, or says that it has
# none; every picture of the tour is there and is taken by a test.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(slurp);

my $text = slurp('docs/wordpress.md');
my @rows = $text =~ /^\| (\d+) \| [^|]+ \| ([^|]+) \|$/mg;
my @numbers = @rows[ grep { !($_ % 2) } 0 .. $#rows ];
is_deeply \@numbers, [ 1 .. 20 ], 'each feature once, in order';
while (my ($number, $tests) = splice @rows, 0, 2) {
    if ($tests eq 'not yet') {
        pass "$number says so";
        next;
    }
    ok -e, "$number: $_" for $tests =~ /`([^`]+)`/g;
    like $tests, qr/`/, "$number has a test";
}

my $shots = join '', map { slurp($_) } glob 't/browser/*.mjs';
for my $picture ($text =~ m{\(screens/([a-z0-9-]+)\.png\)}g) {
    ok -s "docs/screens/$picture.png", "$picture is there";
    like $shots, qr/shoot\(\w+, '\Q$picture\E'\)/, '... and taken by a test';
}
unlike $text, qr/!\[\]/, 'every picture says what it shows';
done_testing;
