# SPDX-License-Identifier: Apache-2.0
# t/load/swarm, driven: thousands of subscribers that check what they get.
#
#   my $swarm = WordSocket::Swarm->new($client, ws => 1000, sse => 1000,
#       publish => 500, wait => 1);
#   $swarm->ready(30) or ...;
#   $swarm->command('publish');
#   my $report = $swarm->report(60);
#   is_clean($report, 'four children');
package WordSocket::Swarm;
use v5.30;
use warnings;
use Exporter qw(import);
use File::Temp qw(tempfile);
use IO::Select;
use IPC::Open2 qw(open2);
use JSON::PP ();
use Test::More ();
use Time::HiRes qw(time);

our @EXPORT_OK = qw(is_clean);

sub program {
    my $program = $ENV{WSK_SWARM} // ($ENV{WSK_TOP} // '.') . '/t/load/swarm';
    -x $program or die "$program is not built: make t/load/swarm\n";
    return $program;
}

# Options as of t/load/options.c, with _ for -; a value of 1 that the program
# takes as a switch is one. users => N spreads the subscribers over N users.
my %is_switch = map { $_ => 1 } qw(fresh publish_tls wait hold no_reconnect);

sub new {
    my ($class, $client, %option) = @_;
    my $server = $client->{server};
    my $users  = delete $option{users} // 1;
    my ($file, $name) = tempfile('tokens-XXXXXX', TMPDIR => 1, UNLINK => 1);
    my %claims = %{ delete $option{claims} // {} };
    say $file $client->token(user_id => "$_", exp => int(time) + 3600, %claims) for 1 .. $users;
    close $file;
    my @args = (
        '--port' => $server->{port}, '--tls-port' => $server->{tls_port},
        '--path' => $server->{path}, '--tokens' => $name,
        '--key' => $client->{site}{site_key},
        '--secret' => WordSocket::Client::first_of($client->{site}{publish_secret}),
    );
    for my $name (sort keys %option) {
        my $long = '--' . $name =~ tr/_/-/r;
        if ($is_switch{$name}) {
            push @args, $long if $option{$name};
        }
        else {
            push @args, $long, $option{$name};
        }
    }
    my $pid = open2(my $out, my $in, program(), @args);
    $in->autoflush(1);
    return bless { pid => $pid, out => $out, in => $in, text => '', tokens => $name }, $class;
}

# The next line of a kind, or undef at the deadline or the end.
sub heard {
    my ($self, $what, $seconds) = @_;
    my $deadline = time + $seconds;
    while (1) {
        while ($self->{text} =~ s/\A(.*)\n//) {
            my $event = JSON::PP::decode_json($1);
            $self->{last} = $event;
            return $event if $event->{event} eq $what;
        }
        my $left = $deadline - time;
        return if $left <= 0 || !IO::Select->new($self->{out})->can_read($left);
        sysread $self->{out}, $self->{text}, 65536, length $self->{text} or return;
    }
}

sub ready     { $_[0]->heard('ready', $_[1]) }
sub published { $_[0]->heard('published', $_[1]) }

sub command {
    my ($self, $word) = @_;
    local $SIG{PIPE} = 'IGNORE';
    return syswrite $self->{in}, "$word\n";
}

# The end: what it counted.
sub report {
    my ($self, $seconds) = @_;
    my $report = $self->heard('report', $seconds);
    $self->end;
    return $report // { missing => 'no report' };
}

sub end {
    my ($self) = @_;
    my $pid = delete $self->{pid} // return;
    kill 'KILL', $pid if !waitpid_within($pid, 2);
    return;
}

sub waitpid_within {
    my ($pid, $seconds) = @_;
    my $end = time + $seconds;
    while (time < $end) {
        return 1 if waitpid $pid, 1;
        select undef, undef, undef, 0.02;
    }
    return 0;
}

sub DESTROY { local ($?, $@); $_[0]->end }

# One check: everything arrived once, in order, under the id the publisher was
# told, and nothing else did.
sub is_clean {
    my ($report, $what) = @_;
    my @wrong = map { "$_ $report->{$_}" } grep { $report->{$_} }
        qw(missing duplicates disorder mismatched_ids foreign gaps malformed publish_failures);
    push @wrong, 'nothing was delivered' if !$report->{delivered};
    my $passed = Test::More::is(join(', ', @wrong), '',
        "$what: $report->{delivered} deliveries, each once and in order");
    Test::More::diag(JSON::PP->new->canonical->encode($report)) if !$passed;
    return $passed;
}

1;
