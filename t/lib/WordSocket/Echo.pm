# SPDX-License-Identifier: Apache-2.0
# Cases over /echo, which returns every data message as it came: what is sent,
# what has to come back, and how the connection has to end. The numbers in the
# names are those of the public conformance suites.
#
#   echo_case('1.1.2 text of 125 bytes', tls => 0,
#       send => [ { payload => 'x' x 125 } ],
#       want => [ [ 1, 'x' x 125 ] ]);
#   echo_case('3.1 RSV 1', send => [ { rsv => 4, payload => 'x' } ], code => 1002);
#
# send   frames for WordSocket::Frames, raw bytes, or code to call with it
# want   data messages and pongs, as [opcode, payload], in order
# code   what the server closes with; without it we close with 1000 and the
#        server has to answer that
# piece  bytes of all sends together go out in pieces of so many
package WordSocket::Echo;
use v5.30;
use warnings;
use Exporter qw(import);
use Test::More ();
use WordSocket::Frames;
use WordSocket::Server;

our @EXPORT = qw(echo_case echo_case_on echo_connect);

use constant { TEXT => 1, BINARY => 2, CLOSE => 8, PING => 9, PONG => 10 };

sub echo_connect {
    my ($server, %option) = @_;
    return WordSocket::Frames->connect(
        host => '127.0.0.1', base => $server->{path}, path => '/echo',
        port => $option{tls} ? $server->{tls_port} : $server->{port}, %option);
}

sub echo_case { echo_case_on(WordSocket::Server->shared, @_) }

sub echo_case_on {
    my ($server, $name, %case) = @_;
    my $tls = $case{tls};
    my $ws  = echo_connect($server, tls => $tls);
    my $said = send_all($ws, \%case) // '';
    my @got;
    my $wanted = $case{want} // [];
    while (@got < @$wanted) {
        my $frame = $ws->receive($case{seconds} // 10);
        last if !$frame || $frame->{opcode} == CLOSE && ($ws->{closed} = WordSocket::Frames::close_of($frame));
        push @got, $frame;
    }
    my @wrong = compare(\@got, $wanted);
    push @wrong, ending($ws, $case{code});
    $ws->hang_up;
    Test::More::is(join('; ', @wrong), '', ($tls ? 'TLS ' : '') . $name);
    return;
}

# Everything that is sent, in the pieces asked for.
sub send_all {
    my ($ws, $case) = @_;
    my @bytes = map { ref eq 'HASH' ? WordSocket::Frames::frame(%$_) : $_ } @{ $case->{send} };
    if ($case->{piece}) {
        return $ws->dribble(join('', @bytes), $case->{piece}, $case->{pause});
    }
    ref ? $_->($ws) : $ws->send_bytes($_) for @bytes;
    return;
}

sub brief {
    my ($bytes) = @_;
    return length $bytes > 40 ? length($bytes) . ' bytes' : join '', map {
        /[\x21-\x7e]/ ? $_ : sprintf '\\x%02x', ord
    } split //, $bytes;
}

sub compare {
    my ($got, $wanted) = @_;
    my @wrong;
    for my $i (0 .. $#$wanted) {
        my ($opcode, $payload) = @{ $wanted->[$i] };
        my $frame = $got->[$i];
        if (!$frame) {
            push @wrong, "message $i did not come";
        }
        elsif ($frame->{opcode} != $opcode || $frame->{payload} ne $payload) {
            push @wrong, "message $i is $frame->{opcode} " . brief($frame->{payload})
                . ", not $opcode " . brief($payload);
        }
        elsif (!$frame->{fin} || $frame->{rsv} || $frame->{masked}) {
            push @wrong, "message $i has odd bits";
        }
    }
    return @wrong;
}

sub ending {
    my ($ws, $code) = @_;
    $ws->send_close(1000) if !defined $code;
    my $came = $ws->close_code(10) // 'nothing';
    my $want = ref $code ? $code : [ $code // 1000 ];
    my @wrong;
    if (!grep { $came eq $_ } @$want) {
        push @wrong, "closed with $came, not @$want";
    }
    # RFC 6455, 7.1.1: the server ends the TCP connection once both sides said
    # Close; who failed the connection does so without waiting for long.
    $ws->send_close($came) if defined $code && $came =~ /^\d{4}$/ && $came != 1006;
    push @wrong, 'the TCP connection stays' if !$ws->ends(8);
    return @wrong;
}

1;
