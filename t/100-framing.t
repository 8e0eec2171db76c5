# SPDX-License-Identifier: Apache-2.0
# Frames over /echo, plain and TLS: payload lengths, pings, reserved bits and
# opcodes, fragments. The same cases as in the public conformance suites.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Echo;
use WordSocket::Server;

use constant { CONT => 0, TEXT => 1, BINARY => 2, PING => 9, PONG => 10 };

sub frame { my ($opcode, $payload, %more) = @_; +{ opcode => $opcode, payload => $payload, %more } }

for my $tls (0, 1) {
    my $case = sub { my ($name, %case) = @_; echo_case($name, tls => $tls, %case) };

    # --- 1: text and binary of all the lengths that a header can have ---------
    for my $length (0, 1, 124 .. 128, 65535 .. 65537) {
        my $text = '*' x $length;
        my $bin  = "\xfe" x $length;
        $case->("1.1 text of $length bytes", send => [ frame(TEXT, $text) ], want => [ [ TEXT, $text ] ]);
        $case->("1.2 binary of $length bytes", send => [ frame(BINARY, $bin) ], want => [ [ BINARY, $bin ] ]);
    }
    for my $opcode (TEXT, BINARY) {
        $case->("1.$opcode.8 65536 bytes in pieces of 997",
            send => [ frame($opcode, 'p' x 65536) ], piece => 997, pause => 0,
            want => [ [ $opcode, 'p' x 65536 ] ]);
    }
    $case->('1 a length in more bytes than it needs',
        send => [ frame(TEXT, 'x' x 5, size => 16) ], code => 1002);
    $case->('1 and in eight', send => [ frame(TEXT, 'x' x 300, size => 64) ], code => 1002);
    $case->('1 a length with the highest bit set',
        send => [ pack 'CCQ>', 0x82, 0xff, 1 << 63 ], code => [ 1002, 1009 ]);
    $case->('1 a frame without a mask', send => [ frame(TEXT, 'x', mask => 0) ], code => 1002);
    $case->('1 a mask of zeros', send => [ frame(TEXT, 'abc', key => "\0\0\0\0") ], want => [ [ TEXT, 'abc' ] ]);

    # --- 2: pings and pongs --------------------------------------------------
    my @bytes = ("\0\xff\xfe\xfd\xfc\xfb\0\xff", "\xfe" x 125);
    $case->('2.1 a ping without payload', send => [ frame(PING, '') ], want => [ [ PONG, '' ] ]);
    $case->('2.2 a ping with text', send => [ frame(PING, 'Hello, world!') ], want => [ [ PONG, 'Hello, world!' ] ]);
    $case->("2.3 a ping with $_", send => [ frame(PING, $bytes[ $_ eq 'bytes' ? 0 : 1 ]) ],
        want => [ [ PONG, $bytes[ $_ eq 'bytes' ? 0 : 1 ] ] ]) for 'bytes', '125 bytes';
    $case->('2.5 a ping of 126 bytes', send => [ frame(PING, 'x' x 126) ], code => 1002);
    $case->('2.6 a ping byte by byte', send => [ frame(PING, "\xfe" x 125) ], piece => 1, pause => 0,
        want => [ [ PONG, "\xfe" x 125 ] ]);
    $case->('2.7 a pong nobody asked for', send => [ frame(PONG, '') ]);
    $case->('2.8 one with payload', send => [ frame(PONG, 'unasked') ]);
    $case->('2.9 a pong, then a ping', send => [ frame(PONG, 'unasked'), frame(PING, 'asked') ],
        want => [ [ PONG, 'asked' ] ]);
    $case->('2.10 ten pings in one segment',
        send => [ join '', map { WordSocket::Frames::frame(opcode => PING, payload => "ping $_") } 1 .. 10 ],
        want => [ map { [ PONG, "ping $_" ] } 1 .. 10 ]);
    $case->('2.11 ten pings byte by byte',
        send => [ map { frame(PING, "ping $_") } 1 .. 10 ], piece => 1, pause => 0,
        want => [ map { [ PONG, "ping $_" ] } 1 .. 10 ]);

    # --- 3: reserved bits ----------------------------------------------------
    for my $rsv (1 .. 7) {
        $case->("3.$rsv reserved bits $rsv on text", send => [ frame(TEXT, 'hello', rsv => $rsv) ], code => 1002);
        $case->("3.$rsv on binary, after good text",
            send => [ frame(TEXT, 'good'), frame(BINARY, 'x', rsv => $rsv), frame(PING, '') ],
            want => [ [ TEXT, 'good' ] ], code => 1002);
        $case->("3.$rsv on a ping", send => [ frame(PING, 'x', rsv => $rsv) ], code => 1002);
        $case->("3.$rsv on a close", send => [ frame(8, pack('n', 1000), rsv => $rsv) ], code => 1002);
    }

    # --- 4: reserved opcodes -------------------------------------------------
    for my $opcode (3 .. 7, 11 .. 15) {
        $case->("4 opcode $opcode without payload", send => [ frame($opcode, '') ], code => 1002);
        $case->("4 opcode $opcode after good text",
            send => [ frame(TEXT, 'good'), frame($opcode, 'reserved'), frame(PING, '') ],
            want => [ [ TEXT, 'good' ] ], code => 1002);
    }

    # --- 5: fragments --------------------------------------------------------
    my @two = (frame(TEXT, 'fragment1', fin => 0), frame(CONT, 'fragment2'));
    $case->("5.1 a $_->[0] in two fragments", code => 1002,
        send => [ frame($_->[1], 'a', fin => 0), frame(CONT, 'b') ]) for [ ping => PING ], [ pong => PONG ], [ close => 8 ];
    $case->('5.3 text in two fragments', send => [@two], want => [ [ TEXT, 'fragment1fragment2' ] ]);
    $case->('5.4 in one segment', send => [ join '', map { WordSocket::Frames::frame(%$_) } @two ],
        want => [ [ TEXT, 'fragment1fragment2' ] ]);
    $case->('5.5 byte by byte', send => [@two], piece => 1, pause => 0, want => [ [ TEXT, 'fragment1fragment2' ] ]);
    $case->('5.6 a ping between them', send => [ $two[0], frame(PING, 'p'), $two[1] ],
        want => [ [ PONG, 'p' ], [ TEXT, 'fragment1fragment2' ] ]);
    $case->('5.8 the same, byte by byte', send => [ $two[0], frame(PING, 'p'), $two[1] ], piece => 1, pause => 0,
        want => [ [ PONG, 'p' ], [ TEXT, 'fragment1fragment2' ] ]);
    for my $fin (0, 1) {
        $case->("5.9 a continuation of nothing, FIN $fin",
            send => [ frame(CONT, 'lost', fin => $fin), frame(TEXT, 'x') ], code => 1002);
        $case->("5.15 a continuation after a whole message, FIN $fin",
            send => [ @two, frame(CONT, 'lost', fin => $fin), frame(TEXT, 'x') ],
            want => [ [ TEXT, 'fragment1fragment2' ] ], code => 1002);
        $case->("5.18 a new message in the middle of one, FIN $fin",
            send => [ $two[0], frame(TEXT, 'new', fin => $fin) ], code => 1002);
    }
    my @five = ((map { frame($_ == 1 ? TEXT : CONT, "f$_", fin => 0) } 1 .. 4), frame(CONT, 'f5'));
    $case->('5.19 five fragments, pings between',
        send => [ @five[0, 1], frame(PING, 'a'), @five[2, 3], frame(PING, 'b'), $five[4] ],
        want => [ [ PONG, 'a' ], [ PONG, 'b' ], [ TEXT, 'f1f2f3f4f5' ] ]);
    $case->('5.20 with a pause in each', piece => 7, pause => 0.01,
        send => [ @five[0, 1], frame(PING, 'a'), @five[2, 3], frame(PING, 'b'), $five[4] ],
        want => [ [ PONG, 'a' ], [ PONG, 'b' ], [ TEXT, 'f1f2f3f4f5' ] ]);
    $case->('5 empty fragments', send => [ frame(TEXT, '', fin => 0), frame(CONT, '', fin => 0), frame(CONT, '') ],
        want => [ [ TEXT, '' ] ]);
    $case->('5 binary in fragments', send => [ frame(BINARY, "\xff", fin => 0), frame(CONT, "\0\x80") ],
        want => [ [ BINARY, "\xff\0\x80" ] ]);
}

WordSocket::Server->shared->stop;
done_testing;
