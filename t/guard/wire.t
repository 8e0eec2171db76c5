# SPDX-License-Identifier: Apache-2.0
# Every endpoint, refusal, error and close code is explained to whoever writes
# another client.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(slurp);

my $protocol = slurp('PROTOCOL.md');

# The rows of an X-macro in a file, by a capture.
sub rows {
    my ($file, $table, $row) = @_;
    my ($text) = slurp($file) =~ /#define \Q$table\E\(X\)(.*?)\n(?!X)/s
        or die "no $table in $file\n";
    my @rows = $text =~ /$row/g or die "nothing in $table\n";
    return @rows;
}

my @hooks = ('src/hooks/wsk_hooks.h');
for my $path (rows(@hooks, 'WSK_ENDPOINTS', qr/X\(\s*\w+,\s*"([^"]+)"/)) {
    like $protocol, qr/`(?:GET |POST )?\Q$path\E/, "PROTOCOL.md explains $path";
}
for my $refusal (rows(@hooks, 'WSK_REFUSALS', qr/X\(\s*(\w+),/)) {
    like $protocol, qr/`$refusal`/, "PROTOCOL.md explains $refusal";
}
for my $answer (grep { $_ ne 'ok' } rows('src/transport/wsk_inbox.h', 'WSK_ANSWERS', qr/X\(\s*(\w+),/)) {
    like $protocol, qr/`$answer`/, "PROTOCOL.md explains $answer";
}
# 1005 and 1006 are never on the wire.
my %code = slurp('src/proto/wsk_frame.h') =~ /^\s*WSK_CLOSE_(\w+)\s*=\s*(\d{4})/mg
    or die "no close codes\n";
for my $name (sort grep { $code{$_} !~ /^100[56]$/ } keys %code) {
    like $protocol, qr/\b$code{$name}\b/, "PROTOCOL.md explains close code $code{$name}";
}
done_testing;
