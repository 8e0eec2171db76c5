# SPDX-License-Identifier: Apache-2.0
# httpd with a sanitized module, or under valgrind: what is found goes into
# files of its own, and a file with something in it fails the test. WSK_KIND
# says how the module was built, asan (with ubsan) or tsan, or is valgrind.
#
# UBSan writes into the error log, which is under test anyway.
#
# Only httpd gets the runtime, never perl. Leaks are looked for whenever a
# process ends, and count if our module is on the way to the allocation; for
# that the stacks have to be whole and the module still there (see
# t/lib/keep_modules.c). What else is httpd's own is in t/lib/*.supp.
package WordSocket::Sanitizer;
use v5.30;
use warnings;
use Test::More ();

# A line of a stack that is ours.
my $us = qr/\bwsk_|mod_wordsocket/;

# What OpenSSL keeps for whoever asks for an algorithm next; it frees that as
# the last thing, or not at all.
my $kept = qr/\bEVP_\w+_fetch\b/;

sub kind {
    my $kind = $ENV{WSK_KIND} // '';
    return $kind =~ /^(?:asan|tsan|valgrind)$/ ? $kind : '';
}

# How many times as long things may take.
sub slowness { return { asan => 2, tsan => 4, valgrind => 6 }->{ kind() } // 1 }

sub runtime {
    my ($library) = @_;
    my $file = qx{gcc -print-file-name=$library} =~ s/\s+\z//r;
    my $real = qx{readlink -f '$file'} =~ s/\s+\z//r;
    -e $real or die "no $library; is gcc's sanitizer runtime installed?\n";
    return $real;
}

# t/lib/NAME.c as something to preload.
sub preload {
    my ($top, $root, $name, @flags) = @_;
    my $so = "$root/$name.so";
    return $so if -e $so;
    system('gcc', '-shared', '-fPIC', '-O1', @flags, '-o', $so, "$top/t/lib/$name.c") == 0
        or die "$name.c does not compile\n";
    return $so;
}

# What httpd's environment has to hold.
sub environment {
    my ($top, $root) = @_;
    my $log = "$root/logs/sanitizer";
    if (kind() eq 'asan') {
        return (
            LD_PRELOAD    => join(':', runtime('libasan.so'), preload($top, $root, 'keep_modules')),
            ASAN_OPTIONS  => "detect_leaks=1:fast_unwind_on_malloc=0:halt_on_error=0:disable_coredump=0:log_path=$log",
            LSAN_OPTIONS  => 'exitcode=0:max_leaks=0',
            UBSAN_OPTIONS => 'print_stacktrace=1',
        );
    }
    if (kind() eq 'tsan') {
        return (
            LD_PRELOAD   => join(':', runtime('libtsan.so'),
                preload($top, $root, 'seen_atomics', '-fsanitize=thread')),
            TSAN_OPTIONS => "exitcode=0:disable_coredump=0:log_path=$log:suppressions=$top/t/lib/tsan.supp",
        );
    }
    return ();
}

# What has to stand before httpd on a command line.
sub prefix {
    my ($top, $root) = @_;
    return if kind() ne 'valgrind';
    return ('valgrind', '--quiet', '--trace-children=yes', '--child-silent-after-fork=no',
        '--leak-check=full', '--show-leak-kinds=definite', '--keep-debuginfo=yes',
        '--num-callers=40', '--fair-sched=try', "--suppressions=$top/t/lib/valgrind.supp",
        "--log-file=$root/logs/sanitizer.%p");
}

# A program that starts httpd so, for those who know no more than a name; what
# crashes may leave a core.
sub wrapper {
    my ($top, $root, $httpd) = @_;
    my %more = environment($top, $root);
    my $file = "$root/httpd";
    open my $out, '>', $file or die "$file: $!\n";
    print $out "#!/bin/sh\n", map { "export $_='$more{$_}'\n" } sort keys %more;
    print $out qq{ulimit -c "\$(ulimit -H -c)"\n};
    print $out join(' ', 'exec', prefix($top, $root), $httpd, qq{"\$@"}), "\n";
    close $out or die "$file: $!\n";
    chmod 0755, $file;
    return $file;
}

# How long the files of findings are, to tell later what is new in them.
sub mark {
    my ($root) = @_;
    return { map { $_ => -s $_ } glob "$root/logs/sanitizer.*" };
}

# What was found, since a mark if there is one.
sub findings {
    my ($root, $mark) = @_;
    my @found;
    for my $file (glob "$root/logs/sanitizer.*") {
        open my $in, '<', $file or die "$file: $!\n";
        seek $in, $mark->{$file} // 0, 0;
        local $/;
        push @found, ours(<$in> // '');
    }
    return join '', @found;
}

# Without the leaks that are httpd's own. A report has a paragraph for each.
sub ours {
    my ($text) = @_;
    return ours_of_valgrind($text) if kind() eq 'valgrind';
    return ours_of_tsan($text) if kind() eq 'tsan';
    my ($errors, $leaks) = split /^==\d+==ERROR: LeakSanitizer:.*\n/m, $text, 2;
    $errors //= '';
    my @ours = grep { /^(?:Ind|D)irect leak/ && /$us/ && !/$kept/ } split /\n{2,}/, $leaks // '';
    $errors =~ s/\A[\s=]*\z//;
    $errors = '' if in_a_handler($errors);
    return join "\n\n", $errors || (), @ours;
}

# A child of prefork runs the cleanups of its pools in the handler of the signal that
# ends it, whatever it is doing: what that frees a second time is httpd's own, if
# none of us is in the handler.
sub in_a_handler {
    my ($errors) = @_;
    my ($handler) = $errors =~ /\A(.*?mod_mpm_prefork\.so[^\n]*\n +#\d+ \S+ +\(\S*libc\.so[^\n]*\n)/s or return 0;
    return $handler !~ /\n\n/ && $handler !~ $us;
}

# The lines begin with the number of the process. Only what has a stack is a
# finding; a leak is ours if we are in it.
sub ours_of_valgrind {
    my ($text) = @_;
    my @found = grep { /^ +at 0x/m } split /\n\s*\n/, $text =~ s/^==\d+== ?//mgr;
    return join "\n\n", grep { !/ lost in loss record / || (/$us/ && !/$kept/) } @found;
}

# A race has two sides, and both are ours: httpd takes memory back into its
# pools by ways that TSan does not see.
sub ours_of_tsan {
    my ($text) = @_;
    my @ours;
    for my $report (grep { /^WARNING: ThreadSanitizer/m } split /^={18}\n/m, $text) {
        my @sides = grep { /^  (?:Previous )?(?:atomic )?(?:write|read) of size/mi } split /\n\n/, $report;
        push @ours, $report if $report =~ $us && !grep { $_ !~ $us } @sides;
    }
    return join "\n", @ours;
}

sub judge {
    my ($root, $mark) = @_;
    return if !kind();
    Test::More::is(substr(findings($root, $mark), 0, 4000), '',
        "the ${\kind()} build found nothing");
    return;
}

1;
