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
done_testing;
