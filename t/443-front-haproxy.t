# SPDX-License-Identifier: Apache-2.0
# Behind HAProxy, by the example haproxy.conf: two relays that share nothing, a
# site on one of them at a time, and TLS passed through with the PROXY protocol.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Front qw(example shortened);
use WordSocket::Fronts;
use WordSocket::Tenants;

# Each relay has a port more, for what comes by the PROXY protocol.
my ($relay, $mute) = relays(vhosts => <<'HOST' . example('relay-proxy-protocol.conf') . "</VirtualHost>\n");
Listen 127.0.0.3:@wsk_tls_port@
<VirtualHost 127.0.0.3:@wsk_tls_port@>
    ServerName 127.0.0.1
    SSLEngine On
    SSLCertificateFile "@wsk_certificate@"
HOST

my $front = WordSocket::Front->haproxy(sub {
    my ($at, $tls) = @_;
    return shortened(example('haproxy.conf', LISTEN => $at, LISTEN_TLS => $tls,
        RELAY => "127.0.0.1:$relay->{port}", RELAY2 => "127.0.0.1:$mute->{port}",
        RELAY_TLS => "127.0.0.3:$relay->{tls_port}"), '65s', '2s');
});
my $client = WordSocket::Client->new($front, site => $relay->site);
my $passed = WordSocket::Client->new($front, site => $relay->site, tls => 1);

# --- a site's name is its relay ---------------------------------------------------------

sub home_of {
    my ($host) = @_;
    my $before = counter($relay, 'published');
    is on_host($client, $host, 'where?', 'elsewhere')->{status}, 200, "publish for $host";
    return counter($relay, 'published') > $before ? 'first' : 'second';
}
my %home = map { $_ => home_of($_) } map { "site$_.example" } 1 .. 8;
my %host = reverse %home;
is join(' ', sort keys %host), 'first second', 'sites are spread over both relays by their names';
is home_of($_), $home{$_}, "$_ stays where it is" for sort keys %home;
is home_of(uc $host{$_}), $_, "however it is spelled, on the $_" for sort keys %host;

# --- what passes, and what silence does --------------------------------------------------

# Only one of the two relays pings.
addresses('HAProxy', $relay, $client, socket => 1, host => $host{first});
addresses('PROXY protocol', $relay, $passed, socket => 1);
my @held = (hold('HAProxy', $client, socket => 1, host => $host{first}),
    hold('PROXY protocol, TLS to the relay', $passed, socket => 1));
my $ended = hold('HAProxy', $client, socket => 1, host => $host{second}, mute => 1);
silence(@held, $ended);
ended_by_front($ended);
ok connections_are($mute, 0), 'and the relay knows';
woken($_) for @held;
ok connections_are($relay, 0), 'who leaves the front leaves the relay';

# --- one relay goes, and comes back -------------------------------------------------------

my @at_home = (channels => ['events'], headers => { Host => $host{first} });
my $ws = $client->socket(@at_home);
on_host(WordSocket::Client->new($mute), $host{first}, 'past the front');
on_host($client, $host{first}, 'through the front');
is(($ws->messages(1))[0]{data}, 'through the front', 'what is published at the other relay, past the front, is not heard');

$relay->stop;
ok defined $ws->close_code(5), 'a relay that goes takes its sockets along';
my $away;
ok $mute->wait_for(10, sub { $away = eval { $client->socket(@at_home, since => $ws->{subscribed}{id}) } }),
    'the client comes back, to the other relay';
is $away->message(5)->{type}, 'gap', 'and is told of a gap';
on_host($client, $host{first}, 'from the other');
is join(', ', map { $_->{data} } $away->messages(2)), 'past the front, from the other', 'gets what that one has, and what comes';

ok $relay->try_start, 'the relay is back';
ok defined $away->close_code(15), 'who was on the other one is sent home';
my $home = $client->socket(@at_home);
on_host($client, $host{first}, 'at home');
is(($home->messages(1))[0]{data}, 'at home', 'where publishes are heard again');
$home->hang_up;

# Its log is on, so that the one without tokens says something.
is $client->{http}->get($front->root_url . '/elsewhere')->{status}, 503, 'what is not for the relay';
my $logged = qr{ 503 .*"GET /elsewhere };
$relay->wait_for(5, sub { $front->said =~ $logged });    # it answers first
like $front->said, $logged, 'is logged';
unlike $front->said, qr{/wordsocket/}, 'what is for the relay is not';
$front->stop;
$_->stop for $relay, $mute;
done_testing;
