# SPDX-License-Identifier: Apache-2.0
# build/bench: its statistics, its table of figures, and what is written of them.
use v5.30;
use warnings;
use lib 't/lib', 'build/lib/bench';
use Test::More;
use WordSocket::Tree qw(slurp);
use Bench::Figures qw(figures peers);
use Bench::Recipes ();
use Bench::Report qw(rows table figures_table);
use Bench::Stats qw(median spread ratios verdict);

# --- statistics ------------------------------------------------------------------

is median(3, 1, 2), 2, 'the median of three';
is median(4, 1, 2, 3), 2.5, 'of four';
is median(undef, 7), 7, 'what was not taken does not count';
is median(), undef, 'nothing has none';
is_deeply [ spread(5, undef, 2, 9) ], [ 2, 9 ], 'the spread';
is_deeply [ ratios([ 2, undef, 6 ], [ 1, 4, 2 ]) ], [ 2, 3 ], 'ratios are made within a repetition';
is_deeply [ ratios([ 2, 4 ], [ 0, 2 ]) ], [2], 'and not of a measured nothing';
is verdict(1.03, 1.03), 'met', 'at most';
is verdict(1.04, 1.03), 'missed', 'and not more';
is verdict(undef, 1.03), '-', 'no value, no verdict';

my @rows = rows({ 'ws-5000' => { us => [ 2, 3, 10 ], floor => [ 2, 2, 20 ] } });
is $rows[0]{ratio}, 1, 'the ratio of a row is the median of its ratios, not the ratio of medians';
is $rows[0]{verdict}, 'met', '... judged';
is $rows[1]{verdict}, undef, 'only ours is';
@rows = rows({ memory => { us => [ 500, 300, undef ], nchan => [10_000] } });
is $rows[0]{ratio}, undef, 'an absolute figure has no ratio';
is $rows[0]{verdict}, 'met', '... and is judged by its median';
is $rows[0]{runs}, 2, 'runs without a value are not counted';
like table(@rows), qr/^\| memory +\| us +\| 400 B +\| 300-500 +\| 2 +\| - +\| 400 B +\| met +\|$/m, 'as a table';

# --- the figures -----------------------------------------------------------------

my %seen;
my %peer = (peers(), us => 1, static => 1);
for my $figure (figures()) {
    my $name = $figure->{name};
    ok !$seen{$name}++, "$name is there once";
    ok length $figure->{$_}, "... and has $_" for qw(what unit kind most);
    my @sides = @{ $figure->{sides} };
    is join(' ', grep { !$peer{s/-.*//r} } @sides), '', '... known sides';
    like $sides[0], qr/^us\b/, '... ours first';
    ok !$figure->{as} || $seen{ $figure->{as} }, '... and what it is taken as before it';
    ok !$figure->{base} || (grep { $_ eq $figure->{base} } @sides), '... and its base beside us';
}

# --- what is written ---------------------------------------------------------------

my $text = slurp('docs/bench.md');
cmp_ok index($text, figures_table()), '>', 0, 'docs/bench.md has the table of figures as it is'
    or diag "put there:\n" . figures_table();
my ($last) = $text =~ /^## The last run$(.*?)(?=^## |\z)/ms;
my %measured = map { $_ => 1 } $last =~ /^\| ([a-z][\w-]+) +\| us/mg;
ok keys %measured >= 10, 'the last run is there';
ok $seen{$_}, "$_ of the last run is a figure" for sort keys %measured;

# README quotes the last run, figure by figure: `name` number.
my @quoted = slurp('README.md') =~ /`([a-z]+-?\d*)` (\d[\d.]*)/g;
ok @quoted, 'README quotes';
while (my ($name, $number) = splice @quoted, 0, 2) {
    my ($row) = $last =~ /^(\| \Q$name\E +\|.*)$/m;
    like $row // '', qr/ \Q$number\E /, "README's $name is the last run's";
}
done_testing;
