# SPDX-License-Identifier: Apache-2.0
# A WebSocket client made of frames: it can break every rule of RFC 6455.
#
#   $ws->send_text('{"type":"pong"}');
#   $ws->send_frame(opcode => 9, payload => 'x', fin => 0, rsv => 2, mask => 0);
#   my $frame = $ws->receive(5);        # {fin, rsv, opcode, payload} or undef
#   my $hash  = $ws->message(5);        # next JSON frame but pings, answered
#   $ws->close_code(5);                 # code of the close that comes
package WordSocket::Frames;
use v5.30;
use warnings;
use parent 'WordSocket::Wire';
use Digest::SHA qw(sha1_base64);
use JSON::PP ();
use Time::HiRes qw(time);

use constant { CONTINUATION => 0, TEXT => 1, BINARY => 2, CLOSE => 8, PING => 9, PONG => 10 };
use constant KEY => 'dGhlIHNhbXBsZSBub25jZQ==';

my $json = JSON::PP->new->utf8->canonical->allow_nonref;

# path, base, headers => { name => value or undef to leave out }, early => bytes
# sent right behind the handshake. Dies unless 101 came or status => wanted.
sub connect {
    my ($class, %option) = @_;
    my $self = $class->open_wire(%option);
    my %header = (
        Host => "127.0.0.1:$option{port}", Connection => 'Upgrade',
        Upgrade => 'websocket', 'Sec-WebSocket-Version' => 13,
        'Sec-WebSocket-Key' => KEY, %{ $option{headers} // {} },
    );
    my $head = ($option{method} // 'GET') . " $option{base}$option{path} HTTP/1.1\r\n";
    $head .= "$_: $header{$_}\r\n" for grep { defined $header{$_} } sort keys %header;
    my $status = $self->exchange("$head\r\n" . ($option{early} // ''));
    $self->{option} = \%option;
    my $wanted = $option{status} // 101;
    $status == $wanted or die "handshake: $wanted wanted, not\n$self->{head}";
    return $self;
}

# What Sec-WebSocket-Accept has to be for our key.
sub accept_value { sha1_base64(KEY . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11') . '=' }

# --- sending -----------------------------------------------------------------

sub frame {
    my (%f) = @_;
    my $payload = $f{payload} // '';
    my $length  = $f{length} // length $payload;
    my $size    = $f{size} // ($length < 126 ? 7 : $length < 65536 ? 16 : 64);
    my $masked  = $f{mask} // 1;
    my $head = pack 'C', (($f{fin} // 1) << 7) | (($f{rsv} // 0) << 4) | ($f{opcode} // TEXT);
    my $bit  = $masked ? 0x80 : 0;
    $head .= $size == 7 ? pack('C', $bit | $length)
        : $size == 16 ? pack('Cn', $bit | 126, $length)
        :               pack('CQ>', $bit | 127, $length);
    return $head . $payload if !$masked;
    my $key = $f{key} // pack 'N', int rand 2**32;
    my $pad = $key x (1 + int(length($payload) / 4));
    return $head . $key . ($payload ^. substr $pad, 0, length $payload);
}

sub send_frame  { my ($self, %f) = @_; $self->send_bytes(frame(%f)) }
sub send_text   { my ($self, $text) = @_; $self->send_frame(payload => $text) }
sub send_binary { my ($self, $bytes) = @_; $self->send_frame(opcode => BINARY, payload => $bytes) }
sub send_json   { my ($self, $value) = @_; $self->send_text($json->encode($value)) }

sub send_close {
    my ($self, $code, $reason) = @_;
    return $self->send_frame(opcode => CLOSE,
        payload => defined $code ? pack('n', $code) . ($reason // '') : '');
}

# A binary frame of the relay: name length, name, payload.
sub channel_frame { my ($name, $payload) = @_; pack('n/a*', $name) . $payload }

# --- receiving ---------------------------------------------------------------

sub receive {
    my ($self, $seconds) = @_;
    my $deadline = time + ($seconds // $self->PATIENCE);
    my $head = $self->take(2, $deadline) // return;
    my ($first, $second) = unpack 'CC', $head;
    my $length = $second & 0x7f;
    if ($length >= 126) {
        my $more = $self->take($length == 126 ? 2 : 8, $deadline) // return;
        $length = unpack $length == 126 ? 'n' : 'Q>', $more;
    }
    my $payload = $self->take($length, $deadline) // return;
    return {
        fin => $first >> 7, rsv => ($first >> 4) & 7, opcode => $first & 15,
        masked => $second >> 7, payload => $payload,
    };
}

# The next JSON message of a kind, or of any kind but ping; protocol pings and
# JSON pings are answered on the way. Undef at the deadline or on a close,
# which is kept in {closed}. What the relay says of presence comes only to who
# has set {watches}.
sub message {
    my ($self, $seconds, $type) = @_;
    my $deadline = time + ($seconds // $self->PATIENCE);
    while ((my $left = $deadline - time) > 0) {
        my $frame = $self->receive($left) // return;
        if ($frame->{opcode} == CLOSE) {
            $self->{closed} = close_of($frame);
            return;
        }
        if ($frame->{opcode} == PING) {
            $self->send_frame(opcode => PONG, payload => $frame->{payload});
        }
        next if $frame->{opcode} != TEXT;
        my $value = $json->decode($frame->{payload});
        if ($value->{type} eq 'ping') {
            $self->{ping} = $value;
            $self->send_text('{"type":"pong"}');
            next;
        }
        next if !$self->{watches} && ($value->{event} // '') eq 'wps.presence';
        return $value if !$type || $value->{type} eq $type;
    }
    return;
}

# The payload of the next pong, or undef.
sub pong {
    my ($self, $seconds) = @_;
    my $deadline = time + ($seconds // $self->PATIENCE);
    while (my $frame = $self->receive($deadline - time)) {
        return $frame->{payload} if $frame->{opcode} == PONG;
    }
    return;
}

# So many messages of type "message"; fewer if the deadline passes first.
sub messages {
    my ($self, $count, $seconds) = @_;
    my $deadline = time + ($seconds // $self->PATIENCE);
    my @got;
    while (@got < $count) {
        my $one = $self->message($deadline - time, 'message') // last;
        push @got, $one;
    }
    return @got;
}

sub subscribe {
    my ($self, $channels, $since) = @_;
    $self->send_json({ type => 'subscribe', channels => $channels,
        defined $since ? (since => $since) : () });
    return $self->{subscribed} = $self->message(undef, 'subscribed');
}

sub close_of {
    my ($frame) = @_;
    my ($code, $reason) = length $frame->{payload} < 2
        ? (1005, '')
        : unpack 'na*', $frame->{payload};
    return { code => $code, reason => $reason };
}

# The code of the close frame that comes, 1006 if the stream ends without one,
# undef if neither happens in time.
sub close_code {
    my ($self, $seconds) = @_;
    return $self->{closed}{code} if $self->{closed};
    my $deadline = time + ($seconds // $self->PATIENCE);
    while (my $frame = $self->receive($deadline - time)) {
        next if $frame->{opcode} != CLOSE;
        $self->{closed} = close_of($frame);
        return $self->{closed}{code};
    }
    return $self->{ended} ? 1006 : undef;
}

# Whether the server ends the TCP stream in time.
sub ends {
    my ($self, $seconds) = @_;
    $self->take_all($seconds);
    return $self->{ended} ? 1 : 0;
}

1;
