# SPDX-License-Identifier: Apache-2.0
# Slow readers: closed with a code at WordSocketSendQueue, at nobody else's
# cost, and nothing is lost when they come back.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(time);
use WordSocket::Talk;
use WordSocket::Tenants qw(counter);

my $server = server_with(<<'END');
WordSocketSendQueue 256K
WordSocketSharedMemory 128M
WordSocketHistory 32M 100000 10m
WordSocketPublishRate 100000 100000
END

use constant { BATCHES => 200, BATCH => 50 };

# Batches of messages of 2 KB until so many readers were closed as slow, which
# they are once queues and kernels hold no more; the fast reader reads each before
# the next. A closed connection is given 3 s to take its Close, so this ends at
# once then.
sub flood {
    my ($client, $name, $fast, $slow) = @_;
    my ($n, @got) = 0;
    my $until = $slow + counter($server, 'slow_closed');
    for (1 .. BATCHES) {
        last if counter($server, 'slow_closed') >= $until;
        my @batch = map { { channel => $name, event => 'e', data => { n => ++$n, x => 'x' x 2000 } } } 1 .. BATCH;
        my $sent = $client->publish_body($client->encode(\@batch));
        die "$sent->{status} $sent->{content}\n" if $sent->{status} != 200;
        push @got, numbers($fast->messages(BATCH));
    }
    return ($n, @got);
}

sub numbers { map { $_->{data}{n} } @_ }

# Everything a reader got until it was closed or ended.
sub drain {
    my ($reader) = @_;
    my @got;
    while (my ($one) = $reader->messages(1, 10)) {
        push @got, $one;
    }
    return @got;
}

both {
    my ($client, $how) = @_;
    my $name  = channel();
    my $fast  = $client->socket(channels => [$name]);
    my %slow  = (
        WebSocket      => $client->socket(receive_buffer => 4096, channels => [$name]),
        'event stream' => $client->events(receive_buffer => 4096, channels => [$name]),
    );
    my $from = time;
    my ($sent, @all) = flood($client, $name, $fast, 2);
    note sprintf '%.1f s', time - $from;
    is join(' ', @all), join(' ', 1 .. $sent), "${how}who reads gets all $sent, in order, and does not wait for who does not";

    for my $what (sort keys %slow) {
        my $reader = $slow{$what};
        my @got = drain($reader);
        cmp_ok scalar(@got), '<', $sent, "${how}$what: a slow reader did not get all";
        if ($what eq 'WebSocket') {
            is $reader->close_code, 1013, "${how}$what: it was closed with 1013";
            ok length $reader->{closed}{reason}, "${how}$what: and told why";
        }
        else {
            ok $reader->{ended}, "${how}$what: it was ended";
        }
        is join(' ', numbers(@got)), join(' ', 1 .. @got), "${how}$what: what it got is in order, without holes";
        my $last = @got ? $got[-1]{id} : $reader->{last_id} // $reader->{subscribed}{id};
        my $again = $what eq 'WebSocket' ? $client->socket : $client->events(channels => [$name], since => $last);
        $again->send_json({ type => 'subscribe', channels => [$name], since => $last }) if $what eq 'WebSocket';
        my @rest = $again->messages($sent - @got, 60);
        is join(' ', numbers(@rest)), join(' ', @got + 1 .. $sent), "${how}$what: it comes back for the rest, once, in order";
        $_->hang_up for $reader, $again;
    }
    $fast->hang_up;
} $server;

$server->stop;
done_testing;
