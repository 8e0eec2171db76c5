# SPDX-License-Identifier: Apache-2.0
# A subscriber that comes back: what it reads are numbers, and it knows which
# comes next. Its token is short and renewed in-band.
#
#   my $reader = WordSocket::Chaos::Reader->new($client, channel => 'x', next => 1);
#   $reader->read_to(7, 20);    # whether 1..7 came in 20 s, each once, in order
#   $reader->{wrong}            # what was not as it must be, one text each
package WordSocket::Chaos::Reader;
use v5.30;
use warnings;
use Time::HiRes qw(sleep time);

use constant TOKEN_SECONDS => 12;

# Closes after which a client comes back with its last id (PROTOCOL.md). Without
# a close the process that held it was killed.
my %comes_back = map { $_ => 1 } 1001, 1012, 1013;

sub new {
    my ($class, $client, %option) = @_;
    my $self = bless { client => $client, wrong => [], came => 0, returns => 0, renewals => 0, %option }, $class;
    $self->{since} //= $self->place;
    return $self;
}

# Where the channel stands: what is published from now on is to be read.
sub place {
    my ($self) = @_;
    for (1 .. 100) {
        my $answer = $self->{client}->poll(channels => [ $self->{channel} ]);
        return $answer->{json}{cursor} if $answer->{status} == 200;
        sleep 0.1;
    }
    die "no answer to a poll\n";
}

sub token {
    my ($self) = @_;
    $self->{renew_at} = time + TOKEN_SECONDS / 3;
    return $self->{client}->token(exp => int(time) + TOKEN_SECONDS, user_id => $self->{user} // 1);
}

sub connected {
    my ($self, $end) = @_;
    while (!$self->{ws} && time < $end) {
        $self->{ws} = eval {
            my $ws = $self->{client}->socket(token => $self->token);
            $ws->send_json({ type => 'subscribe', since => $self->{since},
                channels => [ $self->{client}->qualified($self->{channel}) ] });
            $ws;
        };
        sleep 0.1 + rand 0.2 if !$self->{ws};
    }
    return $self->{ws};
}

sub renew {
    my ($self) = @_;
    return if time < $self->{renew_at};
    $self->{ws}->send_json({ type => 'auth', token => $self->token });
    $self->{renewals}++;
    return;
}

sub lost {
    my ($self) = @_;
    my $ws   = delete $self->{ws};
    my $code = $ws->{closed} ? $ws->{closed}{code} : 0;
    push $self->{wrong}->@*, "closed with $code" if $code && !$comes_back{$code};
    $self->{returns}++;
    $ws->hang_up;
    return;
}

sub take {
    my ($self, $message) = @_;
    if ($message->{type} eq 'error' || $message->{type} eq 'gap') {
        push $self->{wrong}->@*, "$message->{type} " . ($message->{code} // '');
    }
    return if $message->{type} ne 'message' || $message->{event} ne 'number';
    my $n = $message->{data}{n};
    push $self->{wrong}->@*, "$n came where $self->{next} was next" if $n != $self->{next};
    $self->{next}  = $n + 1;
    $self->{since} = $message->{id};
    $self->{came}++;
    return;
}

sub read_to {
    my ($self, $last, $seconds) = @_;
    my $end = time + $seconds;
    while ($self->{next} <= $last && time < $end) {
        my $ws = $self->connected($end) or last;
        $self->renew;
        my $message = $ws->message(0.5);
        if    ($message) { $self->take($message) }
        elsif ($ws->{ended} || $ws->{closed}) { $self->lost }
    }
    push $self->{wrong}->@*, "$last did not come in $seconds s" if $self->{next} <= $last;
    return $self->{next} > $last;
}

sub end {
    my ($self) = @_;
    my $ws = delete $self->{ws};
    $ws->hang_up if $ws;
    return;
}

1;
