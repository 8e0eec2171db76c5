# SPDX-License-Identifier: Apache-2.0
# The closing handshake over /echo: codes, reasons, what comes after a Close.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Echo;
use WordSocket::Server;

use constant { CONT => 0, TEXT => 1, CLOSE => 8, PING => 9 };

sub closing { my ($payload, %more) = @_; +{ opcode => CLOSE, payload => $payload, %more } }

for my $tls (0, 1) {
    my $case = sub { my ($name, %case) = @_; echo_case($name, tls => $tls, %case) };

    $case->('7.1.1 text, then close', send => [ { payload => 'Hello' } ], want => [ [ TEXT, 'Hello' ] ]);
    $case->('7.1.2 two closes', send => [ (closing(pack 'n', 1000)) x 2 ], code => 1000);
    $case->('7.1.3 a ping after the close', send => [ closing(pack 'n', 1000), { opcode => PING } ], code => 1000);
    $case->('7.1.4 text after the close', send => [ closing(pack 'n', 1000), { payload => 'late' } ], code => 1000);
    $case->('7.1.5 a close in the middle of a message', code => 1000,
        send => [ { payload => 'begin', fin => 0 }, closing(pack 'n', 1000), { opcode => CONT, payload => 'end' } ]);
    $case->('7.1.6 256 KiB, then close', send => [ { payload => 'x' x 262144 }, closing(pack 'n', 1000) ],
        want => [ [ TEXT, 'x' x 262144 ] ], code => 1000);

    $case->('7.3.1 a close without payload', send => [ closing('') ], code => [ 1000, 1005 ]);
    $case->('7.3.2 with half a code', send => [ closing("\x03") ], code => 1002);
    $case->('7.3.3 with a code', send => [ closing(pack 'n', 1000) ], code => 1000);
    $case->('7.3.4 with a reason', send => [ closing(pack 'na*', 1000, 'Hello') ], code => 1000);
    $case->('7.3.5 with the longest reason', send => [ closing(pack 'na*', 1000, 'r' x 123) ], code => 1000);
    $case->('7.3.6 with a longer one', send => [ closing(pack 'na*', 1000, 'r' x 124) ], code => 1002);
    $case->('7.5.1 with a reason that is not UTF-8',
        send => [ closing(pack 'na*', 1000, "\xce\xba\xed\xa0\x80") ], code => 1007);
    $case->('7.5 byte by byte', send => [ closing(pack 'na*', 1000, 'reason') ], piece => 1, pause => 0, code => 1000);

    for my $code (1000 .. 1003, 1007 .. 1011, 3000, 3999, 4000, 4999) {
        $case->("7.7 code $code", send => [ closing(pack 'n', $code) ], code => [ $code, 1000 ]);
    }
    for my $code (0, 999, 1004 .. 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535) {
        $case->("7.9 code $code", send => [ closing(pack 'n', $code) ], code => 1002);
    }
}

# Who goes without a word must not be mourned: the server stays, and so do the
# others.
my $server = WordSocket::Server->shared;
for my $tls (0, 1) {
    my $stays = echo_connect($server, tls => $tls);
    for my $how (qw(hang_up reset_hard)) {
        my $goes = echo_connect($server, tls => $tls);
        $goes->send_bytes(substr WordSocket::Frames::frame(payload => 'x' x 1000), 0, 100);
        $goes->$how;
    }
    $stays->send_text('still here');
    is(($stays->receive // {})->{payload}, 'still here', 'others do not notice who goes without a close');
    $stays->hang_up;
}

$server->stop;
done_testing;
