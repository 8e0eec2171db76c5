# SPDX-License-Identifier: Apache-2.0
# Everything at once against one httpd, from a seed: swarms on plain and TLS
# connections of both transports that know what each must get, readers whose
# tokens are renewed, presence, slow and hostile clients, a site's ordinary page;
# and meanwhile reloads, children killed, sites changed.
#
#   WordSocket::Chaos->new(seconds => 120, seed => 7)->run;   # TAP; {report}
#
# Promise   The seed decides what is done and when; when a machine is slow, it is
#           done later. Ends by itself. Loopback only.
package WordSocket::Chaos;
use v5.30;
use warnings;
use File::Temp qw(tempdir);
use JSON::PP ();
use List::Util qw(max sum0);
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Chaos::Roles;
use WordSocket::Crowd qw(crowd_server is_clean);
use WordSocket::Tenants qw(tenant status_of median);

use constant {
    SITES       => [qw(steady changing guest hostile)],
    SETTLE_AT   => 10,    # minutes after which memory is not to grow
    GROWTH      => 1.05,
    SAMPLE      => 10,    # seconds between two looks
    # Full well before SETTLE_AT.
    HISTORY     => "WordSocketHistory 8M 20000 5m\n",
};

my $json = JSON::PP->new->canonical->pretty;

# seconds, seed; subscribers of each kind; rate of publishes a second.
sub new {
    my ($class, %option) = @_;
    my $slow = WordSocket::Sanitizer::slowness();
    my $self = bless {
        seconds => 60, seed => 1, subscribers => 60, rate => $slow > 1 ? 5 : 20, slow => $slow,
        did => {}, memory => [], changes => {}, %option,
    }, $class;
    srand $self->{seed};
    $self->{schedule} = [ $self->schedule ];
    return $self;
}

# What happens when: pairs of seconds and acts.
sub schedule {
    my ($self) = @_;
    my %every = (reload => [ 4, 30 ], kill => [ 6, 40 ], stall => [ 20, 60 ]);
    # Whoever is sent away comes back before the end.
    my $last = $self->{seconds} - ($self->{seconds} < 80 ? $self->{seconds} / 4 : 20);
    my @schedule;
    for my $act (sort keys %every) {
        my ($least, $spread) = $every{$act}->@*;
        for (my $at = 2 + rand $least; $at < $last; $at += $least + rand $spread) {
            push @schedule, [ $at, $act ];
        }
    }
    return sort { $a->[0] <=> $b->[0] } @schedule;
}

sub run {
    my ($self) = @_;
    diag "seed $self->{seed}, $self->{seconds} s; the same again: --seed $self->{seed}";
    $self->begin;
    $self->direct;
    $self->finish;
    return $self;
}

# --- the stage ------------------------------------------------------------------

sub begin {
    my ($self) = @_;
    my $server = $self->{server} = crowd_server(
        sites => [ map { tenant($_) } SITES->@* ], vhost_lines => '',
        lines => HISTORY . "WordSocketDrain 10s\nMinSpareThreads 49\nMaxSpareThreads 64\n");
    # The parent tells of each who was killed; who takes a lock of the dead, too.
    $server->announce(qr/child pid \d+ exit signal Killed \(9\)/, maybe => 1);
    $server->announce(qr/wordsocket:warn/, maybe => 1);
    $server->announce(qr/AH\d+: server is within MinSpareThreads/, maybe => 1);
    my @sites = $server->{sites}->@*;
    $self->{clients} = { map { SITES->[$_] => WordSocket::Client->new($server, site => $sites[$_], keep_alive => 0) } 0 .. $#sites };

    my $n = $self->{subscribers};
    my %all = (publish => int($self->{rate} * ($self->{seconds} - 2)), rate => $self->{rate}, wait => 1,
        users => 20, seconds => $self->{seconds} + 240, settle => 60 * $self->{slow});
    $self->{swarms} = {
        steady   => $self->swarm(steady => %all, ws => $n, sse => $n, wss => int $n / 3, sses => int $n / 3, fresh => 1, lanes => 2),
        changing => $self->swarm(changing => %all, ws => int $n / 2, sse => int $n / 2),
    };
    for my $name (sort keys $self->{swarms}->%*) {
        ok $self->{swarms}{$name}->ready(60), "the swarm of $name is subscribed";
    }
    $_->command('publish') for values $self->{swarms}->%*;
    $self->{begun} = time;
    $self->{roles} = [ map { $self->role($_) } sort keys WordSocket::Chaos::Roles::ROLES->%* ];
    return;
}

sub swarm {
    my ($self, $site, %option) = @_;
    return WordSocket::Swarm->new($self->{clients}{$site}, %option);
}

# A role's process tells what it found by a file.
sub role {
    my ($self, $name) = @_;
    $self->{dir} //= tempdir('chaos-XXXXXX', TMPDIR => 1, CLEANUP => 1);
    my $file = "$self->{dir}/$name";
    my $seed = $self->{seed} + sum0 map { ord } split //, $name;
    my $pid  = fork // die "fork: $!\n";
    return { name => $name, pid => $pid, file => $file } if $pid;
    @SIG{qw(INT TERM HUP)} = (sub { POSIX::_exit(1) }) x 3;
    srand $seed;
    my $role = { server => $self->{server}, clients => $self->{clients}, begun => $self->{begun},
        end => $self->{begun} + $self->{seconds}, patience => 20 * $self->{slow}, wrong => [], did => {} };
    eval { WordSocket::Chaos::Roles::ROLES->{$name}->($role); 1 } or push $role->{wrong}->@*, "died: $@";
    open my $out, '>', $file;
    print $out $json->encode({ wrong => $role->{wrong}, did => $role->{did} });
    close $out;
    POSIX::_exit(0);
}

# --- what happens ---------------------------------------------------------------

sub direct {
    my ($self) = @_;
    my @schedule = $self->{schedule}->@*;
    while ((my $now = time - $self->{begun}) < $self->{seconds}) {
        $self->look($now);
        if (@schedule && $schedule[0][0] <= $now) {
            my $act = (shift @schedule)->[1];
            $self->$act;
            $self->{did}{$act}++;
        }
        sleep 0.1;
    }
    return;
}

sub wrong {
    my ($self, $what) = @_;
    push $self->{wrong}->@*, sprintf '%.1f s: %s', time - $self->{begun}, $what;
    return;
}

# The sites change, httpd is told, and the children of before go.
sub reload {
    my ($self) = @_;
    my $server = $self->{server};
    $self->change_sites;
    my $begun = time;
    $server->renew or return $self->wrong('a reload did not come to be, or children of before it stayed');
    push $self->{reloads}->@*, time - $begun;
    my $answer = $self->{clients}{guest}->publish('events', 'e', {})->{status};
    my $wanted = $self->{guest_is_out} ? 401 : 200;
    $self->wrong("guest is " . ($self->{guest_is_out} ? 'out' : 'in') . ", and its publish answered by $answer") if $answer != $wanted;
    return;
}

sub change_sites {
    my ($self) = @_;
    my $server = $self->{server};
    my ($steady, $changing, $guest, $hostile) = map { {%$_} } $server->{sites}->@*;
    $changing->{limits} = { max_channels => 20 + int rand 20, connections => 5000 + int rand 1000 };
    for my $secret (qw(publish_secret jwt_secret)) {
        $changing->{$secret} = [ $changing->{$secret}, 'another-' . int rand 1000 ] if rand() < 0.5;
    }
    $self->{guest_is_out} = rand() < 0.4;
    $server->write_file('sites.json', $json->encode([ $steady, $changing, $self->{guest_is_out} ? () : $guest, $hostile ]));
    return;
}

sub some_child {
    my ($self) = @_;
    my @children = $self->{server}->children;
    return @children ? $children[ int rand @children ] : undef;
}

sub kill {
    my ($self) = @_;
    my $child  = $self->some_child // return;
    my $server = $self->{server};
    if (rand() < 0.3) {
        CORE::kill 'STOP', $child;
        sleep rand 0.5;
    }
    CORE::kill 'KILL', $child;
    $server->wait_for(20 * $self->{slow}, sub { $server->{children} <= $server->children })
        or $self->wrong('a child that was killed was not replaced');
    return;
}

# The machine takes the processor from a child for a moment.
sub stall {
    my ($self) = @_;
    my $child = $self->some_child // return;
    CORE::kill 'STOP', $child;
    sleep 0.2 + rand 0.8;
    CORE::kill 'CONT', $child;
    return;
}

# --- looking --------------------------------------------------------------------

sub look {
    my ($self, $now) = @_;
    return if $now < ($self->{next_look} // 0);
    $self->{next_look} = $now + SAMPLE;
    my $server = $self->{server};
    my $status = eval { status_of($server, '?check') };
    my $kib    = $server->memory_kib('Pss');
    push $self->{memory}->@*, [ int $now, $kib ];
    diag sprintf '%5d s: %s; %s connections, %.1f MiB in %d children', $now,
        join(', ', map { "$self->{did}{$_} x $_" } sort keys $self->{did}->%*) || 'begun',
        $status->{connections} // '?', $kib / 1024, scalar(my @c = $server->children);
    $self->wrong('the segment is not whole') if $status && !$status->{segment}{whole};
    return;
}

sub memory_between {
    my ($self, $from, $to) = @_;
    my @kib = map { $_->[1] } grep { $_->[0] >= $from && $_->[0] <= $to } $self->{memory}->@*;
    return @kib ? median(@kib) : 0;
}

# --- the end ----------------------------------------------------------------------

sub finish {
    my ($self) = @_;
    my $server = $self->{server};
    my %report = (seed => $self->{seed}, seconds => $self->{seconds}, did => $self->{did},
        slowest_reload => max(0, ($self->{reloads} // [])->@*));
    cmp_ok $self->{did}{$_} // 0, '>', 0, "there was a $_" for qw(reload kill);
    for my $role ($self->{roles}->@*) {
        $report{roles}{ $role->{name} } = $self->role_report($role);
    }
    for my $name (sort keys $self->{swarms}->%*) {
        my $said = $report{swarms}{$name} = $self->{swarms}{$name}->report(200 * $self->{slow});
        is_clean($said, "swarm of $name");
        is $said->{ready}, $said->{subscribers}, "swarm of $name: all are there at the end";
    }
    is join("\n", ($self->{wrong} // [])->@*), '', 'reloads, kills and the segment were as they must be';
    ok $server->wait_for(30 * $self->{slow}, sub { !sum0 map { $_->{connections} } status_of($server)->{sites}->@* }),
        'every connection is counted out';
    ok status_of($server, '?check')->{segment}{whole}, 'the segment is whole';
    $report{memory_kib} = $self->{memory};
    $self->judge_memory(\%report);
    $report{counters} = status_of($server)->{counters};
    $self->{report} = \%report;
    $server->stop;
    return;
}

sub role_report {
    my ($self, $role) = @_;
    if (!WordSocket::Swarm::waitpid_within($role->{pid}, 90 * $self->{slow})) {
        CORE::kill 'KILL', $role->{pid};
        waitpid $role->{pid}, 0;
    }
    my $said = eval { $json->decode(WordSocket::Server::slurp($role->{file})) }
        // { wrong => ['no report'], did => {} };
    is join("\n", $said->{wrong}->@*), '', "$role->{name}: " . join ', ', map { "$_ $said->{did}{$_}" } sort keys $said->{did}->%*;
    return $said;
}

# Histories are full and all arenas used after some minutes; then nothing grows.
sub judge_memory {
    my ($self, $report) = @_;
    my ($then, $end) = (SETTLE_AT * 60, $self->{seconds});
    if ($end < 2 * $then) {
        diag 'too short to say whether memory grows';
        return;
    }
    my @kib = ($self->memory_between($then - 90, $then + 90), $self->memory_between($end - 180, $end));
    $report->{memory_growth} = $kib[1] / $kib[0];
    cmp_ok $kib[1], '<=', GROWTH * $kib[0],
        sprintf 'memory at the end, %.1f MiB, is within 5 %% of that after ten minutes, %.1f MiB', map { $_ / 1024 } @kib[ 1, 0 ];
    return;
}

1;
