# SPDX-License-Identifier: Apache-2.0
# What may not stand anywhere in the project: notes of unfinished work, paths
# of the machine somebody worked on, package mirrors; and what must: a licence.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files slurp);

# Put together here, or this file would be its own first find.
my $unfinished = join '|', 'TO' . 'DO', 'FIX' . 'ME', 'XX' . 'X', 'HA' . 'CK';
my $machine = join '|', '/wo' . 'rk/', '/ro' . 'ot/\w',
    '/tm' . 'p/wsk', '/Us' . 'ers/';

my @text = grep { -T } files(qr{^(?!LICENSE$|t/fuzz/corpus/)});

for my $file (@text) {
    my @lines = split /\n/, slurp($file);
    my @found = grep { $lines[$_] =~ m{\b(?:$unfinished)\b|(?<![\w.])(?:$machine)} }
        0 .. $#lines;
    is join("\n", map { "$file:@{[$_ + 1]}: $lines[$_]" } @found), '',
        "$file is finished and names no machine";
}

for my $file (grep { m{package-lock\.json$} } @text) {
    my %hosts = map { $_ => 1 }
        slurp($file) =~ m{"resolved":\s*"https?://([^/"]+)}g;
    delete $hosts{'registry.npmjs.org'};
    is join(' ', sort keys %hosts), '', "$file names no mirror";
}

for my $file (grep { m{\.(?:c|h|pm|t|ts|sh|ac|am|m4|php)$} } @text) {
    # What is loaded into WordPress is under its licence.
    my $licence = $file =~ m{^wordpress/|\.php$} ? 'GPL-2\.0-or-later' : 'Apache-2\.0';
    like substr(slurp($file), 0, 600),
        qr{SPDX-License-Identifier: $licence|License:\s+GPL-2\.0-or-later},
        "$file says its licence";
}
done_testing;
