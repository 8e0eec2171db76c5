# SPDX-License-Identifier: Apache-2.0
# What is said of a site goes from three sources into the segment, and out to
# whoever looks: every field of wsk_site_spec_t by each of these ways, or there
# is a reason why not.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(slurp code);

my $secret = 'it is a secret';
my $by_key = 'it follows from the key';
my $host   = 'only host mode has generations';
my $times  = 'only a registry counts how often a site was connected';
my @ways   = (
    [ 'the segment', 'src/store/wsk_said.c', {} ],
    [ 'site files', 'src/conf/wsk_site_file.c', { site_id => $by_key, generation => $host, incarnation => $times } ],
    [ 'host mode', 'src/hooks/wsk_host.c', { incarnation => $times } ],
    [ 'service mode', 'src/hooks/wsk_fill.c', { generation => $host } ],
    [ 'the dump', 'src/hooks/wsk_dump.c', { site_id => $by_key, publish => $secret, jwt => $secret, generation => 'shown as the ledger has it', incarnation => $times } ],
    [ 'the figures', 'src/status/wsk_snapshot.c', {
        site_id => $by_key, url => 'sites are named by their keys', publish => $secret, jwt => $secret,
        signature => 'no figure: the dump has it', generation => 'no figure: the dump has it', incarnation => $times } ],
);

my ($struct) = code(slurp('src/store/wsk_site.h')) =~ /^typedef struct wsk_site_spec_t \{(.*?)^\}/ms or die "no struct\n";
my @fields = $struct =~ /(\w+)(?:\[[^]]*\])?;/g;
cmp_ok scalar @fields, '>=', 9, 'the fields were read';

for my $way (@ways) {
    my ($name, $file, $not) = @$way;
    my $code = code(slurp($file));
    for my $field (@fields) {
        my $used = $code =~ /\b(?:spec|out|to)(?:->|\.)$field\b|(?<![\w)\]])\.$field = /;
        if (my $why = $not->{$field}) {
            ok !$used, "$name: $field is not there, since $why";
            next;
        }
        ok $used, "$name: $field";
    }
    is join(' ', grep { my $f = $_; !grep { $_ eq $f } @fields } sort keys %$not), '', "$name: no reason for what is gone";
}
done_testing;
