# SPDX-License-Identifier: Apache-2.0
# Every file of conf/examples/ is run by a test, linked from the manual,
# installed and in the tarball, and explains what is to be put in place of what.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files slurp);

# Code only: a test that merely mentions a file does not run it.
my $tests  = join '', map { slurp($_) =~ s/^\s*#.*$//mgr } files(qr{^t/(?:\d+-[\w-]+\.t|lib/WordSocket/\w+\.pm)$});
my $manual = slurp('docs/operate.md');
my ($installed) = slurp('build/aux/files.am') =~ m{^example_files =(.*?[^\\])$}ms;
my ($tree)      = slurp('build/aux/files.am') =~ m{^tree_files =(.*?[^\\])$}ms;
my %installed   = map { $_ => 1 } ($installed // '') =~ m{([^\s\\]+)}g;
my %packed      = map { $_ => 1 } $tree =~ m{([^\s\\]+)}g;
like slurp('Makefile.am'), qr{^examples_DATA = \$\(example_files\)$}m, 'make install takes the list';

for my $file (files(qr{^conf/examples/})) {
    my ($name) = $file =~ m{([^/]+)$};
    like $tests, qr{(?:example\('|[( ])\Q$name\E\b}, "$file is run by a test";
    like $manual, qr{\]\(\.\./\Q$file\E\)}, "$file is linked from docs/operate.md";
    ok $installed{$file}, "$file is installed";
    ok $packed{$file}, "$file is in the tarball";
    my $text = slurp($file);
    my ($head) = $text =~ m{\A((?:#.*\n)+)} or fail "$file begins with comments";
    my %used = map { $_ => 1 } $text =~ m{^[^#\n]*\@([A-Z_0-9]+)\@}mg;
    like $head, qr{\@$_\@}, "$file: the head explains \@$_\@" for sort keys %used;
}
for my $file ($manual =~ m{\]\(\.\./(conf/[^)]+)\)}g) {
    ok -e $file, "docs/operate.md links $file, which is there";
}
done_testing;
