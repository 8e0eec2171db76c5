# SPDX-License-Identifier: Apache-2.0
# A child that dies by SIGSEGV fails a test, whoever is to blame, but for one way
# to die that is known to be httpd's: its core proves it, or it counts as ours.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep);
use WordSocket::Crash;
use WordSocket::Sanitizer;
use WordSocket::Server;

plan skip_all => 'a sanitizer has a handler of its own' if WordSocket::Sanitizer::kind();

my $read = WordSocket::Crash::can_read();

# What of the log would fail a test.
sub held_against {
    my ($server) = @_;
    return join "\n", $server->{log}->unexplained;
}

# --- httpd's own --------------------------------------------------------------------

# An httpd stopped while a worker reads a request that ends between the moment its
# socket is found and that it is closed. The memory may have got another use.
sub die_closing {
    my ($without) = @_;
    my $server = WordSocket::Server->new(mpm => 'event', children => 1, without => $without)->prepare;
    $server->announce(qr/^late$/m);
    my $late = "$server->{root}/late";
    $server->{environment} = {
        LD_PRELOAD => WordSocket::Sanitizer::preload(@$server{qw(top root)}, 'late_socket', qw(-O2 -D_GNU_SOURCE)),
        WSK_LATE_MAIN => $late,
    };
    $server->start;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->{port}) or die "connect: $!\n";
    syswrite $socket, "GET / HTTP/1.1\r\nHo";
    sleep 0.5;
    $server->write_file('late', '');
    $server->signal('TERM');
    $server->wait_for(10, sub { $server->log_text =~ /^late$/m });
    close $socket;
    sleep 0.5;
    unlink $late;
    $server->wait_gone(20) or die "httpd does not stop\n";
    $server->kill_all;
    my ($line) = grep { /exit signal Segmentation fault/ } split /\n/, $server->log_text;
    return ($server, $line);
}
for my $case ([ 'without our module' => ['wordsocket'] ], [ 'with it' => [] ]) {
    my ($name, $without) = @$case;
    my ($server, $line);
    for (1 .. 10) {
        ($server, $line) = die_closing($without);
        last if $line;
    }
    ok $line, "$name: a child that closes what is gone dies";
    is held_against($server), $read ? '' : $line, $read ? 'and that is known to be of httpd' : 'and without gdb it counts';
    unlink glob "$server->{root}/cores/*";
    is held_against($server), $line, 'but not without the core that shows it';
}

# --- any other ----------------------------------------------------------------------

my $server = WordSocket::Server->new(children => 1)->start;
my ($child) = $server->children;
kill 'SEGV', $child;
ok $server->wait_for(10, sub { $server->log_text =~ /child pid $child exit signal/ }), 'a child that dies elsewhere is logged';
$server->signal('TERM');
ok $server->wait_gone(20), 'httpd stops';
$server->kill_all;
ok scalar(glob "$server->{root}/cores/*"), 'its core is there';
like held_against($server), qr/\A\[.*child pid $child exit signal Segmentation fault.*\z/, 'and it is not forgiven';
is scalar(grep { /ap_run_mpm/ } WordSocket::Crash::stacks($server->{root}, $child)), $read ? 1 : 0, 'but shown, by gdb';

# --- sockets closed under those who use them ----------------------------------------

my $log   = WordSocket::Log->new({ root => $server->{root} });
my $file  = $server->write_file('some_log', '');
my $under = '[mpm_event:error] [pid 7:tid 9] (9)Bad file descriptor: AH03092: process_lingering_close: apr_pollset_add failure';
my $n     = 0;
sub logged {
    open my $out, '>>', $file or die "$file: $!\n";
    print $out map { '[Sat Nov 28 04:23:46.0000' . $n++ . " 2026] $_\n" } @_;
    close $out or die "$file: $!\n";
    return join ' ', map { /46\.0000(\d+)/ } $log->unexplained;
}
$log->begin($file);
is logged($under), '0', 'a socket that is none counts while children serve';
$log->stopping;
is logged($under), '0', 'but not while they are told to stop';
is logged($under =~ s/AH03092/AH00471/r, $under =~ s/\(9\)/(17)/r), '0 2 3', 'anything else does';
is logged('[mpm_event:notice] AH00489: Apache configured -- resuming normal operations', $under), '0 2 3 5',
    'and so it does once there are new ones';

# --- the judgement ------------------------------------------------------------------

my $apr  = 'from /lib/x86_64-linux-gnu/libapr-1.so.0';
my $mpm  = 'from /usr/lib/apache2/modules/mod_mpm_event.so';
my $ours = 'from /usr/lib/apache2/modules/mod_wordsocket.so';
sub stack { my $n = 0; return map { "#" . $n++ . "  $_\n" } @_ }
sub dump_of {
    my ($current, %threads) = @_;
    return join '', "* 1    process 7    1 (core)   /usr/sbin/apache2\n",
        "[Current thread is 1 (Thread 0x7f9a44909780 (LWP $current))]\n",
        map { ("\nThread 1 (Thread 0x7f9a44909780 (LWP $_)):\n", stack(@{ $threads{$_} })) } sort keys %threads;
}
my @race = ("0x00007f9a44b89180 in apr_os_sock_get () $apr", ("0x00007f9a448c806c in ?? () $mpm") x 5,
    '0x000055e9d8464850 in ap_run_mpm ()', '0x000055e9d845c1c2 in main ()');
my @handled = ('0x00007f9a44a80b07 in kill () at ../sysdeps/unix/syscall-template.S:117',
    '0x000055e9d8464123 in ?? ()', '<signal handler called>');
my @worker = ('0x00007f9a44197000 in wsk_adopt (r=0x0, conn=0x0) at src/hooks/wsk_adopt.c:210', "0x00007f9a44a081f5 in start_thread ()");
my %said = (
    'the main thread closes'             => [ 1, 7, 7 => \@race ],
    'another got the signal of its handler' => [ 1, 9, 7 => [ @handled, @race ], 9 => \@worker ],
    'another dies while it closes'       => [ 0, 9, 7 => \@race, 9 => \@worker ],
    'the core is of another process'     => [ 0, 8, 8 => \@race ],
    'it dies in what it calls'           => [ 0, 7, 7 => [ "0x1 in memcpy () from libc.so.6", @race ] ],
    'we are on its stack'                => [ 0, 7, 7 => [ @race[ 0, 1 ], "0x1 in ?? () $ours", @race[ 2 .. $#race ] ] ],
    'a cleanup of ours is'               => [ 0, 7, 7 => [ $race[0], "0x1 in httpd_let_go (data=0x0) at src/hooks/wsk_adopt.c:50", @race[ 1 .. $#race ] ] ],
    'the MPM is not'                     => [ 0, 7, 7 => [ @race[ 0, -2, -1 ] ] ],
    'it is another call'                 => [ 0, 7, 7 => [ "0x1 in apr_pool_cleanup_run () $apr", @race[ 1 .. $#race ] ] ],
    'there is no stack'                  => [ 0, 7 ],
);
for my $name (sort keys %said) {
    my ($want, @dump) = @{ $said{$name} };
    is !!WordSocket::Crash::is_of_httpd(dump_of(@dump), 7), !!$want, ($want ? 'forgiven: ' : 'not forgiven: ') . $name;
}
done_testing;
