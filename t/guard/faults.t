# SPDX-License-Identifier: Apache-2.0
# A call that can fail is in t/unit/fault.h, so that it does in a test; or it is
# here, with the reason why it cannot, or need not.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files slurp);

my $built = $ENV{WSK_BUILDDIR} // '.';
# Rooms of which every call is walked; of transport, all of what hands over, and
# with it the loop and its connections.
my @rooms = qw(hub store registry transport);

my $ours = 'memory of ours only, and no way to say no';
my $lib  = 'a library whose memory fault.h has';
my $time = 'of an argument that is right';
my %never = (
    (map { $_ => $ours } qw(memcpy memset memcmp memchr strlen strnlen
        strcmp strncmp strchr strrchr strtol strtoll qsort bsearch snprintf
        vsnprintf sigemptyset sigfillset dirfd)),
    (map { $_ => $time } qw(clock_gettime nanosleep alarm sched_yield getpid
        getppid _exit sigaction pthread_sigmask prctl)),
    (map { $_ => 'of a lock or thread that is there' } qw(pthread_mutex_unlock
        pthread_mutex_destroy pthread_mutex_consistent
        pthread_mutexattr_destroy pthread_join)),
    close    => 'the descriptor is gone, whatever it says',
    closedir => 'so is this one',
    readdir  => 'of a folder of the kernel: entries come from memory',
    dup2     => 'both numbers are open, so nothing is allotted',
    kill     => 'who is gone need not be told; otherwise it is our own copy',
    __errno_location        => 'it is errno',
    __stack_chk_fail        => 'the compiler asks for it',
    _GLOBAL_OFFSET_TABLE_   => 'the linker does',
);
my %never_of = (
    qr{^(?:EVP|ERR|BIO|SSL|OPENSSL|CRYPTO|X509|HMAC|RAND|TLS|ASN1)_} => $lib,
    qr{^json_} => $lib,
    qr{^sqlite3_} => 't/unit/fault_sqlite.h has its memory and its system calls',
    qr{^__(?:asan|ubsan|tsan|sanitizer|gcov|llvm)_|^__afl} => 'the compiler',
);

my %table = map { $_ => 1 } slurp('t/unit/fault.h') =~ /^FAULT_[A-Z_]*\((\w+),/mg;
cmp_ok scalar keys %table, '>', 30, 'the table can be read';
is join(' ', grep { $never{$_} } sort keys %table), '', 'nothing can fail, and cannot';

# A fortified call is the same one, checked by the compiler.
sub plain { $_[0] =~ s/\@.*//r =~ s/^__(\w+)_chk$/$1/r =~ s/^(open|fcntl|fstat|pread)64(?:_2)?$/$1/r }

my %room_of = map { m{^src/(\w+)/(\w+)\.c$} ? ($2 => $1) : () } files(qr{^src/\w+/\w+\.c$});
my %called;
for my $archive (map { "$built/.libs/$_.a" } qw(libbare librooms)) {
    ok -e $archive, "$archive is built" or next;
    my $member = '';
    for (qx{nm -u '$archive' 2>/dev/null}) {
        $member = $1 if /^lib\w+_la-(\w+)\.o:/;
        push @{ $called{ plain($1) } }, $member if /^\s+[Uw] (\S+)/;
    }
}
ok scalar keys %called, 'and says what it calls';

my %needed;
for my $call (grep { !/^wsk_/ } sort keys %called) {
    my @by = grep { my $room = $room_of{$_} // ''; grep { $room eq $_ } @rooms }
        @{ $called{$call} };
    next if !@by;
    $needed{$call} = 1;
    ok $table{$call} || $never{$call} || (grep { $call =~ $_ } keys %never_of),
        "$call is failed in a test, or cannot fail"
        or diag "of @by: a line in t/unit/fault.h, or a reason in t/guard/faults.t";
}
# What the compiler makes of a call differs, so these need not be there: whoever
# removes the last call of one removes its line.
my $text = join '', map { slurp($_) }
    files(qr{^src/(?:${\join '|', @rooms})/\w+\.[ch]$});
for my $call (sort keys %table) {
    ok $needed{$call} || $text =~ /\b\Q$call\E\s*\(/, "$call of the table is called";
}
for my $call (grep { !/^_/ } sort keys %never) {
    ok $needed{$call} || $text =~ /\b\Q$call\E\s*\(/, "$call, which cannot fail, is called";
}

# Every one of them is failed, and the program sees to it.
my $tests = join '', map { slurp($_) } files(qr{^t/unit/\w+_fault\.c$});
for my $call (grep { $_ ne 'free' } sort keys %table) {
    ok index($tests, qq{"$call"}) >= 0, "a program holds that $call has failed";
}
done_testing;
