# SPDX-License-Identifier: Apache-2.0
# Every header includes what it uses: it compiles alone, and those of the bare
# rooms do so without httpd's include path. A macro of one in src/ is named
# wsk_ or after it, so that whoever includes it keeps the plain words.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files BARE_ROOMS);

my $cc    = $ENV{CC} // 'gcc';
my $bare  = $ENV{WSK_BARE_FLAGS}  // '-std=c11 -Wall -Wextra -D_GNU_SOURCE';
my $httpd = $ENV{WSK_HTTPD_FLAGS} // "-isystem @{[qx{apxs -q INCLUDEDIR}]}"
    =~ s/\s+$//r . ' ' . qx{apr-1-config --cppflags --includes} =~ s/\s+/ /gr;
my $rooms = join '|', BARE_ROOMS;

for my $header (files(qr{^(?:src|t)/.*\.h$})) {
    my $flags = $header =~ m{^src/(?:$rooms)/} ? $bare : "$bare $httpd";
    my $said  = qx{$cc -fsyntax-only -Isrc -It/unit -It/load $flags -x c $header 2>&1};
    is $said =~ s/^.*pragma once in main file.*$//mr, '', "$header compiles alone";
}

for my $header (files(qr{^src/.*\.h$})) {
    my ($noun) = $header =~ m{wsk_([a-z]+)[^/]*$};
    my $own = 'WSK|wsk' . (defined $noun ? '|' . uc $noun : '');
    open my $in, '<', $header or die "$header: $!";
    my @plain = grep { !/^(?:(?:$own)_|X$)/ } map { /^\s*#\s*define\s+(\w+)/ ? $1 : () } <$in>;
    is "@plain", '', "a macro of $header has a name of its own";
}
done_testing;
