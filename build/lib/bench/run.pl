#!/usr/bin/perl
# SPDX-License-Identifier: Apache-2.0
# Measures; called by build/bench, which has built and installed everything.
# Repetitions are the outer loop and sides the inner one, so what is divided by
# each other was taken within a minute.
use v5.30;
use warnings;
use Cwd qw(abs_path);
use FindBin;
use lib $FindBin::Bin;
use File::Path qw(make_path remove_tree);
use File::Temp qw(tempdir);
use Getopt::Long;
use List::Util qw(max);
use Time::HiRes qw(time);
use Bench::Figures qw(figures peers);
use Bench::Recipes qw(measure stop_load);
use Bench::Report qw(rows table machine_text write_all);
use Bench::Servers;

$| = 1;
my %option = (only => '', peers => 'nchan,ws,socketio,hocuspocus,pushpin', out => 'bench-out');
GetOptions(\%option, qw(quick smoke list only=s peers=s repeat=i out=s bin=s module=s software=s)) or exit 2;
if ($option{list}) {
    list();
    exit 0;
}

my %only  = map { $_ => 1 } split /,/, $option{only};
my %peers = map { $_ => 1 } grep { $_ ne 'none' } split /,/, $option{peers};
my %known = (peers(), map { $_->{name} => 1 } figures());
for my $name (sort keys %only, sort keys %peers) {
    $known{$name} or die "no figure and no peer is called $name; see --list\n";
}
my @chosen = grep { %only ? $only{ $_->{name} } : !($_->{full} && ($option{quick} || $option{smoke})) } figures();
my $repeat = $option{repeat} // ($option{smoke} ? 1 : $option{quick} ? 3 : 5);
my $ceiling = POSIX::sysconf(POSIX::_SC_OPEN_MAX());
my @cpus = cpus();
my $dir = tempdir('wordsocket-bench-XXXXXX', TMPDIR => 1, CLEANUP => 1);
chmod 0755, $dir;
my $at = {
    dir => $dir, bin => abs_path($option{bin}), module => abs_path($option{module}),
    peers => "$option{bin}/peers", seconds => $option{smoke} ? 0.3 : $option{quick} ? 1.2 : 2.5,
    cpu => $cpus[0], load_cpu => $cpus[-1], smoke => $option{smoke},
};
my (%values, %notes, %frames);
my %machine = (machine(), load_before => load_average(), generator => 0, others => 0);

$SIG{$_} = sub { exit 130 } for qw(INT TERM HUP);
my $begun = time;
for my $n (1 .. $repeat) {
    for my $figure (@chosen) {
        my %figure = (%$figure, $option{smoke} && $figure->{subs} ? (subs => 200, hold => 2) : (),
            $option{smoke} && $figure->{others} ? (others => 20) : ());
        next if $figure->{as} && grep { $_->{name} eq $figure->{as} } @chosen;
        take(\%figure, $_, $n) for grep { wanted($_) } @{ $figure->{sides} };
    }
}
$machine{load_after} = load_average();
$values{ $_->{name} } //= $values{ $_->{as} } for grep { $_->{as} } @chosen;
report();
exit($option{smoke} && %notes ? 1 : 0);

END {
    my $status = $?;
    stop_load();
    Bench::Servers::stop_all();
    $? = $status;
}

sub wanted {
    my ($side) = @_;
    return $side =~ /^(?:us|floor|static)\b/ || $peers{$side};
}

sub take {
    my ($figure, $side, $n) = @_;
    my $name = $figure->{name};
    printf "[%3ds] %d/%d %-14s %-9s ", time - $begun, $n, $repeat, $name, $side;
    my $needed = ($figure->{subs} // 0) + ($figure->{others} // 0) + 200;
    if ($needed > $ceiling) {
        $notes{"$name $side"} = "needs $needed descriptors, $ceiling are allowed";
        say '- ', $notes{"$name $side"};
        return;
    }
    my ($value, $said) = eval { measure($figure, $side, $at) };
    my ($why) = ($@ || $said->{why} // '') =~ /^\s*([^\r\n]+)/;
    if (defined $value && defined($why = other_work($name, $side, $said->{frame}))) {
        undef $value;
    }
    $values{$name}{$side}[ $n - 1 ] = $value;
    $notes{"$name $side"} = $why if defined $why;
    if (my $cpu = $said->{cpu}) {
        $machine{generator} = max($machine{generator}, $cpu->{generator_busiest} // 0);
        $machine{others} = max($machine{others}, $cpu->{others_s} / $cpu->{wall_s}) if ($cpu->{wall_s} // 0) > 0.2;
    }
    say defined $value ? sprintf('%.2f %s', $value, $figure->{unit}) : "- $why";
    return;
}

# The bare loop does as much on the wire as we do, or is nothing to compare with.
# A few bytes more or less are the digits of an id.
sub other_work {
    my ($name, $side, $frame) = @_;
    return undef if !$frame || $side !~ /^(?:us|floor)\b/;
    $frames{$name} //= $frame if $side =~ /^us/;
    return 'nothing of ours to compare with' if !$frames{$name};
    return undef if abs($frame - $frames{$name}) <= 8;
    return sprintf 'a message is %.0f bytes, ours %.0f', $frame, $frames{$name};
}

sub report {
    my @rows = rows(\%values);
    if ($option{smoke}) {
        delete @$_{qw(target verdict)} for @rows;
        say "\nSMOKE: these numbers mean nothing";
    }
    make_path($option{out});
    unlink glob "$option{out}/*.svg";
    write_all($option{out}, \%machine, \%values, \%notes, \@rows);
    my $text = table(@rows) . "\n" . machine_text(\%machine);
    $text .= "not taken: $_: $notes{$_}\n" for sort keys %notes;
    Bench::Report::spill("$option{out}/bench.txt", $text);
    print "\n$text\n$option{out}/bench.json, bench.txt and an SVG for each figure\n";
    return;
}

sub list {
    for my $figure (figures()) {
        my $target = $figure->{base} ? "at most $figure->{most} x $figure->{base}" : "at most $figure->{most} $figure->{unit}";
        printf "%-14s %s%s\n%-14s %s; beside: %s\n", $figure->{name}, $figure->{what}, $figure->{full} ? ' (full run)' : '',
            '', $target, join(', ', @{ $figure->{sides} }[ 1 .. $#{ $figure->{sides} } ]) || 'nobody';
    }
    my %about = peers();
    printf "\n%-14s %s\n", $_, $about{$_} for sort keys %about;
    return;
}

# --- the machine -------------------------------------------------------------------

sub slurp { open my $in, '<', $_[0] or return ''; local $/; return <$in> // '' }

sub load_average { (split ' ', slurp('/proc/loadavg'))[0] }

# Those we may use; the first is the server's, the last the generator's.
sub cpus {
    my ($list) = slurp('/proc/self/status') =~ /^Cpus_allowed_list:\s+(\S+)/m;
    return map { /^(\d+)-(\d+)$/ ? $1 .. $2 : $_ } split /,/, $list;
}

sub machine {
    my ($cpu) = slurp('/proc/cpuinfo') =~ /^model name\s*:\s*(.*)$/m;
    return (
        cpu => $cpu // 'an unnamed processor', cores => scalar @cpus, kernel => slurp('/proc/sys/kernel/osrelease') =~ s/\s+\z//r,
        descriptors => $ceiling, server_core => $cpus[0], load_core => $cpus[-1], software => $option{software} // '',
    );
}
