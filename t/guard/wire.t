# SPDX-License-Identifier: Apache-2.0
# Every endpoint, refusal, error, message type and close code is explained to
# whoever writes another client.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files slurp);

my $protocol = slurp('PROTOCOL.md');

sub explained {
    my ($pattern, $what) = @_;
    return ok scalar($protocol =~ $pattern), "PROTOCOL.md explains $what";
}

# The rows of an X-macro in a file, by a capture.
sub rows {
    my ($file, $table, $row) = @_;
    my ($text) = slurp($file) =~ /#define \Q$table\E\(X\)(.*?)\n(?!X)/s
        or die "no $table in $file\n";
    my @rows = $text =~ /$row/g or die "nothing in $table\n";
    return @rows;
}

my $hooks = 'src/hooks/wsk_hooks.h';
explained(qr/`(?:GET |POST )\Q$_\E/, $_) for rows($hooks, 'WSK_ENDPOINTS', qr/X\(\s*\w+,\s*"([^"]+)"/);
my %status = (rows($hooks, 'WSK_REFUSALS', qr/X\(\s*(\w+),\s*(\d+)/),
    rows('src/transport/wsk_take.h', 'WSK_TAKE_REFUSALS', qr/X\(\s*(\w+),\s*(\d+)/));
explained(qr/^\| `$_` \| $status{$_} \|/m, "$_, which is $status{$_}") for sort keys %status;
explained(qr/`$_`/, $_) for grep { $_ ne 'ok' }
    rows('src/transport/wsk_inbox.h', 'WSK_ANSWERS', qr/X\(\s*(\w+),/);

my ($features) = slurp('src/hooks/wsk_discover.c') =~ /^#define FEATURES (.*?[^\\])\n/ms
    or die "no features\n";
explained(qr/^\| `\Q$_\E` \|/m, "the feature $_") for $features =~ /\\"([\w-]+)\\"/g;
my ($types) = slurp('src/transport/wsk_message.c') =~ /\} types\[\] = (.*?);/s
    or die "no table of message types\n";
my @types = $types =~ /\{ "(\w+)",/g or die "no message types\n";
explained(qr/`$_`/, "a client's $_") for @types;

# What we say ourselves; 1005 is said by saying nothing.
my %code = slurp('src/proto/wsk_frame.h') =~ /^\s*WSK_CLOSE_(\w+)\s*=\s*(\d{4})/mg
    or die "no close codes\n";
my $source = join '', map { slurp($_) } files(qr{^src/(?:transport|hooks|proto)/\w+\.c$});
my @said = sort grep { $source =~ /\bWSK_CLOSE_$_\b/ && $code{$_} != 1005 } keys %code;
explained(qr/\b$code{$_}\b/, "close code $code{$_}") for @said;

# What the plugin and the client know by name is said by the relay, or their own.
my %answer = map { $_ => 1 } rows('src/transport/wsk_inbox.h', 'WSK_ANSWERS', qr/X\(\s*(\w+),/);
my %theirs = map { $_ => 1 } qw(unreachable no_relay incomplete_answer encryption_unavailable trigger_failed too_many_events),
    qw(site_not_found account_deactivated);    # the last two are another relay's
for my $file (map { "wordpress/includes/class-$_.php" } qw(notices outcome relay)) {
    my $php = slurp($file);
    my @codes = ($file =~ /notices/ ? $php =~ /case '(\w+)':/g : (), map { /'(\w+)'(?=,|\s*=>|\s*$)/g } $php =~ /const (?:REJECTED_CODES|OF_CODES|GONE) *= array\((.*?)\);/sg);
    @codes = grep { !/^(?:error_|http_\d)/ } @codes;
    cmp_ok scalar @codes, '>=', 3, "$file knows codes";
    is join(' ', grep { !$status{$_} && !$theirs{$_} } @codes), '', '... that are said';
}
my $client = slurp('client/src/codes.ts');
for my $code ($client =~ /^export const (?:RELAY|SEND)_ERROR_\w+ = '(\w+)'/mg) {
    ok $answer{$code} || $status{$code}, "client/src/codes.ts: $code is said";
}
my %known = map { $_ => 1 } values %code;
my ($close) = $client =~ /^export const CLOSE = \{(.*?)^\}/ms;
ok $known{$_}, "client/src/codes.ts: the close code $_" for $close =~ /: (\d{4}),/g;
done_testing;
