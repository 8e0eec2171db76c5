# SPDX-License-Identifier: Apache-2.0
# Coming back: what was missed comes once, in order, by every transport; what
# is gone is told as a gap first; and no gap is told that is none.
use v5.30;
use warnings;
use lib 't/lib';
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Talk;

use constant RATES => "WordSocketPublishRate 100000 100000\n";

# How a client of each transport comes back with an id; each returns its gaps
# and at most so many messages, in the order they came.
my %comes_back = (
    WebSocket => sub {
        my ($client, $since, $count, @names) = @_;
        my $ws = $client->socket;
        $ws->send_json({ type => 'subscribe', channels => \@names, since => $since });
        my @said;
        while (@said < $count && (my $one = $ws->message(5))) {
            push @said, $one if $one->{type} =~ /gap|message/;
        }
        $ws->hang_up;
        return @said;
    },
    map { my $way = $_; ("an event stream with $way" => sub {
        my ($client, $since, $count, @names) = @_;
        my $sse = $client->events(channels => \@names, $way eq 'since'
            ? (since => $since) : (headers => { 'Last-Event-ID' => $since }));
        my @said;
        while (@said < $count && (my $event = $sse->next_data(5))) {
            my $kind = $event->{event} // 'message';
            next if $kind eq 'wps.open';
            push @said, { type => $kind =~ s/^wps\.//r, %{ $client->decode($event->{data}) }, at => $event->{id} };
        }
        $sse->hang_up;
        return @said;
    }) } qw(since Last-Event-ID),
);
$comes_back{poll} = sub {
    my ($client, $since, $count, @names) = @_;
    my $json = $client->poll(channels => \@names, since => $since)->{json};
    return map { { type => 'message', %$_ } } @{ $json->{messages} };
};

sub brief { join ' ', map { $_->{type} eq 'gap' ? 'gap' : $_->{data} } @_ }

# What was missed, on the channels asked for, once and in order.
my $server = server_with(RATES . "WordSocketPing 1s\nWordSocketKeepers 0\n");
both {
    my ($client, $how) = @_;
    my @names = (channel(), channel());
    my $start = $client->poll->{json}{cursor};
    my @ids = map { $client->publish($_ % 3 ? $names[ $_ % 2 ] : 'else', 'e', $_)->{json}{id} } 1 .. 30;
    my $want = join ' ', grep { $_ % 3 } 1 .. 30;
    for my $way (sort keys %comes_back) {
        my @said = $comes_back{$way}->($client, $start, 20, @names);
        is brief(@said), $want, "${how}$way: all that was missed, once, in order";
        is_deeply [ map { $_->{id} } @said ], [ map { $ids[ $_ - 1 ] } grep { $_ % 3 } 1 .. 30 ], "${how}$way: under their ids";
        is brief($comes_back{$way}->($client, $ids[14], 10, @names)), join(' ', grep { $_ % 3 } 16 .. 30), "${how}$way: from the middle";
        is brief($comes_back{$way}->($client, $ids[11], 12, @names, $client->qualified($names[0]))),
            join(' ', grep { $_ % 3 } 13 .. 30), "${how}$way: once, with a channel in both spellings";
    }
    # Nothing missed, then live.
    my $ws = $client->socket(channels => \@names, since => $ids[-1]);
    is_deeply [ until_marker($client, $ws, $names[0]) ], [], "${how}from the newest id nothing comes twice";
    $ws->hang_up;

    # Added to a connection that lives: the new channel alone is caught up on.
    $ws = $client->socket(channels => [ $names[0] ]);
    $ws->subscribe([ @names ], $start);
    my @said = until_marker($client, $ws, $names[0]);
    is brief(@said), join(' ', grep { $_ % 3 && $_ % 2 } 1 .. 30), "${how}since is for the channels that are new";
    $ws->hang_up;
} $server;

# Catching up while more comes: each once, in order.
both {
    my ($client, $how) = @_;
    my $name  = channel();
    my $start = $client->poll->{json}{cursor};
    $client->publish($name, 'e', "$_") for 1 .. 300;
    my $ws = $client->socket;
    $ws->send_json({ type => 'subscribe', channels => [$name], since => $start });
    my $sse = $client->events(channels => [$name], since => $start);
    $client->publish($name, 'e', "$_") for 301 .. 400;
    for my $reader ([ WebSocket => $ws ], [ 'event stream' => $sse ]) {
        my @got = $reader->[1]->messages(400);
        is join(' ', map { $_->{data} } @got), join(' ', 1 .. 400), "${how}$reader->[0]: replay runs into what is new without a seam";
        $reader->[1]->hang_up;
    }
} $server;

# Places nobody knows: gaps, then all that is left.
both {
    my ($client, $how) = @_;
    my $name = channel();
    my $first = $client->publish($name, 'e', 1)->{json}{id};
    my ($epoch) = $first =~ /\A(.*)-/;
    my %odd = (
        'another epoch' => 'abcdefabcdef-1', 'a number from the future' => "$epoch-99999999",
        'the largest number' => "$epoch-18446744073709551615", 'a word' => 'yesterday', 'too large a number' => "$epoch-18446744073709551616",
        'a number with a zero before it' => "$epoch-01", 'a negative number' => "$epoch--1", 'capitals' => uc("$epoch") . 'A-1',
        'no number' => "$epoch-", 'more behind it' => "$first ", 'one long word' => 'x' x 500,
    );
    for my $what (sort keys %odd) {
        for my $way (sort keys %comes_back) {
            next if $way =~ /Last-Event-ID/ && $odd{$what} =~ /\s\z/;    # a header's end is trimmed
            my @said = $comes_back{$way}->($client, $odd{$what}, 2, $name);
            is brief(@said), 'gap 1', "${how}$way: $what is a gap, then comes what is left" or next;
            cmp_ok number_of($said[0]{oldest}), '<', number_of($first), "${how}and oldest is before that";
            is $said[0]{at}, $said[0]{oldest}, "${how}as is the event's own id" if $way =~ /stream/;
        }
    }
    is $client->poll(channels => [$name], since => '')->{json}{messages}[0], undef, "${how}an empty since is none";
} $server;

# Never received anything, and able to resume.
both {
    my ($client, $how) = @_;
    my $name = channel();
    my $sse  = $client->events(channels => [$name]);
    $sse->event for 1 .. 2;
    $sse->hang_up;
    my $ws = $client->socket(channels => [$name]);
    $ws->hang_up;
    $client->publish($name, 'e', $_) for 1 .. 3;
    for my $id ($sse->{last_id}, $ws->{subscribed}{id}) {
        is brief($comes_back{$_}->($client, $id, 3, $name)), '1 2 3', "${how}$_: from the first id alone" for sort keys %comes_back;
    }
} $server;

# Over a graceful restart of httpd, without keepers: those over plain TCP go on, the others are told
# when to come back. Who was away all the time comes back either way.
both {
    my ($client, $how) = @_;
    my $name = channel();
    my $ws   = $client->socket(channels => [$name]);
    my $sse  = $client->events(channels => [$name]);
    my $id   = $client->publish($name, 'e', 'before')->{json}{id};
    $_->messages(1) for $ws, $sse;
    ok $server->graceful, "${how}a graceful restart";
    if ($client->{tls}) {
        my $hint = $ws->message(10, 'reconnect');
        ok $hint && $hint->{in} >= 0 && $hint->{in} < 10_000, "${how}a WebSocket is told when to come back";
        is $ws->close_code, 1012, "${how}and closed with 1012";
        ok $sse->ends(10) && $sse->{retry}, "${how}a stream is told by retry, and ends";
        is $sse->{last_id}, $id, "${how}its last id is the message's";
    }
    $client->{http} = HTTP::Tiny->new(timeout => 20, verify_SSL => 0);
    $client->publish($name, 'e', $_) for 'while', 'away';
    if (!$client->{tls}) {
        is brief($_->messages(2, 10)), 'while away', 'who is there goes on' for $ws, $sse;
    }
    for my $way (sort keys %comes_back) {
        is brief($comes_back{$way}->($client, $id, 2, $name)), 'while away', "${how}$way: across the restart, without a gap";
    }
    $_->hang_up for $ws, $sse;
} $server;
$server->stop;

# A quiet channel of a busy site.
my $busy = server_with(RATES . "WordSocketPing 1s\nWordSocketHistory 64K 20 10m\n");
both {
    my ($client, $how) = @_;
    my $quiet = channel('quiet');
    $client->publish('busy', 'e', $_) for 1 .. 30;
    my $ws  = $client->socket(channels => [ $quiet ]);
    my $sse = $client->events(channels => [ $quiet ]);
    my $first = $ws->{subscribed}{id};
    $client->publish('busy', 'e', $_) for 1 .. 100;
    my $newest = $client->publish('busy', 'e', 0)->{json}{id};
    $ws->message(2.2);
    my $until = time + 5;
    $sse->event(2) while time < $until && ($sse->{last_id} // '') ne $newest;
    is $ws->{ping}{id}, $newest, "${how}a ping brings a quiet client forward";
    is $sse->{last_id}, $newest, "${how}and an event with only an id does";
    $_->hang_up for $ws, $sse;
    $client->publish($quiet, 'e', 'quiet');
    is brief($comes_back{$_}->($client, $newest, 1, $quiet)), 'quiet', "${how}$_: no false gap" for sort keys %comes_back;

    # Even from the old id: nothing on these channels was lost. Channels share
    # what is remembered of the lost ones, 128 ways, so one may be unlucky.
    $client->publish('busy', 'e', $_) for 1 .. 100;
    for my $way (sort keys %comes_back) {
        my $true = grep {
            $client->publish($_, 'e', 'quiet');
            brief(($comes_back{$way}->($client, $first, 1, $_))[0]) eq 'quiet';
        } map { channel('quiet') } 1 .. 7;
        cmp_ok $true, '>=', 5, "${how}$way: nor from an old id, if only others' messages are gone";
    }
    $client->publish('busy', 'e', $_) for 1 .. 10;
    for my $way (sort keys %comes_back) {
        my @said = $comes_back{$way}->($client, $first, 2, 'busy');
        is $said[0]{type}, 'gap', "${how}$way: a gap where messages are gone";
        is $said[1]{type}, 'message', "${how}$way: before what is left";
        is $said[0]{since}, $first, "${how}$way: since is the client's id";
        cmp_ok number_of($said[0]{oldest}), '<', number_of($said[1]{id}), "${how}$way: oldest is right before that";
    }
} $busy;
$busy->stop;

# Where history ends: by number, bytes, age; or Off.
sub ends_at {
    my ($lines, $code) = @_;
    my $one = server_with(RATES . $lines);
    $code->(WordSocket::Client->new($one));
    $one->stop;
    return;
}
ends_at("WordSocketHistory 1M 20 10m\n", sub {
    my ($client) = @_;
    my @ids = map { $client->publish('a', 'e', $_)->{json}{id} } 1 .. 200;
    for my $way (sort keys %comes_back) {
        is brief($comes_back{$way}->($client, $ids[179], 20, 'a')), join(' ', 181 .. 200), "$way: twenty messages can be had";
        is brief(($comes_back{$way}->($client, $ids[0], 1, 'a'))[0]), 'gap', "$way: two hundred cannot";
    }
});
ends_at("WordSocketHistory 64K 10000 10m\n", sub {
    my ($client) = @_;
    my @ids = map { $client->publish('a', 'e', "$_ " . 'x' x 1000)->{json}{id} } 1 .. 300;    # each its own: version 1 takes the same bytes in one ms for one
    for my $way (sort keys %comes_back) {
        my @said = $comes_back{$way}->($client, $ids[0], 2, 'a');
        is $said[0]{type}, 'gap', "$way: bytes have an end";
        my $left = number_of($ids[-1]) - number_of($said[0]{oldest});
        ok $left >= 32 && $left <= 200, "$way: 64K hold some of 1 KB" or diag $left;
        is scalar(grep { $_->{type} eq 'message' } $comes_back{$way}->($client, $said[0]{oldest}, $left, 'a')), $left,
            "$way: and oldest is right: from there all of it comes";
    }
});
ends_at("WordSocketHistory 1M 1000 2s\n", sub {
    my ($client) = @_;
    my $old = $client->publish('a', 'e', 'first')->{json}{id};
    $client->publish('a', 'e', 'old');
    is brief($comes_back{$_}->($client, $old, 1, 'a')), 'old', "$_: young messages can be had" for sort keys %comes_back;
    sleep 7;
    $client->publish('a', 'e', 'young');
    is brief($comes_back{$_}->($client, $old, 2, 'a')), 'gap young', "$_: old ones are gone" for sort keys %comes_back;
});
ends_at("WordSocketHistory Off\n", sub {
    my ($client) = @_;
    my $ws  = $client->socket(channels => ['a']);
    my $sse = $client->events(channels => ['a']);
    $sse->next_data(10, 'wps.open') or die "no wps.open\n";    # subscribed from here on: nothing older can be had
    my @ids = map { $client->publish('a', 'e', $_)->{json}{id} } 1 .. 50;
    is brief(map { { type => 'message', %$_ } } $_->messages(50)), join(' ', 1 .. 50), 'history off: who is connected gets everything' for $ws, $sse;
    $_->hang_up for $ws, $sse;
    for my $way (sort keys %comes_back) {
        is brief(($comes_back{$way}->($client, $ids[48], 1, 'a'))[0]), 'gap', "$way: what was missed is a gap";
        my @said = $way eq 'poll' ? $comes_back{$way}->($client, $ids[49], 1, 'a') : ();
        is_deeply \@said, [], "$way: from the newest id none" if $way eq 'poll';
    }
    $ws = $client->socket(channels => ['a'], since => $ids[49]);
    is_deeply [ until_marker($client, $ws, 'a') ], [], 'nothing was missed, so no gap';
    ok !grep({ $_->{type} eq 'gap' } fence($ws)), 'none at all';
    $ws->hang_up;
});

# Polls of a log that loses its end while it is read: whole answers, and a gap
# wherever something is missing.
ends_at("WordSocketHistory 16K 300 10m\n", sub {
    my ($client) = @_;
    my $writer = fork // die "fork: $!\n";
    if (!$writer) {
        my $end = time + 4;
        while (time < $end) {
            $client->publish_body($client->encode([ map { { channel => 'a', event => 'e', data => {} } } 1 .. 100 ]));
        }
        POSIX::_exit(0);
    }
    my $reader = WordSocket::Client->new($client->{server});
    my ($cursor, $broken, $holes, $gaps, $polls) = ($reader->poll(channels => ['a'])->{json}{cursor}, 0, 0, 0, 0);
    while (waitpid($writer, 1) == 0) {
        # Long enough for the log to lose what was not read, however slow httpd is.
        select undef, undef, undef, 0.6 if $polls == 3 || $polls == 9;
        my $json = $reader->poll(channels => ['a'], since => $cursor)->{json};
        $broken++, next if !$json;
        $polls++;
        my $at = number_of($cursor);
        for my $one (@{ $json->{messages} }) {
            if (($one->{type} // '') eq 'gap') {
                $gaps++;
                $at = number_of($one->{oldest});
                next;
            }
            $holes++ if number_of($one->{id}) != ++$at;
            $at = number_of($one->{id});
        }
        $holes++ if $at != number_of($json->{cursor});
        $cursor = $json->{cursor};
    }
    is "$broken $holes", '0 0', "polls against a flood: whole answers, no hole without a gap ($polls polls, $gaps gaps)";
    cmp_ok $gaps, '>', 0, 'and there were gaps';
});

# A large backlog to a slow reader: all of it, though it is many times what may
# wait in a queue.
ends_at("WordSocketHistory 8M 10000 10m\nWordSocketSendQueue 64K\nWordSocketSharedMemory 64M\n", sub {
    my ($plain) = @_;
    both {
        my ($client, $how) = @_;
        my $name  = channel();
        my $start = $client->poll->{json}{cursor};
        $client->publish_body($client->encode([ map { { channel => $name, event => 'e', data => { n => $_, x => 'x' x 2000 } } } $_ * 50 + 1 .. $_ * 50 + 50 ]))
            for 0 .. 29;
        my %reader = (
            WebSocket => $client->socket(receive_buffer => 4096),
            'event stream' => $client->events(receive_buffer => 4096, channels => [$name], since => $start),
        );
        $reader{WebSocket}->send_json({ type => 'subscribe', channels => [$name], since => $start });
        for my $what (sort keys %reader) {
            my @got;
            for my $turn (1 .. 10) {
                push @got, $reader{$what}->messages(15);
                sleep 0.1;
            }
            push @got, $reader{$what}->messages(1350, 30);
            is scalar(@got), 1500, "${how}$what: 3 MB of backlog arrive at a slow reader";
            is join(' ', map { $_->{data}{n} } @got), join(' ', 1 .. 1500), "${how}$what: in order";
            $reader{$what}->hang_up;
        }
        # By poll it takes several.
        my ($cursor, @got, $polls) = ($start);
        while (@got < 1500 && $polls++ < 10) {
            my $json = $client->poll(channels => [$name], since => $cursor)->{json};
            push @got, map { $_->{data}{n} } @{ $json->{messages} };
            $cursor = $json->{cursor};
        }
        is join(' ', @got), join(' ', 1 .. 1500), "${how}poll: in several answers";
        cmp_ok $polls, '>', 1, "${how}poll: $polls of them";
    } $plain->{server};
});

done_testing;
