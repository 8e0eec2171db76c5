# SPDX-License-Identifier: Apache-2.0
# A tenant that goes on with its work while another one is attacked, or attacks:
# a process of its own with a publish socket, a WebSocket and an event stream,
# which says something every 20 ms and waits until both have heard it.
#
#   my $neighbour = WordSocket::Neighbour->new($client);
#   ...
#   my $round = $neighbour->round;    # since the last: {said, wrong, p99_us, rss_kib}
#   $neighbour->end;
#
# Promise   It asks no worker of httpd for anything once it is there. rss_kib is
#           the most that the children had as memory of their own.
package WordSocket::Neighbour;
use v5.30;
use warnings;
use IO::Select;
use JSON::PP ();
use POSIX ();
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);
use Time::HiRes qw(sleep time);
use WordSocket::Frames;
use WordSocket::Tenants qw(percentile);

use constant { EVERY_S => 0.02, PATIENCE_S => 20, CHANNEL => 'neighbour' };

sub new {
    my ($class, $client) = @_;
    socketpair my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC or die "socketpair: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        close $ours;
        my $done = eval { work($client, $theirs); 1 };
        print STDERR "# the neighbour: $@" if !$done;
        POSIX::_exit($done ? 0 : 1);
    }
    close $theirs;
    my $self = bless { pid => $pid, at => $ours }, $class;
    $self->round;    # it is there, and has said something
    return $self;
}

# Since the last; once it has said so much, if it had not.
sub round {
    my ($self, $least) = @_;
    local $SIG{PIPE} = 'IGNORE';
    syswrite $self->{at}, pack 'N', $least // 1;
    my $line = readline $self->{at};
    return defined $line ? JSON::PP::decode_json($line) : { said => 0, wrong => 'it has died', p99_us => 0, rss_kib => 0 };
}

sub end {
    my ($self) = @_;
    my $pid = delete $self->{pid} // return;
    close $self->{at};
    waitpid $pid, 0;
    return;
}

sub DESTROY { local ($?, $@); $_[0]->end }

# --- in its own process ---------------------------------------------------------

sub work {
    my ($client, $at) = @_;
    my $server = $client->{server};
    my @children = $server->children;
    my $publisher = WordSocket::Frames->connect(path => '/publisher', $client->connect_options,
        headers => { $client->signed_headers_v2('', method => 'GET', path => '/publisher') });
    my @there = ($client->socket(channels => [CHANNEL]), $client->events(channels => [CHANNEL]));
    my ($n, $least, %seen) = (0, 0);
    while (1) {
        my $begun = time;
        push @{ $seen{wrong} }, wrong($client, $publisher, ++$n, @there);
        push @{ $seen{us} }, int 1e6 * (time - $begun);
        my $rss = 0;
        $rss += own_memory_kib($_) for @children;
        $seen{rss} = $rss if $rss > ($seen{rss} // 0);
        my $left = EVERY_S - (time - $begun);
        if (IO::Select->new($at)->can_read($left > 0 ? $left : 0)) {
            sysread $at, my $asked, 4 or return;
            $least = unpack 'N', $asked;
        }
        next if !$least || $least > @{ $seen{us} };
        syswrite $at, JSON::PP::encode_json({ said => scalar @{ $seen{us} }, wrong => join(', ', @{ $seen{wrong} }),
            p99_us => percentile(0.99, @{ $seen{us} }), rss_kib => $seen{rss} }) . "\n";
        ($least, %seen) = (0);
    }
    return;
}

sub wrong {
    my ($client, $publisher, $n, @there) = @_;
    $publisher->send_text($client->encode({ channel => CHANNEL, event => 'said', data => $n }));
    my @wrong = answer($publisher) =~ /^\{"ok":true/ ? () : ("publish $n was not taken");
    for my $one (@there) {
        my ($got) = $one->messages(1, PATIENCE_S);
        push @wrong, "message $n did not come next" if !$got || $got->{data} != $n;
    }
    return @wrong;
}

# The next answer of the publish socket; its pings are answered.
sub answer {
    my ($publisher) = @_;
    while (my $frame = $publisher->receive(PATIENCE_S)) {
        return $frame->{payload} if $frame->{opcode} != WordSocket::Frames::PING;
        $publisher->send_frame(opcode => WordSocket::Frames::PONG, payload => $frame->{payload});
    }
    return '';
}

sub own_memory_kib {
    my ($pid) = @_;
    open my $in, '<', "/proc/$pid/status" or return 0;
    local $/;
    return <$in> =~ /^RssAnon:\s+(\d+) kB/m ? $1 : 0;
}

1;
