# SPDX-License-Identifier: Apache-2.0
# A reader of text/event-stream over its own socket, line by line as the
# standard says, which also tells what an EventSource would keep for itself:
# the last id and the retry time.
package WordSocket::Events;
use v5.30;
use warnings;
use parent 'WordSocket::Wire';
use JSON::PP ();
use Time::HiRes qw(time);

my $json = JSON::PP->new->utf8->allow_nonref;

# path, base, headers, status as with WordSocket::Frames; patience: seconds for
# the head.
sub connect {
    my ($class, %option) = @_;
    my $self = $class->open_wire(%option);
    my %header = (
        Host => "127.0.0.1:$option{port}", Accept => 'text/event-stream',
        %{ $option{headers} // {} },
    );
    my $head = "GET $option{base}$option{path} HTTP/1.1\r\n";
    $head .= "$_: $header{$_}\r\n" for grep { defined $header{$_} } sort keys %header;
    my $status = $self->exchange("$head\r\n", $option{patience});
    my $wanted = $option{status} // 200;
    $status == $wanted or die "event stream: $wanted wanted, not\n$self->{head}";
    $self->{chunked} = ($self->header('Transfer-Encoding') // '') =~ /chunked/i;
    return $self;
}

# The next line of the stream without its end; chunks are taken apart.
sub line {
    my ($self, $deadline) = @_;
    while (1) {
        my $buffer = $self->{chunked} ? \$self->{body} : \$self->{in};
        $$buffer //= '';
        return $1 if $$buffer =~ s/\A([^\r\n]*)(?:\r\n|\n|\r(?=.))//s;
        if (!$self->{chunked}) {
            $self->fill($deadline) or return;
            next;
        }
        my $size = $self->take_until(qr/\r\n/, $deadline) // return;
        my $length = hex($size =~ s/[^0-9A-Fa-f].*//sr);
        if (!$length) {
            $self->{ended} = 1;
            return;
        }
        $self->{body} .= $self->take($length, $deadline) // return;
        $self->take(2, $deadline);
    }
}

# The next event {event, data, id, retry}, of whatever kind; a block that sets
# only an id or a retry time comes as well, with data undefined. Comments are
# counted. What the relay says of presence comes only to who has set {watches}.
# Undef at the deadline or the end.
sub event {
    my ($self, $seconds) = @_;
    my $deadline = time + ($seconds // $self->PATIENCE);
    my (%event, @data);
    while (defined(my $line = $self->line($deadline))) {
        if ($line eq '') {
            next if !%event && !@data;
            $event{data} = @data ? join("\n", @data) : undef;
            return \%event if $self->{watches} || ($event{data} // '') !~ /"event":"wps\.presence","data":\{"action"/;
            (%event, @data) = ();
            next;
        }
        if ($line =~ /^:/) {
            $self->{comments}++;
            next;
        }
        my ($field, $value) = $line =~ /^([^:]*)(?:: ?(.*))?$/s;
        $value //= '';
        if    ($field eq 'data')  { push @data, $value }
        elsif ($field eq 'id')    { $event{id}    = $self->{last_id} = $value }
        elsif ($field eq 'retry') { $event{retry} = $self->{retry}   = $value }
        else                      { $event{$field} = $value }
    }
    return;
}

# The next event with data; of a kind, if told ("message" is the unnamed one).
sub next_data {
    my ($self, $seconds, $kind) = @_;
    my $deadline = time + ($seconds // $self->PATIENCE);
    while (my $event = $self->event($deadline - time)) {
        next if !defined $event->{data};
        next if $kind && ($event->{event} // 'message') ne $kind;
        return $event;
    }
    return;
}

# So many unnamed events, their data decoded, with the id added.
sub messages {
    my ($self, $count, $seconds) = @_;
    my $deadline = time + ($seconds // $self->PATIENCE);
    my @got;
    while (@got < $count) {
        my $event = $self->next_data($deadline - time, 'message') // last;
        push @got, { %{ $json->decode($event->{data}) }, sse_id => $event->{id} };
    }
    return @got;
}

# Whether the server ends the stream in time.
sub ends {
    my ($self, $seconds) = @_;
    my $deadline = time + ($seconds // $self->PATIENCE);
    1 while $self->event($deadline - time);
    return $self->{ended} ? 1 : 0;
}

1;
