# SPDX-License-Identifier: Apache-2.0
# Who takes part in chaos beside the swarms, each in a process of its own until
# the deadline. What was not as it must be goes into {wrong}, what was done is
# counted.
#
#   WordSocket::Chaos::Roles::ROLES->{reader}->($role)
#   $role: { server, clients => {steady, changing, guest, hostile}, end, patience }
package WordSocket::Chaos::Roles;
use v5.30;
use warnings;
use Time::HiRes qw(sleep time);
use WordSocket::Chaos::Reader;
use WordSocket::Frames;
use WordSocket::Roster;

use constant ROLES => {
    reader   => \&reader,
    presence => \&presence,
    slow     => \&slow,
    hostile  => \&hostile,
    visitor  => \&visitor,
};

sub note {
    my ($role, $what) = @_;
    push $role->{wrong}->@*, sprintf '%.1f s: %s', time - $role->{begun}, $what if $role->{wrong}->@* < 20;
    return;
}

sub pause { sleep $_[0] + rand $_[1] }

# The same bytes until they are answered: it is delivered once.
sub publish {
    my ($role, $client, $channel, $event, $data) = @_;
    my $body = $client->encode({ channel => $channel, event => $event, data => $data });
    my %signed = $client->signed_headers($body);
    my $end = time + $role->{patience};
    my $answer;
    while (time < $end) {
        $answer = $client->publish_with($body, %signed);
        return 1 if $answer->{status} == 200;
        sleep 0.1;
    }
    note($role, "a publish was answered by $answer->{status}");
    return 0;
}

# Readers whose token lives for seconds get each number once and in order.
sub reader {
    my ($role) = @_;
    my $client  = $role->{clients}{steady};
    my @readers = map { WordSocket::Chaos::Reader->new($client, channel => 'numbers', next => 1, user => $_) } 1 .. 3;
    for (my $n = 1; time < $role->{end}; $n++) {
        publish($role, $client, 'numbers', 'number', { n => $n }) or last;
        for my $reader (@readers) {
            $reader->read_to($n, $role->{patience});
            note($role, $_) for splice $reader->{wrong}->@*;
        }
        pause(0.05, 0.4);
    }
    for my $what (qw(came returns renewals)) {
        $role->{did}{$what} += $_->{$what} for @readers;
    }
    return;
}

# Members come, change and go; who looks anew sees who is there, at the latest
# when the system has told that a process is dead.
sub presence {
    my ($role) = @_;
    my $client = $role->{clients}{steady};
    my $name   = $client->qualified('people');
    my %member;
    my $enter = sub {
        my ($who) = @_;
        $member{$who} = eval {
            my $ws = $client->socket(token => $client->token(user_id => $who));
            $ws->send_json({ type => 'subscribe', channels => [$name] });
            $ws->message(5, 'subscribed') or die "not subscribed\n";
            $ws;
        } or return;
        $member{$who}->send_json({ type => 'presence', channel => $name, state => { n => $role->{did}{states}++ } });
        return;
    };
    while (time < $role->{end}) {
        my $who = 'm' . int rand 8;
        if    (!$member{$who}) { $enter->($who) }
        elsif (rand() < 0.3)   { (delete $member{$who})->hang_up }
        else { $member{$who}->send_json({ type => 'presence', channel => $name, state => { n => $role->{did}{states}++ } }) }
        pause(0.02, 0.2);
        next if rand() > 0.1;
        my ($seen, $are) = people($role, $client, $name, \%member, $enter);
        note($role, "seen are $seen, there are $are") if $seen ne $are;
        $role->{did}{looks}++;
    }
    return;
}

# Members who were sent home come back first; then the list is looked at until it
# is right, or for too long.
sub people {
    my ($role, $client, $name, $member, $enter) = @_;
    my ($seen, $are) = ('', '');
    my $end = time + $role->{patience};
    while (time < $end) {
        for my $who (sort keys %$member) {
            1 while $member->{$who}->message(0.001);
            next if !$member->{$who}{ended} && !$member->{$who}{closed};
            (delete $member->{$who})->hang_up;
            $enter->($who);
            delete $member->{$who} if !$member->{$who};
        }
        $are  = keys %$member;
        $seen = eval {
            my $ws = $client->socket(token => $client->token(user_id => 'looker'));
            my $roster = WordSocket::Roster->new($ws, 'people');
            $ws->send_json({ type => 'subscribe', channels => [$name] });
            $roster->listen_for(2) for 1 .. 2;
            $ws->hang_up;
            scalar keys %{ $roster->{list} // {} };
        } // 'nobody';
        return ($seen, $are) if $seen eq $are;
        sleep 0.3;
    }
    return ($seen, $are);
}

# Connections that take nothing for a while: then all that was sent comes in
# order, or the connection ends with a code that says to come back.
sub slow {
    my ($role) = @_;
    my $client = $role->{clients}{steady};
    while (time < $role->{end}) {
        my $ws = eval { $client->socket(channels => [ $client->qualified('events') ], receive_buffer => 4096) };
        pause(2, 8);
        my $last = 0;
        my $end  = time + 2;
        while ($ws && time < $end && (my $message = $ws->message(0.3))) {
            next if $message->{type} ne 'message';
            my ($n) = $message->{id} =~ /-(\d+)\z/;
            note($role, "$n came behind $last") if $n <= $last;
            $last = $n;
            $role->{did}{read}++;
        }
        $role->{did}{slow}++;
        if ($ws && $ws->{closed} && $ws->{closed}{code} !~ /^10(?:01|12|13)\z/) {
            note($role, "a slow reader was closed with $ws->{closed}{code}");
        }
        $ws->hang_up if $ws;
    }
    return;
}

sub wire { my ($role) = @_; WordSocket::Wire->open_wire($role->{clients}{hostile}->connect_options) }
sub opened { my ($role) = @_; $role->{clients}{hostile}->socket(@_[ 1 .. $#_ ]) }

# What somebody with bad intentions, or a bug, does. Bounded, one at a time.
my %attack = (
    half_handshake => sub { wire($_[0])->send_bytes("GET /wordsocket/ws?token=x HTTP/1.1\r\nUpgrade: webso"); pause(0, 1) },
    garbage        => sub { my $w = wire($_[0]); $w->send_bytes(join '', map { chr int rand 256 } 1 .. 2000); $w->take_all(0.3) },
    header_bomb    => sub { my $w = wire($_[0]); $w->send_bytes("GET /wordsocket/sse HTTP/1.1\r\n" . "X: y\r\n" x 5000); $w->take_all(0.3) },
    dribble        => sub { opened($_[0])->dribble(WordSocket::Frames::frame(payload => '{"type":"pong"}'), 1, 0.05) },
    huge_length    => sub { opened($_[0])->send_frame(length => 2**62, size => 64); pause(0, 0.2) },
    compressed     => sub { opened($_[0])->send_frame(rsv => 4, payload => 'x' x 50) },
    bad_utf8       => sub { opened($_[0])->send_text("\xff\xfe") },
    pings          => sub { my $w = opened($_[0]); $w->send_frame(opcode => 9, payload => "$_") for 1 .. 500; pause(0, 0.5) },
    fragments      => sub { my $w = opened($_[0]); $w->send_frame(fin => 0, opcode => $_ == 1, payload => 'x') for 1 .. 2000 },
    subscribes     => sub { my $w = opened($_[0]); $w->send_json({ type => 'subscribe', channels => [ map { "c$_" . rand } 1 .. 20 ] }) for 1 .. 100; pause(0, 0.5) },
    tokens         => sub { my $w = opened($_[0]); $w->send_json({ type => 'auth', token => 'a.b.c' }) for 1 .. 50 },
    never_reads    => sub { my $w = opened($_[0], channels => ['x'], receive_buffer => 2048); $_[0]{clients}{hostile}->publish('x', 'e', 'z' x 30_000) for 1 .. 20; pause(0, 2) },
    pipelined      => sub { my $w = opened($_[0], early => "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); $w->take_all(0.3) },
    talking_stream => sub { my $w = $_[0]{clients}{hostile}->events; $w->send_bytes('x' x 100_000); $w->take_all(0.3) },
    many           => sub { my ($role) = @_; my @w = map { wire($role) } 1 .. 200; $_->reset_hard for @w },
    resets         => sub { my ($role) = @_; for (1 .. 20) { my $w = opened($role, channels => ['x']); $w->reset_hard } },
    forged         => sub { $_[0]{clients}{hostile}->publish_with('{"channel":"x"}', 'X-WP-Signal-Key' => 'k', 'X-WP-Signal-Ts' => 1, 'X-WP-Signal-Sign' => 'f' x 64) for 1 .. 30 },
);

sub hostile {
    my ($role) = @_;
    my @names = sort keys %attack;
    while (time < $role->{end}) {
        my $name = $names[ int rand @names ];
        eval { $attack{$name}->($role); 1 };    # to be refused is no fault
        $role->{did}{$name}++;
        pause(0.1, 0.6);
    }
    return;
}

# Somebody who only wants the site's page, all the time.
sub visitor {
    my ($role) = @_;
    my $http = HTTP::Tiny->new(timeout => $role->{patience}, keep_alive => 0);
    while (time < $role->{end}) {
        my $begun  = time;
        my $answer = $http->get($role->{server}->root_url . '/index.html');
        my $took   = time - $begun;
        $role->{did}{pages}++;
        $role->{did}{slowest_ms} = int 1000 * $took if 1000 * $took > ($role->{did}{slowest_ms} // 0);
        # Who was being served by a process that is killed sees the end of it.
        $role->{did}{cut_off}++ if $answer->{status} == 599;
        note($role, "a page was answered by $answer->{status}") if $answer->{status} != 200 && $answer->{status} != 599;
        note($role, sprintf 'a page took %.1f s', $took) if $took > $role->{patience} / 2;
        pause(0.05, 0.2);
    }
    return;
}

1;
