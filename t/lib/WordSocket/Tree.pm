# SPDX-License-Identifier: Apache-2.0
# The source tree, for the guards: what is in it, and C without its comments.
package WordSocket::Tree;
use v5.30;
use warnings;
use Exporter qw(import);

our @EXPORT_OK = qw(files slurp code functions BARE_ROOMS);

# The rooms that know no httpd.
use constant BARE_ROOMS => qw(core proto auth store hub registry);

# Every file of the project whose path matches; never an empty list, since a
# guard that finds nothing to check has checked nothing.
sub files {
    my ($pattern) = @_;
    state @all = -e '.git' ? git_files() : listed_files();
    my @match = grep { $_ =~ $pattern } @all;
    @match or die "no file matches $pattern: nothing to check\n";
    return @match;
}

sub git_files {
    open my $git, '-|', 'git', '-c', 'safe.directory=*', 'ls-files', '-z',
        '--cached', '--others', '--exclude-standard'
        or die "git: $!\n";
    local $/ = "\0";
    chomp(my @names = <$git>);
    return sort grep { -f } @names;
}

# In a release tarball: what build/tools/list-files wrote down.
sub listed_files {
    my ($list) = slurp('build/aux/files.am') =~ m{^tree_files =(.*?[^\\])$}ms;
    return sort grep { -f } $list =~ m{([^\s\\]+)}g;
}

sub slurp {
    my ($file) = @_;
    open my $in, '<:raw', $file or die "$file: $!\n";
    local $/;
    return scalar <$in>;
}

# C with comments, strings and character constants blanked; lines stay lines.
sub code {
    my ($text) = @_;
    $text =~ s{
        (/\*.*?\*/ | //[^\n]* | "(?:\\.|[^"\\\n])*" | '(?:\\.|[^'\\\n])*')
    }{
        my $gone = $1;
        $gone =~ s/[^\n]/ /g;
        $gone;
    }egsx;
    return $text;
}

# The functions of a C file as [name, first line, number of lines]. The brace
# of a function, and nothing but it, stands alone in the first column.
sub functions {
    my ($file) = @_;
    my @lines = split /\n/, code(slurp($file)), -1;
    my ($head, $start, @found) = ('', 0);
    for my $i (0 .. $#lines) {
        if ($lines[$i] =~ /^\{/) {
            my ($name) = $head =~ /(\w+)\s*\([^()]*(?:\([^()]*\)[^()]*)*\)\s*$/;
            $start = $i;
            push @found, [ $name // '?', $i + 1, undef ];
        }
        elsif ($lines[$i] =~ /^\}/ && @found && !defined $found[-1][2]) {
            $found[-1][2] = $i - $start - 1;
            $head = '';
        }
        elsif ($lines[$i] =~ /^\s*$|;\s*$|^#/) {
            $head = '';
        }
        else {
            $head .= " $lines[$i]";
        }
    }
    return grep { defined $_->[2] } @found;
}

1;
