# SPDX-License-Identifier: Apache-2.0
# The error log is under test: a line of warning or worse that the test did not
# announce is a failure, and so is an announced one that never came.
#
#   $server->announce(qr/WSK0123/);             # must come, once or more
#   $server->announce(qr/AH00045/, maybe => 1); # may come
package WordSocket::Log;
use v5.30;
use warnings;
use Test::More ();
use WordSocket::Crash;
use WordSocket::Sanitizer;

# httpd's own words that say nothing about us.
my @of_httpd = (
    qr/AH00045|AH00046|AH00047/,    # a child gets its second TERM: judged by time
    qr/AH02577: Init: SSLPassPhraseDialog/,
    qr/AH01882: Init: this version of mod_ssl was compiled against a newer/,    # of the machine
);

# What a worker of the event MPM says whose socket was closed under it, since its
# child was told to stop at once.
my $closed_under = qr/\(9\)Bad file descriptor: AH0309[23]: \w+: apr_pollset_add failure/;

# And what a httpd made slow by a tool says of a crowd.
push @of_httpd, qr/AH\d+: server (?:reached|is within MinSpareThreads of) MaxRequestWorkers/ if WordSocket::Sanitizer::kind();

sub new {
    my ($class, $server) = @_;
    return bless { server => $server, announced => [], stops => [] }, $class;
}

sub begin {
    my ($self, $file) = @_;
    @$self{qw(file from stops)} = ($file, -s $file // 0, []);
    $self->{from} = 0 if !$self->{server}{is_shared};
    return;
}

sub announce {
    my ($self, $pattern, %option) = @_;
    push @{ $self->{announced} }, { pattern => $pattern, %option };
    return;
}

# All children are told to stop at once, now.
sub stopping {
    my ($self) = @_;
    push @{ $self->{stops} }, -s $self->{file} // 0;
    return;
}

# Whether a line was logged after that, and before there were children again.
sub was_stopping {
    my ($self, $line) = @_;
    my $text = $self->text;
    return grep { index(substr($text, $_ - $self->{from}) =~ s/resuming normal operations.*//sr, $line) >= 0 }
        @{ $self->{stops} };
}

# What was logged since the server or the test began.
sub text {
    my ($self) = @_;
    open my $in, '<', $self->{file} or return '';
    seek $in, $self->{from}, 0;
    local $/;
    return <$in> // '';
}

# Lines of warning or worse, and lines that are none of httpd's: a sanitizer's,
# a failed assertion's, the last words of a library.
sub loud {
    my ($self) = @_;
    return grep {
        /\[[\w-]+:(?:warn|error|crit|alert|emerg)\]/
            || (!/^\[\w{3} \w{3} / && /\S/)
            || /exit signal/
    } split /\n/, $self->text;
}

# Those of them that nobody announced, and that are not known to be httpd's own
# when it stops. Whether a crash is its core says.
sub unexplained {
    my ($self) = @_;
    my @known = (@of_httpd, map { $_->{pattern} } @{ $self->{announced} });
    my @loud  = grep { my $line = $_; !grep { $line =~ $_ } @known } $self->loud;
    @loud = grep { !(/$closed_under/ && $self->was_stopping($_)) } @loud;
    return grep { !WordSocket::Crash::is_known($self->{server}{root}, $_) } @loud;
}

sub judge {
    my ($self) = @_;
    my @loud = $self->unexplained;
    Test::More::is(join("\n", @loud[0 .. ($#loud < 9 ? $#loud : 9)]), '',
        'the error log holds no warning that was not announced');
    Test::More::diag(WordSocket::Crash::stacks($self->{server}{root}, $_))
        for map { /child pid (\d+) exit signal/ } @loud;
    my $text = $self->text;
    for my $one (grep { !$_->{maybe} } @{ $self->{announced} }) {
        Test::More::like($text, $one->{pattern}, 'an announced line was logged');
    }
    return;
}

1;
