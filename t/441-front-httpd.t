# SPDX-License-Identifier: Apache-2.0
# Behind httpd, by the examples httpd-wstunnel.conf, httpd-upgrade.conf and
# httpd-balancer.conf. What a front of this kind does in all is t/440-front.t.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Front qw(example shortened);
use WordSocket::Fronts;
use WordSocket::Server;
use WordSocket::Tenants;

my ($relay, $mute) = relays();

# One httpd for all of them: a host on an address of its own for each example,
# to the relay that pings and to the one that does not. Silent for two seconds
# is silent.
my @example = qw(httpd-wstunnel.conf httpd-upgrade.conf);
my %at;
my ($hosts, $hosts_count) = ('', 0);
for my $name (@example) {
    for my $to ($relay, $mute) {
        my $address = '127.0.8.' . ++$hosts_count;
        $at{$name}{ $to->{port} } = $address;
        my $text = example($name, RELAY => "127.0.0.1:$to->{port}", LOG => 'logs/relay');
        $hosts .= "Listen $address:\@Port\@\n<VirtualHost $address:\@Port\@>\nServerName front.example\n$text</VirtualHost>\n";
    }
}
$hosts .= shortened(example('httpd-balancer.conf', LISTEN => '127.0.0.1:@Port@', LOG => 'logs/relay',
    RELAY => "127.0.0.1:$relay->{port}", RELAY2 => "127.0.0.1:$mute->{port}"), 'retry=60', 'retry=1');
my $front = WordSocket::Server->new(without => ['wordsocket'], threads => 32, more_vhosts => $hosts,
    modules => [qw(lbmethod_byrequests proxy_balancer slotmem_shm)], lines => "Timeout 2\n")->start;
$front->announce(qr/AH01110: error reading response/);          # without pings
$front->announce(qr/AH00957: .* attempt to connect|AH00959: .* disabling worker|AH01114: .* failed to make connection/);

sub client { WordSocket::Client->new($front, site => $relay->site, @_) }

# --- one relay --------------------------------------------------------------------------

my (@held, @ended);
for my $name (@example) {
    my ($client, $deaf) = map { client(host => $at{$name}{ $_->{port} }) } $relay, $mute;
    addresses($name, $relay, $client, socket => 1);
    push @held,  hold($name, $client, socket => 1);
    push @ended, hold($name, $deaf, socket => 1, mute => 1);
}

# --- two --------------------------------------------------------------------------------

my $balanced = client();
addresses('balancer', $relay, $balanced, socket => 1, host => 'one.example');
push @held,  hold('balancer', $balanced, socket => 1, host => 'one.example');
push @ended, hold('balancer', $balanced, socket => 1, host => 'two.example', mute => 1);
silence(@held, @ended);
ended_by_front($_) for @ended;
ok connections_are($mute, 0), 'and the relay knows';
woken($_) for @held;
ok connections_are($relay, 0), 'who leaves the front leaves the relay';

my @at_home = (channels => ['events'], headers => { Host => 'one.example' });
my $ws = $balanced->socket(@at_home);
on_host(WordSocket::Client->new($mute), 'one.example', 'past the front');
on_host($balanced, 'two.example', 'for the other half');
on_host($balanced, 'one.example', 'through the front');
is(($ws->messages(1))[0]{data}, 'through the front', 'what is published at the other relay is not heard');

$relay->stop;
ok defined $ws->close_code(5), 'a relay that goes takes its sockets along';
my $away;
ok $mute->wait_for(10, sub { $away = eval { $balanced->socket(@at_home, since => $ws->{subscribed}{id}) } }),
    'the client comes back, to the other relay';
is $away->message(5)->{type}, 'gap', 'and is told of a gap';
is on_host($balanced, 'one.example', 'from the other')->{status}, 200, 'publishes go there too';
is join(', ', map { $_->{data} } $away->messages(3)), 'past the front, for the other half, from the other', 'and are heard';

# The first is back, and has been asked again; the other is told to send its
# clients home, as the example says.
ok $relay->try_start, 'the relay is back';
$ws->hang_up;
ok $front->wait_for(10, sub {
    $away->send_text('{"type":"pong"}');    # this relay does not ping
    my $before = counter($relay, 'published');
    on_host($balanced, 'one.example', 'home?', 'elsewhere');
    counter($relay, 'published') > $before;
}), 'publishes go to it again';
$mute->signal('HUP');    # a restart; a reload would go on with them
is $away->message(10, 'reconnect')->{type}, 'reconnect', 'its clients are told to come back';
my $home = $balanced->socket(@at_home);
on_host($balanced, 'one.example', 'at home');
is(($home->messages(1, 10 * WordSocket::Sanitizer::slowness()))[0]{data}, 'at home', 'and hear what is published again');
$home->hang_up;

# --- logs -------------------------------------------------------------------------------

my $log = WordSocket::Server::slurp("$front->{root}/logs/relay");
like $log, qr{"GET /wordsocket/ws HTTP/1\.1" 101 }, 'the front logs what went to the relay';
ok $log . $front->log_text !~ /token=/, 'without the token';
$front->stop;
$_->stop for $relay, $mute;
done_testing;
