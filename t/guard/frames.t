# SPDX-License-Identifier: Apache-2.0
# What editors say to each other is written down for whoever writes another one.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(slurp);

my ($frames) = slurp('wordpress/src/collab/frames.ts') =~ /^export const FRAME = \{(.*?)^\}/ms
    or die "no frames\n";
my %type = $frames =~ /^  (\w+): (\d+),$/mg or die "no types\n";
my %told = reverse slurp('docs/collaboration.md') =~ /^\| (\d+) \| `(\w+)` \|/mg;
is_deeply \%told, \%type, 'docs/collaboration.md has every type of frame, and no other';

my $peer = slurp('t/browser/yjs-peer.mjs');
for my $name (qw(STEP1 STEP2 UPDATE AWARENESS PIECE)) {
    my ($value) = $peer =~ /^const $name = (\d+);$/m;
    is $value, $type{ lc $name }, "the other implementation has the same $name";
}

# Limits that PHP and the scripts both have.
sub said {
    my ($file, $what) = @_;
    my ($value) = slurp($file) =~ $what or return "nothing in $file";
    $value =~ s/MB_IN_BYTES/1024 * 1024/;
    return $value =~ /^[\d *]+$/ ? eval $value : "no number in $file: $value";
}
my $rooms = said('wordpress/includes/class-rooms.php', qr/const MAX\s*= ([^;]+);/);
like $rooms, qr/^\d+$/, 'rooms of a token';
is said('wordpress/src/collab/link.ts', qr/^export const MAX_ROOMS = ([^;]+);/m), $rooms, 'a page asks for as many as a token names';
my $bytes = said('wordpress/includes/class-crdt-document.php', qr/const MAX_BYTES\s*= ([^;]+);/);
like $bytes, qr/^\d+$/, 'bytes of a document';
is said('wordpress/src/collab/room.ts', qr/^export const MAX_DOCUMENT = ([^;]+);/m), $bytes, 'a room holds as much as WordPress saves';
my $pace = said('wordpress/src/collab/pace.ts', qr/^const TOGETHER_MS = ([^;]+);/m);
like $pace, qr/^\d+$/, 'how often the editor of 7.0 asks';
is said('wordpress/src/collab/room.ts', qr/^const UPDATE_MS = ([^;]+);/m), $pace, 'keys share a frame there as elsewhere';
my ($mib) = slurp('docs/collaboration.md') =~ /a document\s+may have (\d+) MiB/;
is $mib * 1024 * 1024, $bytes, 'docs/collaboration.md says so';
done_testing;
