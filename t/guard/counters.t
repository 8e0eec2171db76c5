# SPDX-License-Identifier: Apache-2.0
# Every counter is explained to whoever reads the status page, and every line
# of the log to whoever reads that. Metrics are named by OpenMetrics' rules:
# those of one family stand together.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files slurp);

my @counters = slurp('src/core/wsk_counters.h') =~ m{^X\(\s*(\w+),}mg
    or die "nothing to check\n";
my $table = slurp('src/core/wsk_counters.h');
my $manual = slurp('docs/operate.md');

for my $counter (@counters) {
    ok $manual =~ m{^\| `$counter` \| [^|\s]}m, "docs/operate.md explains $counter";
}

my %tag = map { $_ => 1 } map { slurp($_) =~ m{"(WSK\d{4}) }g } files(qr{^src/.*\.c$});
my %told = map { $_ => 1 } $manual =~ m{^\| (WSK\d{4}) \|}mg;
is join(' ', sort keys %told), join(' ', sort keys %tag), 'docs/operate.md explains every line of the log';

my (%rows, $before, %is_shared);
my ($families) = $table =~ /#define WSK_FAMILIES\(X\)(.*?)\n(?!X)/s or die "no families\n";
$is_shared{$_}++ for $families =~ /^X\(\s*"(\w+)"/mg;
for ($table =~ /^X\(\s*(\w+,\s*"\w+",\s*"[^,]*"), /mg) {
    my ($counter, $metric, $label) = /^(\w+),\s*"(\w+)",\s*"(.*)"$/;
    $label =~ s/\\"/"/g;
    my $sample = "wordsocket_${metric}_total" . ($label ? "{$label}" : '');
    ok $manual =~ m{^\| `\Q$sample\E` \| `$counter`}m, "docs/operate.md has the metric of $counter";
    ok !$rows{$metric} || $before eq $metric, "$metric stands together";
    ok !grep({ $_ eq $label } @{ $rows{$metric} }), "$metric\{$label} is one counter";
    like $label, qr/^(?:[a-z]+="[a-z_]+")?$/, "... with a label or none";
    push @{ $rows{$metric} }, $label;
    $before = $metric;
}
is scalar(map { @$_ } values %rows), scalar @counters, 'every counter has a metric';
is_deeply [ sort keys %is_shared ], [ sort grep { $rows{$_}[0] ne '' } keys %rows ], 'what has labels has a help of its own';
done_testing;
