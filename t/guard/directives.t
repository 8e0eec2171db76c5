# SPDX-License-Identifier: Apache-2.0
# The manual and conf/wordsocket.conf say of every directive what the code does:
# its name, description, default, range and context, in the code's own words.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files slurp);

my %unit = (KB => 1024, MB => 1024**2);

sub number_of {
    my ($text) = @_;
    return $2 * $unit{$1} if $text =~ /^WSK_([KM]B)\((\d+)\)$/;
    $text =~ /^\d+$/ or die "cannot read the number $text\n";
    return 0 + $text;
}

# As an administrator would write it, and as the error message does.
sub shown {
    my ($kind, $value) = @_;
    return $value ? 'On' : 'Off' if $kind eq 'FLAG';
    return $value % 1000 ? "${value}ms" : $value / 1000 . 's' if $kind eq 'MSEC';
    my @units = ('', 'K', 'M', 'G');
    while ($kind eq 'BYTES' && $value && $value % 1024 == 0 && @units > 1) {
        $value /= 1024;
        shift @units;
    }
    return $value . $units[0];
}

sub settled { join ' ', split ' ', $_[0] }

my $table = slurp('src/conf/wsk_directives.h');
my $code  = join '', map { slurp($_) } files(qr{^src/conf/.*\.c$});
my $conf  = slurp('conf/wordsocket.conf');
my %known;

while ($table =~ m{^X\(\s*(\w+),\s*"(\w+)",\s*(\w+),\s*([^,\s]+),\s*([^,\s]+),\s*([^,\s]+),\s*\\\n\s*"([^"]+)"\s*\)}mg) {
    my ($field, $name, $kind, $initial, $least, $most, $help) = ($1, $2, $3, $4, $5, $6, $7);
    $known{$name} = {
        Description => $help,
        Default     => "$name " . shown($kind, number_of($initial)),
        ($kind eq 'FLAG' ? () : (Range => join ' to ', map { shown($kind, number_of($_)) } $least, $most)),
        Context => $code =~ m{&rows\[ROW_\Q$field\E\]\s*(?:\|\||;)}
            ? 'server config' : 'server config, virtual host',
    };
}
my $entries = () = $table =~ m{^X\(}mg;
is scalar keys %known, $entries, 'every entry of the table was understood';

# Those with several values: the words are theirs, the range is prose.
while ($code =~ m{AP_INIT_\w+\("(WordSocket\w+)",\s*(\w+)[^"]*((?:"[^"]*"\s*)+)\)}g) {
    my ($name, $setter, $help) = ($1, $2, $3);
    my ($body) = $code =~ m{^static const char \*\Q$setter\E\((.*?)^\}}ms;
    $known{$name} = {
        Description => join('', $help =~ /"([^"]*)"/g),
        Context     => $body =~ /GLOBAL_ONLY/ ? 'server config'
            : $body =~ /say it in a <VirtualHost>/ ? 'virtual host' : 'server config, virtual host',
    };
}
cmp_ok scalar keys %known, '>', $entries, 'and so were the directives with several values';

for my $name (sort keys %known) {
    my $page = "docs/directives/$name.md";
    my $text = -e $page ? slurp($page) : '';
    ok $text, "$page exists" or next;
    like $text, qr{^# $name$}m, "$page is about $name";
    for my $row (sort keys %{ $known{$name} }) {
        my ($said) = $text =~ m{^\|\s*$row\s*\|\s*(.*?)\s*\|\s*$}m;
        is settled(($said // '') =~ s/[`*]//gr), $known{$name}{$row}, "$page: $row";
    }
    like $text, qr{^\|\s*Syntax\s*\|\s*`?$name }m, "$page: Syntax";
}
for my $page (eval { files(qr{^docs/directives/WordSocket\w*\.md$}) }) {
    my ($name) = $page =~ m{(\w+)\.md$};
    ok $known{$name}, "$page is about a directive there is";
}

for my $name (sort keys %known) {
    my $line = $known{$name}{Default} // $name;
    like $conf, qr{^#\Q$line\E(?: .*)?$}m, "conf/wordsocket.conf has $line";
}
# What a site's file may narrow.
my @limits = slurp('src/store/wsk_site.h') =~ m{^X\( \w+, (\w+), +SITE\)}mg or die "no limits\n";
for my $limit (@limits) {
    for my $page ('README.md', 'docs/directives/WordSocketSiteFile.md') {
        like slurp($page), qr{`$limit`}, "$page: the limit $limit";
    }
}

for my $name ($conf =~ m{^#?(WordSocket\w*)}mg) {
    ok $known{$name}, "conf/wordsocket.conf: $name is a directive there is";
}
done_testing;
