# SPDX-License-Identifier: Apache-2.0
# What was measured, as a table, as JSON and as SVG.
#
#   my @rows = rows(\%values);         # $values{figure}{side} = [..]
#   print table(@rows); write_all($dir, $machine, \%values, \%notes, \@rows);
package Bench::Report;
use v5.30;
use warnings;
use Exporter qw(import);
use JSON::PP ();
use List::Util qw(max);
use Bench::Figures qw(figures);
use Bench::Stats qw(median spread ratios verdict);

our @EXPORT_OK = qw(rows table machine_text write_all figures_table);

# One row a figure and side; ours carries the ratio, the target and the verdict.
sub rows {
    my ($values) = @_;
    my @rows;
    for my $figure (grep { $values->{ $_->{name} } } figures()) {
        my $of = $values->{ $figure->{name} };
        for my $side (grep { $of->{$_} } @{ $figure->{sides} }) {
            my $ours = $side eq $figure->{sides}[0];
            my @ratio = $figure->{base} ? ratios($of->{$side}, $of->{ $figure->{base} }) : ();
            my $ratio = median(@ratio);
            my ($least, $most) = spread(@{ $of->{$side} });
            push @rows, {
                figure => $figure->{name}, side => $side, unit => $figure->{unit},
                runs => scalar(grep { defined } @{ $of->{$side} }),
                median => median(@{ $of->{$side} }), least => $least, most => $most,
                ratio => $ratio, base => $figure->{base},
                $ours ? (target => $figure->{most},
                    verdict => verdict($figure->{base} ? $ratio : median(@{ $of->{$side} }), $figure->{most})) : (),
            };
        }
    }
    return @rows;
}

sub number {
    my ($n) = @_;
    return '-' if !defined $n;
    return sprintf abs($n) >= 100 ? '%.0f' : abs($n) >= 10 ? '%.1f' : '%.2f', $n;
}

sub target_text {
    my ($row) = @_;
    return '' if !defined $row->{target};
    return number($row->{target}) . ($row->{base} ? " x $row->{base}" : " $row->{unit}");
}

my @heads = ('figure', 'who', 'median', 'least-most', 'runs', 'ratio', 'target', '');

# What docs/bench.md says of the figures.
sub figures_table {
    return join '', "| figure | what | beside | target: at most |\n|---|---|---|---|\n", map {
        my ($ours, @others) = @{ $_->{sides} };
        sprintf "| `%s` | %s%s | %s | %s |\n", $_->{name}, $_->{what}, $_->{full} ? '; full run only' : '',
            join(', ', @others) || 'nobody', target_text({ target => $_->{most}, base => $_->{base}, unit => $_->{unit} });
    } figures();
}

# In the form of Markdown, columns of equal width.
sub table {
    my (@rows) = @_;
    my $last = '';
    my @cells = ([@heads], map {
        my $name = $_->{figure} eq $last ? '' : $_->{figure};
        $last = $_->{figure};
        [ $name, $_->{side}, defined $_->{median} ? number($_->{median}) . " $_->{unit}" : '-',
            number($_->{least}) . '-' . number($_->{most}), $_->{runs}, number($_->{ratio}),
            target_text($_), $_->{verdict} // '' ]
    } @rows);
    my @width = map { my $c = $_; max map { length $_->[$c] } @cells } 0 .. $#heads;
    my @lines = map { my $row = $_; '| ' . join(' | ', map { sprintf "%-$width[$_]s", $row->[$_] } 0 .. $#heads) . " |\n" } @cells;
    splice @lines, 1, 0, '|' . join('|', map { '-' x ($_ + 2) } @width) . "|\n";
    return join '', @lines;
}

sub machine_text {
    my ($machine) = @_;
    return join '', map { "$_\n" } (
        "machine   $machine->{cpu}, $machine->{cores} cores, Linux $machine->{kernel}",
        "cores     the server has core $machine->{server_core}, the generator core $machine->{load_core}; loopback",
        "software  $machine->{software}",
        "limits    $machine->{descriptors} descriptors a process; load average $machine->{load_before} before, $machine->{load_after} after",
        sprintf('generator busiest %.2f of its core; others took up to %.2f cores of a run', $machine->{generator}, $machine->{others}),
        $machine->{others} > 0.35 ? 'NOTE      the machine was not quiet: ratios of CPU hold roughly, latencies say little' : (),
        $machine->{cores} < 2 ? 'NOTE      one core for server and generator' : (),
    );
}

sub write_all {
    my ($dir, $machine, $values, $notes, $rows) = @_;
    spill("$dir/bench.json", JSON::PP->new->canonical->pretty->encode({
        machine => $machine, values => $values, rows => $rows, notes => $notes }));
    for my $figure (grep { $values->{ $_->{name} } } figures()) {
        spill("$dir/$figure->{name}.svg", svg($figure, grep { $_->{figure} eq $figure->{name} } @$rows));
    }
    return;
}

sub spill {
    my ($file, $text) = @_;
    open my $out, '>', $file or die "$file: $!\n";
    print $out $text;
    close $out or die "$file: $!\n";
    return;
}

# Bars of the medians, a line from the least to the most.
sub svg {
    my ($figure, @rows) = @_;
    my $most = max(map { $_->{most} // 0 } @rows) || 1;
    my $x = sub { 110 + 400 * ($_[0] // 0) / $most };
    my $height = 60 + 28 * @rows;
    my $bars = '';
    for my $n (0 .. $#rows) {
        my ($row, $y) = ($rows[$n], 48 + 28 * $n);
        $bars .= sprintf qq{<text x="100" y="%d" text-anchor="end">%s</text>\n}, $y + 14, $row->{side};
        next if !defined $row->{median};
        $bars .= sprintf qq{<rect x="110" y="%d" width="%.1f" height="18" fill="%s"/>\n}
            . qq{<path d="M%.1f %dH%.1f" stroke="#333"/>\n<text x="%.1f" y="%d">%s</text>\n},
            $y, $x->($row->{median}) - 110, $n ? '#b9c2cf' : '#3b6fd4',
            $x->($row->{least}), $y + 9, $x->($row->{most}), $x->($row->{most}) + 8, $y + 14, number($row->{median});
    }
    my $title = "$figure->{name} ($figure->{unit}): $figure->{what}" =~ s/&/&amp;/gr =~ s/</&lt;/gr;
    return qq{<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 600 $height" font-family="sans-serif" font-size="13">\n}
        . qq{<rect width="600" height="$height" fill="#fff"/>\n<text x="10" y="24" font-size="10">$title</text>\n$bars</svg>\n};
}

1;
