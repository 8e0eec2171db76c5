# SPDX-License-Identifier: Apache-2.0
# A socket that sends exactly the bytes it is told, and reads with a deadline.
package WordSocket::Wire;
use v5.30;
use warnings;
use IO::Select;
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_RCVBUF SO_LINGER IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time sleep);

use constant PATIENCE => 10;    # seconds, unless the caller says otherwise

# host, port, tls; receive_buffer in bytes, for a slow reader; from: a source
# address.
sub open_wire {
    my ($class, %option) = @_;
    my $socket = IO::Socket::INET->new(Proto => 'tcp') or die "socket: $!\n";
    $socket->setsockopt(SOL_SOCKET, SO_RCVBUF, $option{receive_buffer})
        if $option{receive_buffer};
    if ($option{from}) {
        bind $socket, Socket::pack_sockaddr_in(0, Socket::inet_aton($option{from}))
            or die "bind $option{from}: $!\n";
    }
    connect $socket, Socket::pack_sockaddr_in($option{port}, Socket::inet_aton($option{host}))
        or die "connect $option{port}: $!\n";
    $socket->setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    if ($option{tls}) {
        require IO::Socket::SSL;
        IO::Socket::SSL->start_SSL($socket, SSL_verify_mode => 0,
            SSL_alpn_protocols => ['http/1.1'], %{ $option{tls_options} // {} })
            or die "TLS: @{[IO::Socket::SSL::errstr()]}\n";
    }
    return bless { socket => $socket, tls => $option{tls}, in => '', %option }, $class;
}

sub send_bytes {
    my ($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $at = 0;
    while ($at < length $bytes) {
        my $n = $self->{socket}->syswrite($bytes, length($bytes) - $at, $at);
        return 0 if !defined $n;
        $at += $n;
    }
    return 1;
}

# The same, in pieces of so many bytes, each in a segment of its own.
sub dribble {
    my ($self, $bytes, $piece, $pause) = @_;
    for (my $at = 0; $at < length $bytes; $at += $piece) {
        $self->send_bytes(substr $bytes, $at, $piece) or return 0;
        sleep($pause // 0.002);
    }
    return 1;
}

# Read once into the buffer. Returns false at the deadline and at the end of
# the stream; the latter sets {ended}.
sub fill {
    my ($self, $deadline) = @_;
    my $pending = $self->{tls} ? $self->{socket}->pending : 0;
    if (!$pending) {
        my $left = $deadline - time;
        return 0 if $left <= 0;
        return 0 if !IO::Select->new($self->{socket})->can_read($left);
    }
    my $n = $self->{socket}->sysread($self->{in}, 65536, length $self->{in});
    if (!defined $n) {
        return 1 if $!{EAGAIN} || $!{EINTR};
        @$self{qw(ended error)} = (1, "$!");
        return 0;
    }
    $self->{ended} = 1 if !$n;
    return $n > 0;
}

# Exactly so many bytes, or undef.
sub take {
    my ($self, $want, $deadline) = @_;
    while (length $self->{in} < $want) {
        $self->fill($deadline) or return;
    }
    return substr $self->{in}, 0, $want, '';
}

# Up to and with what matches, or undef.
sub take_until {
    my ($self, $pattern, $deadline) = @_;
    while (1) {
        return substr $self->{in}, 0, $+[0], '' if $self->{in} =~ $pattern;
        $self->fill($deadline) or return;
    }
}

# Everything until the other side closes, or the deadline.
sub take_all {
    my ($self, $seconds) = @_;
    my $deadline = time + ($seconds // PATIENCE);
    1 while !$self->{ended} && $self->fill($deadline);
    return substr $self->{in}, 0, length $self->{in}, '';
}

# Send a request head and read the answer's.
sub exchange {
    my ($self, $head, $seconds) = @_;
    $self->send_bytes($head);
    my $answer = $self->take_until(qr/\r\n\r\n/, time + ($seconds // PATIENCE));
    $self->{head} = $answer // '';
    ($self->{status}) = $self->{head} =~ m{^HTTP/1\.[01] (\d+)};
    $self->{status} //= 0;
    $self->{headers} = { map { /^([^:]+):\s*(.*?)\s*$/ ? (lc $1 => $2) : () } split /\r\n/, $self->{head} };
    return $self->{status};
}

sub header { $_[0]{headers}{ lc $_[1] } }

# Gone at once, with a reset and without a word.
sub reset_hard {
    my ($self) = @_;
    $self->{socket}->setsockopt(SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0);
    $self->hang_up;
    return;
}

sub hang_up {
    my ($self) = @_;
    $self->{tls} ? $self->{socket}->close(SSL_no_shutdown => 1) : $self->{socket}->close;
    return;
}

1;
