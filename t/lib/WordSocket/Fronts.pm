# SPDX-License-Identifier: Apache-2.0
# What every front has to let through, as one list of checks.
#
#   my ($relay, $mute) = relays();      # the second one never pings
#   my @held = hold('nginx', $client, socket => 1);
#   ... the same for other fronts ...
#   silence(@held);
#   woken($_) for @held;
package WordSocket::Fronts;
use v5.30;
use warnings;
use Exporter qw(import);
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Client;
use WordSocket::Front qw(example);
use WordSocket::Sanitizer;
use WordSocket::Server;
use WordSocket::Tenants;

our @EXPORT = qw(relays hold silence woken ended_by_front lets_no_socket_through addresses on_host logged_addresses QUIET_S);

use constant QUIET_S => 5;    # the fronts' clocks are set to less than half
my $at_once = WordSocket::Sanitizer::slowness();    # seconds; 1, but for tools

# A relay that pings every second, and one that never does; for each the sides
# that the examples want of them.
sub relays {
    my (%more) = @_;
    return map {
        WordSocket::Server->new(children => 1, more_vhosts => $more{vhosts} // '',
            lines => "WordSocketPing $_\nWordSocketAddressConnections 2\n"
                . example('relay-remoteip.conf', FRONT => '127.0.0.1') . <<'LINES')->start;
LogFormat "%a %>s %U" addresses
CustomLog logs/addresses addresses
LINES
    } qw(1s 3600s);
}

sub logged_addresses { WordSocket::Server::slurp("$_[0]{root}/logs/addresses") }

# Every connection from an address of its own: the relays allow two of one.
sub next_address { state $n = 0; $n++; return '127.0.6.' . $n }

# A socket, if the front lets one pass, and a stream, on a channel of their own,
# both of which work. The first byte of a stream, and of a message on it, takes less than a second.
sub hold {
    my ($what, $client, %option) = @_;
    my @more = $option{host} ? (headers => { Host => $option{host} }) : ();
    state $channels = 0;
    my $channel = 'front-' . ++$channels;
    my %held = (what => $what, client => $client, channel => $channel, %option);
    my $begun = time;
    $held{sse} = $client->events(channels => [$channel], from => next_address(), @more);
    my $open = $held{sse}->next_data(5, 'wps.open');
    cmp_ok time - $begun, '<', $at_once, "$what: the first bytes of a stream come at once";
    $held{stream} = WordSocket::Client::decode($open->{data})->{stream};
    is $held{sse}->header('Content-Type'), 'text/event-stream', "$what: of a stream";
    if ($option{socket}) {
        $held{ws} = $client->socket(channels => [$channel], from => next_address(), @more);
        ok $held{ws}{subscribed}, "$what: a socket through the front";
    }
    return \%held if $option{mute};
    for my $round (1 .. 3) {
        my $sent = time;
        is say_through(\%held, "round $round"), 200, "$what: publish";
        is heard($held{$_}), "round $round", "$what: heard by $_" for all_of(\%held);
        cmp_ok time - $sent, '<', $at_once, "$what: within a second";
    }
    return \%held;
}

sub all_of { grep { $_[0]{$_} } qw(ws sse) }
sub heard  { (($_[0]->messages(1, 5))[0] // {})->{data} }

# A signed publish through the front; HTTP::Tiny has its own mind on Host.
sub say_through {
    my ($held, $data) = @_;
    return on_host($held->{client}, $held->{host} // '127.0.0.1', $data, $held->{channel})->{status};
}

sub on_host {
    my ($client, $host, $data, $channel) = @_;
    my $body = WordSocket::Client::encode({ channel => $channel // 'events', event => 'said', data => $data });
    my %head = (Host => $host, 'Content-Type' => 'application/json', 'Content-Length' => length $body,
        Connection => 'close', $client->signed_headers_v2($body));
    my $answer = $client->raw(join("\r\n", "POST $client->{server}{path}/publish HTTP/1.1",
        (map { "$_: $head{$_}" } sort keys %head), '', $body));
    $answer->{wire}->hang_up;
    return $answer;
}

# Nobody says a thing for so long; sockets answer pings, as a browser does.
sub silence {
    my (@held) = @_;
    my $end = time + QUIET_S;
    while (time < $end) {
        for my $held (grep { $_->{ws} && !$_->{mute} } @held) {
            ok !$held->{ws}->message(0.05, 'message'), "$held->{what}: silence" if !$held->{ws}{ended};
        }
        sleep 0.1;
    }
    return;
}

# After it: down, up and across; and who leaves the front leaves the relay.
sub woken {
    my ($held) = @_;
    my ($what, $client) = @$held{qw(what client)};
    is say_through($held, 'awake'), 200, "$what: publish after the silence";
    is heard($held->{$_}), 'awake', "$what: heard by $_, which the pings kept" for all_of($held);
    is up_by_stream($held), 200, "$what: a stream's client sends";
    is heard($held->{$_}), 'from below', "$what: heard by $_" for all_of($held);
    if ($held->{ws}) {
        $held->{ws}->send_json({ type => 'message', channel => $held->{channel}, event => 'said', data => 'up' x 20_000 });
        is length heard($held->{$_}), 40_000, "$what: a socket's large message, heard by $_" for all_of($held);
    }
    $held->{ws}->hang_up if $held->{ws};
    $held->{sse}->reset_hard;    # others leave in peace
    return;
}

sub up_by_stream {
    my ($held) = @_;
    my $client = $held->{client};
    my $body = qq({"type":"message","channel":"$held->{channel}","event":"said","data":"from below"});
    my %head = (Host => $held->{host} // '127.0.0.1', 'Content-Type' => 'application/json',
        'Content-Length' => length $body, Connection => 'close',
        Authorization => 'Bearer ' . $client->token, 'X-WordSocket-Stream' => $held->{stream});
    my $answer = $client->raw(join("\r\n", "POST $client->{server}{path}/send HTTP/1.1",
        (map { "$_: $head{$_}" } sort keys %head), '', $body));
    $answer->{wire}->hang_up;
    return $answer->{status};
}

# The proof that the silence was long enough for this front: without pings it
# has ended what was silent.
sub ended_by_front {
    my ($held) = @_;
    for (all_of($held)) {
        $held->{$_}->take_all(0.2);
        ok $held->{$_}{ended}, "$held->{what}: without pings $_ was ended by the front";
    }
    return;
}

# A front that eats Upgrade: a clear answer, and one that a client takes for
# "use the stream".
sub lets_no_socket_through {
    my ($what, $client) = @_;
    my $refused = WordSocket::Frames->connect($client->connect_options,
        path => '/ws?' . WordSocket::Client::query(token => $client->token), status => 426);
    is $refused->{status}, 426, "$what: no socket comes through, and the relay says so";
    $refused->hang_up;
    my $plain = $client->get('/ws?' . WordSocket::Client::query(token => $client->token));
    is "$plain->{status} $plain->{json}{error}", '426 upgrade_required', "$what: in words too";
    return;
}

# The client's address is what is counted, and what is logged; a client cannot
# choose it.
sub addresses {
    my ($what, $relay, $client, %option) = @_;
    state $net = 0;
    my ($one, $two) = map { '127.0.' . (20 + $net++) . '.1' } 1, 2;
    my $from = sub {
        state $forged = 0;
        my ($address, %more) = @_;
        return (from => $address, headers => { 'X-Forwarded-For' => '192.0.2.' . ++$forged,
            $option{host} ? (Host => $option{host}) : () }, %more);
    };
    my @held = map { $client->events($from->($one)) } 1, 2;
    is $client->events($from->($one, status => 429))->{status}, 429, "$what: two of an address, and no third";
    is $client->socket($from->($one))->close_code, 4029, "$what: not by a socket either" if $option{socket};
    push @held, $client->events($from->($two));
    is $held[2]{status}, 200, "$what: another address has its own two";
    $_->hang_up for @held;
    ok $relay->wait_for(5, sub { logged_addresses($relay) =~ m{^\Q$one\E 200 /wordsocket/sse$}m }), "$what: it is in the log";
    like $relay->log_text, qr{\[client \Q$one\E(?::\d+)?\] WSK0101 refused: connection_limit}, "$what: and in the line of the refusal";
    unlike logged_addresses($relay), qr{^192\.0\.2\.}m, "$what: a forged one is not";
    return;
}

1;
