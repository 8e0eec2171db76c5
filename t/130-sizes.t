# SPDX-License-Identifier: Apache-2.0
# Large messages over /echo, with the limits raised to 16 MiB: whole, in
# fragments, in small segments; and what is larger than the limit.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Echo;
use WordSocket::Server;

use constant { CONT => 0, TEXT => 1, BINARY => 2, MIB => 1 << 20 };

my $server = WordSocket::Server->new(lines => <<'END')->start;
WordSocketMaxMessage 16M
WordSocketSendQueue 64M
END

sub fragments {
    my ($opcode, $payload, $size, $fin) = @_;
    my @frames;
    for (my $at = 0; $at < length $payload; $at += $size) {
        push @frames, WordSocket::Frames::frame(
            opcode => $at ? CONT : $opcode, payload => substr($payload, $at, $size),
            fin => ($fin // 1) && $at + $size >= length $payload, key => "\x11\x22\x33\x44");
    }
    return join '', @frames;
}

# Not all alike, so that a piece out of place shows.
my $pattern = join '', map { sprintf '%07x ', $_ } 0 .. 2 * MIB - 1;

for my $tls (0, 1) {
    my $case = sub { my ($name, %case) = @_; echo_case_on($server, $name, tls => $tls, seconds => 30, %case) };

    for my $kib (64, 256, 1024, 4096, 8192, 16384) {
        my $text = substr $pattern, 0, $kib * 1024;
        $case->("9.1 text of $kib KiB", send => [ { payload => $text } ], want => [ [ TEXT, $text ] ]);
        $case->("9.2 binary of $kib KiB", send => [ { opcode => BINARY, payload => $text } ],
            want => [ [ BINARY, $text ] ]);
    }
    my $four = substr $pattern, 0, 4 * MIB;
    for my $size (1024, 4096, 16384, 65536, 262144, MIB) {
        $case->("9.3 4 MiB in fragments of $size", send => [ fragments(TEXT, $four, $size) ],
            want => [ [ TEXT, $four ] ]);
    }
    my $one = substr $pattern, 0, MIB;
    for my $size (64, 128, 1024, 2048) {
        $case->("9.5 1 MiB in segments of $size", send => [ { payload => $one } ], piece => $size * 16, pause => 0,
            want => [ [ TEXT, $one ] ]);
    }
    $case->('9.7 a thousand messages of 64 bytes in one write',
        send => [ join '', map { WordSocket::Frames::frame(payload => sprintf '%064d', $_) } 1 .. 1000 ],
        want => [ map { [ TEXT, sprintf '%064d', $_ ] } 1 .. 1000 ]);
    $case->('10.1 64 KiB in fragments of 1300', send => [ fragments(TEXT, substr($pattern, 0, 65536), 1300) ],
        want => [ [ TEXT, substr $pattern, 0, 65536 ] ]);

    $case->('a byte more than the limit, announced and not sent',
        send => [ pack 'CCQ>N', 0x82, 0xff, 16 * MIB + 1, 0 ], code => 1009);
    $case->('fragments that add up to more', code => 1009,
        send => [ fragments(TEXT, substr($pattern, 0, 16 * MIB), MIB, 0), { opcode => CONT, payload => 'x' } ]);
}

$server->stop;
done_testing;
