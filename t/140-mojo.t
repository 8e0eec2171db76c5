# SPDX-License-Identifier: Apache-2.0
# A client that is not ours: Mojo::UserAgent, a hundred connections at once in
# one event loop. It offers compression, which has to be declined, not obeyed.
use v5.30;
use warnings;
use lib 't/lib';
use Mojo::IOLoop;
use Mojo::UserAgent;
use Test::More;
use WordSocket::Client;
use WordSocket::Server;

my $server = WordSocket::Server->shared;

sub agent {
    return Mojo::UserAgent->new(insecure => 1, inactivity_timeout => 20,
        connect_timeout => 20, max_connections => 0);
}

# Run the loop until so many have called back, or 30 s have passed.
sub until_done {
    my ($count, $begin) = @_;
    my $left = $count;
    my $timer = Mojo::IOLoop->timer(30 => sub { Mojo::IOLoop->stop });
    $begin->(sub { Mojo::IOLoop->stop if !--$left });
    Mojo::IOLoop->start;
    Mojo::IOLoop->remove($timer);
    return $count - $left;
}

for my $tls (0, 1) {
    my $client = WordSocket::Client->new($server, tls => $tls);
    my $kind = $tls ? 'wss' : 'ws';
    my $base = $client->url('');
    my $ws_base = $base =~ s/^http/ws/r;
    my $ua = agent();
    my $many = $tls ? 40 : 100;    # handshakes in Perl take their time

    # --- echo, five times each ------------------------------------------------
    my (%echoed, @codes);
    until_done($many, sub {
        my ($done) = @_;
        for my $i (1 .. $many) {
            $ua->websocket("$ws_base/echo" => sub {
                my (undef, $tx) = @_;
                return $done->() if !$tx->is_websocket;
                $tx->on(finish => sub { push @codes, $_[1]; $done->() });
                $tx->on(message => sub {
                    my (undef, $text) = @_;
                    $echoed{$i}++ if $text eq "\x{2603} $i " . ($echoed{$i} // 0);
                    ($echoed{$i} // 0) < 5
                        ? $tx->send("\x{2603} $i " . ($echoed{$i} // 0)) : $tx->finish(1000);
                });
                $tx->send("\x{2603} $i 0");
            });
        }
    });
    is scalar(grep { $_ == 5 } values %echoed), $many, "$kind: $many echo five times each";
    is scalar(grep { $_ == 1000 } @codes), $many, "$kind: and close with 1000";

    # --- the handshake, with compression offered --------------------------------
    my $tx = $ua->build_websocket_tx("$ws_base/echo", { 'Sec-WebSocket-Extensions' => 'permessage-deflate' });
    my $answer;
    until_done(1, sub { my ($done) = @_; $ua->start($tx => sub { $answer = $_[1]; $done->() }) });
    is $answer->res->code, 101, "$kind: the upgrade is answered";
    is $answer->res->headers->sec_websocket_extensions, undef, "$kind: compression is declined";

    # --- a message to sockets and streams ----------------------------
    my (%heard, %subscribed);
    my $total = $many;
    my $published = 0;
    my $token = $client->token;
    my $publish = sub {
        return if keys %subscribed < $total || $published++;
        $client->publish('events', 'demo', { text => "caf\x{e9}" });
    };
    until_done($total, sub {
        my ($done) = @_;
        for my $i (1 .. $total / 2) {
            $ua->websocket("$ws_base/ws?token=$token" => sub {
                my (undef, $socket) = @_;
                return $done->() if !$socket->is_websocket;
                $socket->on(json => sub {
                    my (undef, $message) = @_;
                    if ($message->{type} eq 'subscribed') {
                        $subscribed{"ws $i"} = 1;
                        $publish->();
                    }
                    return if $message->{type} ne 'message' || $message->{event} =~ /\Awps\./;
                    $heard{"ws $i"} = $message->{data}{text};
                    $socket->finish;
                    $done->();
                });
                $socket->send({ json => { type => 'subscribe', channels => ['events'] } });
            });
            my $stream = $ua->build_tx(GET => "$base/sse?token=$token&channels=events");
            my $text = '';
            $stream->res->content->unsubscribe('read')->on(read => sub {
                my (undef, $bytes) = @_;
                $text .= $bytes;
                $subscribed{"sse $i"} = 1;
                $publish->();
                return if $heard{"sse $i"} || $text !~ /^data: (\{.*"demo".*\})$/m;
                $heard{"sse $i"} = WordSocket::Client->decode($1)->{data}{text};
                $done->();
            });
            $ua->start($stream => sub { });
        }
    });
    is scalar(grep { $_ eq "caf\x{e9}" } values %heard), $total, "$kind: $total sockets and streams hear a publish"
        or diag join ', ', map { "$_: $heard{$_}" } sort keys %heard;
    undef $ua;
}

$server->stop;
done_testing;
