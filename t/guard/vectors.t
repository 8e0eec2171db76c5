# SPDX-License-Identifier: Apache-2.0
# The vectors are the contract between C, PHP and TypeScript: each of the three
# suites reads every file there.
use v5.30;
use warnings;
use lib 't/lib';
use JSON::PP;
use Test::More;
use WordSocket::Tree qw(files slurp);

my %suite = (
    C          => qr{^t/unit/.*\.[ch]$},
    PHP        => qr{^wordpress/tests/.*\.php$},
    TypeScript => qr{^client/test/.*\.(?:ts|mjs)$},
);

for my $vector (files(qr{^t/vectors/.*\.json$})) {
    ok eval { JSON::PP->new->utf8->decode(slurp($vector)); 1 },
        "$vector is JSON" or diag $@;
    my ($name) = $vector =~ m{([^/]+)\.json$};
    for my $suite (sort keys %suite) {
        my @readers = grep { slurp($_) =~ m{vectors\W.{0,40}\b\Q$name\E\b|\b\Q$name\E\.json} }
            eval { files($suite{$suite}) };
        ok scalar @readers, "$vector is read by the $suite suite";
    }
}
done_testing;
