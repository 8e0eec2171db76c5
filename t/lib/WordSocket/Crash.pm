# SPDX-License-Identifier: Apache-2.0
# What killed a child, by its core.
#
#   WordSocket::Crash::is_known($root, $line)    # a line of the error log
#   WordSocket::Crash::stacks($root, $pid)       # for people, one string each
#
# One way to die is httpd's, with our module or without it (t/020-crash.t shows
# it without). A child of the event MPM that is told to stop at once closes the
# sockets its workers use, and takes no lock: a worker done with a connection
# meanwhile gives its memory back to the system before it says that the socket
# is none of its own any more. The main thread then reads what is not mapped:
#
#   #0  apr_os_sock_get
#   #1  close_socket_nonblocking_, close_worker_sockets, signal_threads,
#       child_main .. event_run: nobody but the MPM
#   #n  ap_run_mpm
#       main
#
# Promise   Only a child whose own core shows exactly that is forgiven. Without
#           gdb, without a core, or with that of another child nothing is.
package WordSocket::Crash;
use v5.30;
use warnings;
use WordSocket::Sanitizer;

# No more than one of each child, of the last that died.
sub cores { my ($root) = @_; return glob "$root/cores/*" }

sub can_read {
    state $can = qx{gdb --version 2>/dev/null} ne '';
    return $can;
}

# A command, as a list, run so that its children may leave a core.
sub allowing_cores {
    return ('sh', '-c', 'ulimit -c "$(ulimit -H -c)"; exec "$@"', 'sh', @_);
}

sub is_known {
    my ($root, $line) = @_;
    my ($pid) = $line =~ /child pid (\d+) exit signal Segmentation fault/ or return 0;
    return !!grep { is_of_httpd($_, $pid) } dumps($root);
}

# All threads of the child, from whichever core is its.
sub stacks {
    my ($root, $pid) = @_;
    return grep { process_of($_) == $pid } dumps($root);
}

# What gdb says of every core.
sub dumps {
    my ($root) = @_;
    return if !can_read();
    state %dumps;
    return map { $dumps{ join ' ', $_, (stat)[ 1, 7, 9 ] } //= dump_of($_) } cores($root);
}

sub dump_of {
    my ($core) = @_;
    require WordSocket::Server;
    my @ask = map { ('-ex', $_) } 'set width 0', 'info inferiors', 'thread', 'thread apply all backtrace 40';
    open my $gdb, '-|', 'sh', '-c', 'exec "$@" 2>/dev/null </dev/null', 'sh', 'gdb', '-nx', '-batch', @ask,
        WordSocket::Server::httpd(), $core
        or return '';
    local $/;
    return <$gdb> // '';
}

sub process_of { return $_[0] =~ /^\* 1 +process (\d+)/m ? $1 : 0 }

# The signal is one of the thread that dies, unless httpd's handler has taken it
# and sent it once more, to any thread of the child.
sub is_of_httpd {
    my ($dump, $pid) = @_;
    return 0 if process_of($dump) != $pid;
    my ($current) = $dump =~ /^\[Current thread is \d+ \(.*?LWP (\d+)\)+\]/m or return 0;
    my ($main) = $dump =~ /^Thread \d+ \(.*?LWP $pid\).*\n((?:(?:#|warning:).*\n?)+)/m or return 0;
    my @frames = $main =~ /^#\d+ +(.*)/mg;
    my ($handler) = grep { $frames[$_] =~ /<signal handler called>/ } 0 .. $#frames;
    return 0 if !defined $handler && $current != $pid;
    splice @frames, 0, $handler + 1 if defined $handler;
    return is_closing(@frames);
}

sub is_closing {
    my ($first, @callers) = @_;
    return 0 if ($first // '') !~ /\bapr_os_sock_get \(/;
    my $mpm = 0;
    while (@callers && $callers[0] =~ m{ from \S*/mod_mpm_event\.so\z| at \S*\bevent\.c:\d+\z}) {
        shift @callers;
        $mpm++;
    }
    return $mpm >= 3 && @callers == 2 && $callers[0] =~ /\bap_run_mpm \(/ && $callers[1] =~ /\bmain \(/;
}

1;
