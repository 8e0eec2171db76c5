# SPDX-License-Identifier: Apache-2.0
# What the documents point at is there: files, headings, and the names of code.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use File::Basename qw(dirname);
use WordSocket::Tree qw(files slurp code);

# As hosts of repositories make the anchor of a heading.
sub anchors {
    my ($text) = @_;
    return map { $_ => 1 } map { s/[^\w\- ]//gr =~ tr/ /-/r } map { lc }
        $text =~ m{^#+ (.*)$}mg;
}

sub broken_links {
    my ($file, $text) = @_;
    my @broken;
    for my $link (grep { !m{^\w+:} } $text =~ m{\]\(([^)\s]+)\)}g) {
        my ($path, $anchor) = split /#/, $link;
        my $to = length $path ? dirname($file) . "/$path" : $file;
        my $ok = -e $to;
        if ($ok && defined $anchor) {
            my %has = anchors(slurp($to));
            $ok = $has{$anchor};
        }
        push @broken, $link if !$ok;
    }
    return @broken;
}

my %known = map { $_ => 1 }
    map { code(slurp($_)) =~ m{\b\w+\b}g } files(qr{^(?:src/.*|mod_wordsocket)\.[ch]$});
$known{$_} = 1 for map { slurp($_) =~ m{\bWSK_[A-Z]+\b}g } files(qr{^t/.*\.(?:t|pm)$});
my %source;
for my $file (files(qr{^src/\w+/\w+\.[ch]$})) {
    my ($room, $name) = $file =~ m{^src/(\w+)/(\w+)\.};
    @source{ $name, "$room/$name" } = (1, 1);
}

sub unknown_names {
    my ($text) = @_;
    my @names = $text =~ m{(?<![\w/.])((?:\w+/)?(?:wsk|WSK)_\w+|on_\w+)}g;
    return grep { !$known{$_} && !$source{$_} } @names;
}

sub normal {
    my ($path) = @_;
    1 while $path =~ s{(^|/)(?!\.\.?/)[^/]+/\.\./}{$1};
    return $path =~ s{^(?:\./)+}{}r;
}

sub unknown_paths {
    my ($text) = @_;
    return grep { !-e } $text =~ m{`((?:src|t|docs|conf|build)/[\w./-]+)`}g;
}

# A document that nobody points at is not found, nor is a source that is not on
# the map of the rooms with the most files. A header of the loop's is its room's.
my %linked = map { $_ => 1 } map { my $file = $_; map { normal(dirname($file) . '/' . s/#.*//r) } slurp($file) =~ m{\]\(([^)\s]+)\)}g } files(qr{\.md$});
for my $file (grep { !m{^docs/directives/} && !m{^(?:README|wordpress/.*|client/.*|t/.*)\.md$} } files(qr{\.md$})) {
    ok $linked{$file}, "$file is linked from another document";
}
my $plugin = slurp('wordpress/README.md');
for my $file (files(qr{^wordpress/includes/class-[\w-]+\.php$})) {
    my ($class) = slurp($file) =~ m{^(?:final |abstract )?class (\w+)}m;
    ok defined $class && $plugin =~ m{`\Q$class\E`}, "$file is on the map of the plugin";
}
my $map = slurp('src/README.md');
for my $file (files(qr{^src/(?:transport|hooks)/\w+\.c$})) {
    my ($name) = $file =~ m{(\w+)\.c$};
    ok $map =~ m{`(?:(?:transport|hooks)/)?$name`}, "$file is on the map";
}

for my $file (files(qr{\.md$})) {
    my $text = slurp($file);
    is join(' ', broken_links($file, $text)), '', "$file: every link leads somewhere";
    is join(' ', unknown_paths($text)), '', "$file: every path is in the tree";
    is join(' ', unknown_names($text)), '', "$file: every name of code is there";
}
done_testing;
