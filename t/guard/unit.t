# SPDX-License-Identifier: Apache-2.0
# A source with logic has a unit test of the same noun. What speaks to httpd is
# tested against httpd, in t/*.t; everything else is tested bare.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files slurp);

# Sources without a test of their own, and why.
my %exempt = (
    'src/hooks/wsk_assets.c' => 'it is text, which t/guard/assets.t compares',
    'src/status/wsk_status_text.c' => 'text, run by a browser',
);

# Whether a source sees httpd, by itself or by the headers of its own room. What
# it knows of another room is that room's business.
sub speaks_httpd {
    my ($file, $seen) = @_;
    return 0 if $seen->{$file}++;
    my ($room)   = $file =~ m{^src/(\w+)/};
    my @headers  = slurp($file) =~ m{^\s*#\s*include\s+["<]([^">]+)[">]}mg;
    my $own      = $file =~ s/\.c$/.h/r;
    my @of_room  = grep { -e } $own, map { "src/$_" } grep { m{^\Q$room\E/} } @headers;
    return 1 if grep { m{^(?:httpd|http_|ap_|apr_|util_|mod_|mpm_)} } @headers;
    return scalar grep { speaks_httpd($_, $seen) } @of_room;
}

my %noun_of;
for my $source (files(qr{^src/\w+/\w+\.c$})) {
    my ($noun) = $source =~ m{/wsk_(\w+)\.c$};
    ok $noun, "$source is called wsk_<noun>.c" or next;
    ok !$noun_of{$noun}, "$source has a noun of its own"
        or diag "$noun_of{$noun} has it already";
    $noun_of{$noun} = $source;
    if ($exempt{$source}) {
        pass "$source: $exempt{$source}";
    }
    elsif (speaks_httpd($source, {})) {
        pass "$source speaks to httpd and is tested with it";
    }
    else {
        ok -e "t/unit/$noun.c", "$source is tested by t/unit/$noun.c";
    }
}
for my $source (sort keys %exempt) {
    ok -e $source, "$source, which is exempt, exists";
}
for my $test (files(qr{^t/unit/\w+\.c$})) {
    my ($noun) = $test =~ m{/(\w+)\.c$};
    my @sources = grep { $noun eq $_ || $noun =~ /^\Q$_\E_/ } keys %noun_of;
    ok scalar @sources, "$test tests a source of that noun";
}
done_testing;
