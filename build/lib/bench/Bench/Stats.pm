# SPDX-License-Identifier: Apache-2.0
# What is made of repeated measurements.
#
#   median(@n)            undef of nothing
#   spread(@n)            (least, most)
#   ratios(\@a, \@b)      a/b by repetition: pairs that are both there
#   verdict($value, $most) 'met', 'missed', or '-' if there is no value
package Bench::Stats;
use v5.30;
use warnings;
use Exporter qw(import);
use List::Util qw(min max);

our @EXPORT_OK = qw(median spread ratios verdict);

sub median {
    my @n = sort { $a <=> $b } grep { defined } @_;
    return undef if !@n;
    return @n % 2 ? $n[ $#n / 2 ] : ($n[ @n / 2 - 1 ] + $n[ @n / 2 ]) / 2;
}

sub spread {
    my @n = grep { defined } @_;
    return (min(@n), max(@n));
}

# Runs of one repetition are minutes nearer to each other than the medians are.
sub ratios {
    my ($a, $b) = @_;
    return map { $a->[$_] / $b->[$_] }
        grep { defined $a->[$_] && $b->[$_] } 0 .. max($#$a, $#$b);
}

sub verdict {
    my ($value, $most) = @_;
    return '-' if !defined $value || !defined $most;
    return $value <= $most ? 'met' : 'missed';
}

1;
