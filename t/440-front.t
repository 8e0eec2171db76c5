# SPDX-License-Identifier: Apache-2.0
# Behind another httpd: through its tunnels and its HTTP proxy, with the address
# of the client, not the front's.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Client;
use WordSocket::Frames;
use WordSocket::Server;
use WordSocket::Tenants;

my $back = WordSocket::Server->new(lines => <<'END', more_vhosts => <<'HOST')->start;
WordSocketPing 1s
WordSocketAddressConnections 2
RemoteIPHeader X-Forwarded-For
RemoteIPInternalProxy 127.0.0.1
END
Listen 127.0.0.3:@Port@
<VirtualHost 127.0.0.3:@Port@>
    ServerName proxied.example
    RemoteIPProxyProtocol On
</VirtualHost>
HOST

# The front cuts what says nothing for three seconds.
my $to = "127.0.0.1:$back->{port}$back->{path}";
my $front = WordSocket::Server->new(without => ['wordsocket'], modules => ['lbmethod_byrequests', 'proxy_balancer', 'slotmem_shm'],
    lines => <<"END")->start;
Timeout 3
ProxyPass "/upgrade/" "http://$to/" upgrade=websocket
ProxyPass "/tunnel/ws" "ws://$to/ws"
ProxyPass "/tunnel/" "http://$to/"
<Proxy "balancer://back">
    BalancerMember "http://$to" upgrade=websocket
</Proxy>
ProxyPass "/balanced/" "balancer://back/"
END

# A client of the front, under one of its paths.
sub through {
    my ($path, %option) = @_;
    my $view = bless { %$front, path => "/$path" }, ref $front;
    return WordSocket::Client->new($view, site => $back->site, %option);
}

my $direct = WordSocket::Client->new($back);
for my $path (qw(tunnel upgrade balanced)) {
    for my $tls (0, 1) {
        my $client = through($path, tls => $tls);
        my $what = $path . ($tls ? ', TLS' : '');
        my $ws = $client->socket(channels => ['events']);
        ok $ws->{subscribed}, "$what: a socket through the front";
        my $sse = $client->events;
        is $sse->header('Content-Type'), 'text/event-stream', "$what: a stream";
        for my $round (1 .. 3) {
            my $begun = time;
            is $client->publish('events', 'said', "round $round")->{status}, 200, "$what: publish";
            is(($_->messages(1, 3))[0]{data}, "round $round", "$what: it comes") for $ws, $sse;
            cmp_ok time - $begun, '<', 2, "$what: while it is open";
        }
        $ws->send_json({ type => 'message', channel => 'events', event => 'said', data => 'x' x 50_000 });
        is length(($_->messages(1))[0]{data}), 50_000, "$what: a large message up and down" for $ws, $sse;
        $_->hang_up for $ws, $sse;
        ok connections_are($back, 0), "$what: who leaves the front leaves us";
    }
}

# --- silence -------------------------------------------------------------------------

{
    my $ws  = through('tunnel')->socket(channels => ['events']);
    my $sse = through('upgrade')->events(from => '127.0.5.7');
    # Pings are answered, as a browser does, and nothing else is said.
    ok !$ws->message(5, 'message'), 'five quiet seconds, for a front that cuts after three';
    $direct->publish('events', 'said', 'still there');
    is(($_->messages(1))[0]{data}, 'still there', 'are held by pings') for $ws, $sse;
    $_->hang_up for $ws, $sse;
    ok connections_are($back, 0), 'both are gone';
}

# --- addresses -----------------------------------------------------------------------

my $client = through('upgrade');
my @held = map { $client->socket(channels => ['events'], from => '127.0.5.1') } 1, 2;
is $client->socket(from => '127.0.5.1')->close_code, 4029, 'two of an address, and the third through the front is refused';
is $client->events(from => '127.0.5.1', status => 429)->{status}, 429, 'as a stream too';
push @held, map { $client->socket(channels => ['events'], from => '127.0.5.2') } 1, 2;
ok $held[3]{subscribed}, 'another address has its own two';
$_->hang_up for @held;
ok connections_are($back, 0), 'all are gone';

# Whoever is no proxy of ours cannot choose an address.
@held = map { $direct->socket(channels => ['events'], from => '127.0.9.9', headers => { 'X-Forwarded-For' => "192.0.2.$_" }) } 1, 2;
is $direct->socket(from => '127.0.9.9', headers => { 'X-Forwarded-For' => '192.0.2.3' })->close_code, 4029,
    'a header of a stranger is not believed';
$_->hang_up for @held;

# The PROXY protocol's filter is known: connections are taken over behind it.
sub proxied {
    my ($address, $early) = @_;
    my $ws = WordSocket::Frames->open_wire(host => '127.0.0.3', port => $back->{port});
    my $head = join "\r\n", "PROXY TCP4 $address 127.0.0.3 40000 80",
        "GET $back->{path}/ws?" . WordSocket::Client::query(token => $direct->token) . ' HTTP/1.1', 'Host: proxied.example',
        'Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: ' . WordSocket::Frames::KEY, '', '';
    is $ws->exchange($head . ($early // '')), 101, "PROXY protocol from $address: a socket";
    return $ws;
}
@held = map { proxied('192.0.2.1', WordSocket::Frames::frame(payload => '{"type":"subscribe","channels":["events"]}')) } 1, 2;
is $_->message->{type}, 'subscribed', 'with a frame behind the handshake' for @held;
is proxied('192.0.2.1')->close_code, 4029, 'and the address it told is what is counted';
push @held, proxied('192.0.2.2');
$_->hang_up for @held;

# --- the back restarts -----------------------------------------------------------------

my $ws = $client->socket(channels => ['events'], from => '127.0.5.3');
my $sse = $client->events(from => '127.0.5.4');
ok $back->graceful, 'the back reloads';
my $after = $client->socket(channels => ['events']);
ok $after->{subscribed}, 'the front finds the new children';
is $client->publish('events', 'after', {})->{status}, 200, 'which publish';
is join(' ', map { ($_->messages(1, 10))[0]{event} // 'nothing' } $ws, $sse, $after), 'after after after',
    'and go on with the sockets and streams behind the front';

$front->stop;
$back->stop;
done_testing;
