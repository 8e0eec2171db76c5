# SPDX-License-Identifier: Apache-2.0
# httpd with a sanitized module: the runtime is preloaded, what it finds goes
# into a file of its own, and a file with something in it fails the test.
# WSK_KIND says how the module was built: asan (with ubsan), tsan, or nothing.
package WordSocket::Sanitizer;
use v5.30;
use warnings;
use Test::More ();

sub kind {
    my $kind = $ENV{WSK_KIND} // '';
    return $kind =~ /^(?:asan|tsan)$/ ? $kind : '';
}

sub runtime {
    my ($library) = @_;
    my $file = qx{gcc -print-file-name=$library} =~ s/\s+\z//r;
    my $real = qx{readlink -f '$file'} =~ s/\s+\z//r;
    -e $real or die "no $library; is gcc's sanitizer runtime installed?\n";
    return $real;
}

# What httpd's environment has to hold.
sub environment {
    my ($root) = @_;
    my $log = "$root/logs/sanitizer";
    if (kind() eq 'asan') {
        return (
            LD_PRELOAD    => runtime('libasan.so'),
            ASAN_OPTIONS  => "detect_leaks=0:halt_on_error=0:log_path=$log",
            UBSAN_OPTIONS => "print_stacktrace=1:log_path=$log",
        );
    }
    if (kind() eq 'tsan') {
        return (
            LD_PRELOAD   => runtime('libtsan.so'),
            TSAN_OPTIONS => "log_path=$log:suppressions=" . suppressions($root),
        );
    }
    return ();
}

# httpd's own: it opens its log in a signal handler. APR's and OpenSSL's
# atomics are not instrumented, so what is handed over by them looks racy.
sub suppressions {
    my ($root) = @_;
    my $file = "$root/tsan.supp";
    open my $out, '>', $file or die "$file: $!\n";
    print $out map { "$_\n" } 'signal:ap_', 'signal:apr_', 'race:libapr',
        'race:libcrypto', 'race:libssl', 'called_from_lib:libcrypto.so.3',
        'called_from_lib:libssl.so.3';
    close $out;
    return $file;
}

sub judge {
    my ($root) = @_;
    return if !kind();
    my @found = map { open my $in, '<', $_ or die $!; local $/; <$in> // () }
        glob "$root/logs/sanitizer.*";
    Test::More::is(substr(join("\n", @found), 0, 4000), '',
        "the ${\kind()} build found nothing");
    return;
}

1;
