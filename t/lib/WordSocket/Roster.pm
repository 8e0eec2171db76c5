# SPDX-License-Identifier: Apache-2.0
# Who a watcher believes is on a channel, from all it was told.
#
#   my $roster = WordSocket::Roster->new($ws, 'room');   # or an event stream
#   ok settled(1, sub { $_[0]->states eq '...' }, $roster);
#
# A change that does not fit the list, a second join with the same state or a
# leave of nobody, is kept in {wrong}.
package WordSocket::Roster;
use v5.30;
use warnings;
use Exporter qw(import);
use JSON::PP ();
use Time::HiRes qw(time);

our @EXPORT = qw(settled);

my $json = JSON::PP->new->utf8->canonical;

sub new {
    my ($class, $reader, $channel) = @_;
    $reader->{watches} = 1;
    return bless { reader => $reader, channel => $channel, wrong => [], syncs => 0, heard => 0 }, $class;
}

sub apply {
    my ($self, $message) = @_;
    return if $message->{event} ne 'wps.presence' || $message->{channel} ne $self->{channel};
    my ($data, $list) = ($message->{data}, $self->{list});
    my $state = $json->encode($data->{state} // {});
    push @{ $self->{wrong} }, 'an id' if exists $message->{id};
    $self->{heard}++;
    if ($data->{action} eq 'sync') {
        $self->{syncs}++;
        $self->{list} = { map { $_->{id} => $json->encode($_->{state}) } @{ $data->{members} } };
    }
    elsif (!$list) {
        push @{ $self->{wrong} }, "$data->{action} before sync";
    }
    elsif ($data->{action} eq 'join') {
        push @{ $self->{wrong} }, "join again $data->{id}" if ($list->{ $data->{id} } // '') eq $state;
        $list->{ $data->{id} } = $state;
    }
    elsif (!defined delete $list->{ $data->{id} }) {
        push @{ $self->{wrong} }, "leave of nobody $data->{id}";
    }
    return;
}

# Take what has come, and wait up to so long for the first of it.
sub listen_for {
    my ($self, $seconds) = @_;
    while (my ($message) = $self->{reader}->messages(1, $seconds)) {
        $self->apply($message);
        $seconds = 0.001;
    }
    return $self;
}

# All states, sorted, as one text.
sub states { join ' ', sort values %{ $_[0]{list} // { none => 'no list' } } }

# Whether all of them come to be right within so many seconds; how long it took
# is kept in {took} of the first.
sub settled {
    my ($seconds, $right, @rosters) = @_;
    my $begun = time;
    my @left  = @rosters;
    while (@left && time < $begun + $seconds) {
        @left = grep { !$right->($_->listen_for(0.005)) } @left;
    }
    $rosters[0]{took} = time - $begun;
    return !@left;
}

1;
