# SPDX-License-Identifier: Apache-2.0
# Calls that have no place in a server, and what to use instead.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Tree qw(files slurp code);

my %instead_of = (
    sprintf   => 'snprintf',
    vsprintf  => 'vsnprintf',
    strcpy    => 'memcpy with a length',
    strcat    => 'a bounded writer',
    strtok    => 'a loop of your own',
    atoi      => 'a strict parse',
    atol      => 'a strict parse',
    gets      => 'fgets',
    alloca    => 'a fixed buffer',
    system    => 'nothing: a module starts no shell',
    popen     => 'nothing: a module starts no shell',
    localtime => 'the time that is handed in',
    rand      => 'the randomness that is handed in',
    srand     => 'the randomness that is handed in',
    random    => 'the randomness that is handed in',
    assert    => 'an error code: one bug does not end a child with its thousands',
    abort     => 'an error code: one bug does not end a child with its thousands',
);
my $words = join '|', sort keys %instead_of;

for my $file (files(qr{^src/.*\.[ch]$|^mod_wordsocket\.c$})) {
    my $line = 0;
    my @found;
    for (split /\n/, code(slurp($file))) {
        $line++;
        push @found, map { "$file:$line: $_ -- use $instead_of{$_}" }
            /\b($words)\s*\(/g;
    }
    is join("\n", @found), '', "$file calls nothing that is banned";
}
done_testing;
