# SPDX-License-Identifier: Apache-2.0
# UTF-8 over /echo: what is text comes back, what is not ends the connection
# with 1007 at the first byte that cannot become valid, wherever frames and
# segments are cut. The numbers are those of the public conformance suites.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Echo;
use WordSocket::Server;

use constant { CONT => 0, TEXT => 1 };

sub utf8 { my ($code) = @_; my $c = chr $code; utf8::encode($c); $c }

my $greek = "Hello-\xc2\xb5@\xc3\x9f\xc3\xb6\xc3\xa4\xc3\xbc\xc3\xa0\xc3\xa1-UTF-8!!";
my $kosme = "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5";

my %valid = (
    '6.2.1 accents'            => $greek,
    '6.5.1 kosme'              => $kosme,
    '6.6 first of each length' => join('', map { utf8($_) } 0, 0x80, 0x800, 0x10000),
    '6.7 last of each length'  => join('', map { utf8($_) } 0x7f, 0x7ff, 0xffff, 0x10ffff),
    '6.9 around the surrogates' => join('', map { utf8($_) } 0xd7ff, 0xe000, 0xfffd),
    '6.22 non-characters' => join('', "\xef\xbf\xbe", "\xef\xbf\xbf", map { utf8($_) } 0x1fffd, 0x10fffd),
    '6.23 the byte order mark' => "\xef\xbb\xbf",
);

my %invalid = (
    '6.3.1 a surrogate in good text' => "$kosme\xed\xa0\x80edited",
    '6.10 lone continuation 80'   => "\x80",
    '6.10 lone continuation BF'   => "\xbf",
    '6.11 two to six of them'     => "\x80\xbf\x80\xbf\x80\xbf",
    '6.12 FE'                     => "\xfe",
    '6.12 FF'                     => "\xff",
    '6.12 FE FE FF FF'            => "\xfe\xfe\xff\xff",
    '6.13 lead C0 and a space'    => "\xc0 ",
    '6.13 leads E0 to EF'         => join('', map { chr($_) . ' ' } 0xe0 .. 0xef),
    '6.14 two bytes, cut'         => "\xc3",
    '6.14 three bytes, cut'       => "\xe1\xbd",
    '6.14 four bytes, cut'        => "\xf0\x90\x80",
    '6.15 cut ones in a row'      => "\xc3\xe1\xbd\xf0\x90\x80",
    '6.16 overlong slash, 2'      => "\xc0\xaf",
    '6.16 overlong slash, 3'      => "\xe0\x80\xaf",
    '6.16 overlong slash, 4'      => "\xf0\x80\x80\xaf",
    '6.17 overlong last of 1'     => "\xc1\xbf",
    '6.17 overlong last of 2'     => "\xe0\x9f\xbf",
    '6.17 overlong last of 3'     => "\xf0\x8f\xbf\xbf",
    '6.18 overlong NUL'           => "\xc0\x80",
    '6.19 five bytes'             => "\xf8\x88\x80\x80\x80",
    '6.19 six bytes'              => "\xfc\x84\x80\x80\x80\x80",
    '6.20 surrogate D800'         => "\xed\xa0\x80",
    '6.20 surrogate DFFF'         => "\xed\xbf\xbf",
    '6.21 surrogates in a pair'   => "\xed\xa0\x80\xed\xb0\x80",
    '6.4 over 10FFFF'             => "\xf4\x90\x80\x80",
    '6.4 lead F5'                 => "\xf5\x80\x80\x80",
);

for my $tls (0, 1) {
    for my $name (sort keys %valid) {
        my $text = $valid{$name};
        echo_case($name, tls => $tls, send => [ { payload => $text } ], want => [ [ TEXT, $text ] ]);
        my @bytes = split //, $text;
        echo_case("$name, each byte in a frame", tls => $tls,
            send => [
                (map { { opcode => $_ ? CONT : TEXT, payload => $bytes[$_], fin => 0 } } 0 .. $#bytes),
                { opcode => CONT, payload => '' },
            ],
            want => [ [ TEXT, $text ] ]);
        echo_case("$name, byte by byte", tls => $tls, piece => 1, pause => 0,
            send => [ { payload => $text } ], want => [ [ TEXT, $text ] ]);
    }
    for my $name (sort keys %invalid) {
        my $text = $invalid{$name};
        echo_case($name, tls => $tls, send => [ { payload => $text } ], code => 1007);
        my @bytes = split //, $text;
        echo_case("$name, each byte in a frame", tls => $tls,
            send => [
                (map { { opcode => $_ ? CONT : TEXT, payload => $bytes[$_], fin => 0 } } 0 .. $#bytes),
                { opcode => CONT, payload => '' },
            ],
            code => 1007);
    }

    # 6.4: refused at the byte that makes it wrong, with the rest unsent.
    echo_case('6.4.1 in an unfinished message', tls => $tls, code => 1007,
        send => [ { payload => "$kosme\xf4\x90", fin => 0 } ]);
    echo_case('6.4.3 in an unfinished frame', tls => $tls, code => 1007,
        send => [ substr WordSocket::Frames::frame(payload => "$kosme\xf4\x90\x80\x80edited"), 0, 6 + length($kosme) + 2 ]);
    echo_case('6 what is binary need not be text', tls => $tls,
        send => [ { opcode => 2, payload => "\xff\xfe" } ], want => [ [ 2, "\xff\xfe" ] ]);
}

WordSocket::Server->shared->stop;
done_testing;
