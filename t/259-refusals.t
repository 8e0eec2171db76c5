# SPDX-License-Identifier: Apache-2.0
# Every refusal at a quota is counted, with its site: status page and metrics
# against the refusals that clients saw, within 1 %. So are presence and publish
# sockets.
use v5.30;
use warnings;
use lib 't/lib';
use HTTP::Tiny;
use Test::More;
use WordSocket::Client;
use WordSocket::Server;
use WordSocket::Tenants qw(tenant status_of site_status);

use constant MANY => 150;

my %limits = (
    publish  => { publish_rate => 1, publish_burst => 20 },
    browser  => { browser_rate => 1, browser_burst => 25 },
    each     => { connection_rate => 1, connection_burst => 15 },
    room     => { connections => 5 },
    address  => { address_connections => 4 },
    presence => { max_channels => 10, connection_burst => 1000, browser_burst => 1000 },
    quiet    => {},
);
my %site = map { $_ => tenant($_, limits => $limits{$_}) } keys %limits;
my $server = WordSocket::Server->new(children => 2, sites => [ map { $site{$_} } sort keys %site ], vhost_lines => <<'END')->start;
<Location "/metrics">
    SetHandler wordsocket-metrics
</Location>
END
my %client = map { $_ => WordSocket::Client->new($server, site => $site{$_}) } keys %site;

sub metrics { return { HTTP::Tiny->new->get('http://' . $server->address . '/metrics?sites=100')->{content} =~ /^(wordsocket_\S+) (\d+)$/mg } }

sub near {
    my ($truth, $got, $name) = @_;
    return cmp_ok abs($got - $truth), '<=', $truth / 100, "$name: $got, in truth $truth";
}

# What an act, which returns the refusals it saw, adds to a counter, to its
# metric, and to what its site and nobody else was refused.
sub counts {
    my ($name, $counter, $metric, $site, $act) = @_;
    my ($status, $metrics) = (status_of($server), metrics());
    my %before = map { $_ => site_status($server, $site{$_}) } keys %site;
    my $truth = $act->();
    cmp_ok $truth, '>', MANY / 2, "$name: many are refused";
    $server->wait_for(10, sub { status_of($server)->{counters}{$counter} - $status->{counters}{$counter} >= $truth });
    my ($now, $now_metrics) = (status_of($server), metrics());
    near($truth, $now->{counters}{$counter} - $status->{counters}{$counter}, "$name, $counter");
    near($truth, $now_metrics->{"wordsocket_$metric"} - $metrics->{"wordsocket_$metric"}, "$name, $metric");
    near($truth, $now->{totals}{refused} - $status->{totals}{refused}, "$name, in the sum");
    for my $other (sort keys %site) {
        my $is = site_status($server, $site{$other});
        for my $figure (qw(refused limited)) {
            near($other eq $site ? $truth : 0, $is->{$figure} - $before{$other}{$figure}, "$name, $figure of $other");
            near($is->{$figure}, $now_metrics->{qq(wordsocket_site_${figure}_total{site="$site{$other}{site_key}"})}, '... in metrics');
        }
    }
    return;
}

# How often a socket hears this error, until it hears an answer to what it asks
# last.
sub errors {
    my ($ws, $code) = @_;
    my $n = 0;
    $ws->send_json({ type => 'unsubscribe', channels => ['nowhere'] });
    while (my $said = $ws->message(10)) {
        return $n if $said->{type} eq 'unsubscribed';
        $n++ if $said->{type} eq 'error' && $said->{code} eq $code;
    }
    die "no answer\n";
}

counts('signed publishes', 'publish_limited', 'publish_limited_total{source="publisher"}', 'publish', sub {
    return scalar grep { $client{publish}->publish('room', 'e', $_)->{status} == 429 } 1 .. MANY;
});

sub writes {
    my ($site) = @_;
    my $ws = $client{$site}->socket;
    $ws->send_json({ type => 'message', channel => 'room', event => 'e', data => $_ }) for 1 .. MANY;
    return errors($ws, 'rate_limited');
}
counts('messages of a site', 'browser_limited', 'publish_limited_total{source="browser"}', 'browser', sub { writes('browser') });
counts('messages of a connection', 'browser_limited', 'publish_limited_total{source="browser"}', 'each', sub { writes('each') });

sub opens {
    my ($site) = @_;
    my @held = map { $client{$site}->socket } 1 .. MANY;
    my $refused = grep { eval { $_->send_json({ type => 'unsubscribe', channels => [] }); !$_->message(10) } // 1 } @held;
    $_->hang_up for @held;
    return $refused;
}
for my $site (qw(room address)) {
    counts("connections at the cap of $site", 'refused_limit', 'handshakes_rejected_total{reason="limit"}', $site, sub { opens($site) });
    ok $server->wait_for(10, sub { site_status($server, $site{$site})->{connections} == 0 }), '... all are gone';
}

# --- presence -------------------------------------------------------------------------

my $before = status_of($server)->{counters};
counts('presences at a bound', 'presence_full', 'presences_rejected_total', 'presence', sub {
    my $ws = $client{presence}->socket;
    $ws->send_json({ type => 'presence', channel => "room:$_", state => { n => $_ } }) for 1 .. MANY;
    my $refused = errors($ws, 'presence_full');
    $ws->hang_up;
    return $refused;
});
is status_of($server)->{counters}{presence} - $before->{presence}, 10, 'those that were entered are counted, too';

# The list that a watcher is given first is counted, too.
$before = status_of($server)->{counters};
my $watcher = $client{quiet}->socket(channels => ['room']);
$watcher->{watches} = 1;
my $member = $client{quiet}->socket;
my $heard = 0;
$member->send_json({ type => 'presence', channel => 'room', state => { n => $_ } }) for 1 .. 8;
while (my $said = $watcher->message(10)) {
    $heard++ if ($said->{event} // '') eq 'wps.presence';
    last if WordSocket::Client->encode($said) =~ /"n":8/;
}
ok $heard, 'who watches hears of presence';
near(8, status_of($server)->{counters}{presence} - $before->{presence}, 'changes of presence');
near($heard, status_of($server)->{counters}{delivered_presence} - $before->{delivered_presence}, 'and what was heard of them');
near($heard, metrics()->{'wordsocket_messages_delivered_total{kind="presence"}'} - $before->{delivered_presence}, '... in metrics');

# --- publish sockets --------------------------------------------------------------------

my @publishers = map {
    WordSocket::Frames->connect(path => '/publisher',
        headers => { $client{quiet}->signed_headers_v2('', method => 'GET', path => '/publisher') }, $client{quiet}->connect_options)
} 1 .. 3;
ok $server->wait_for(10, sub { status_of($server)->{transports}{publisher} == 3 }), 'publish sockets are told from others';
is_deeply status_of($server)->{transports}{event_stream}, 0, '... from event streams';
is metrics()->{'wordsocket_connections{transport="publisher"}'}, 3, '... in metrics';
is metrics()->{'wordsocket_connections_opened_total{transport="publisher"}'}, 3, '... also as opened';
$before = status_of($server)->{counters};
for my $n (1 .. 40) {
    $publishers[0]->send_json({ channel => 'room', event => 'e', data => $n });
    WordSocket::Client->decode($publishers[0]->receive(10)->{payload})->{ok} or die "not taken\n";
}
is status_of($server)->{counters}{published} - $before->{published}, 40, 'what comes through one is counted';
$_->hang_up for @publishers;
ok $server->wait_for(10, sub { status_of($server)->{transports}{publisher} == 0 }), 'they end';
is metrics()->{wordsocket_publish_sockets_closed_total}, 3, '... and are counted as ended';
is status_of($server, '?check')->{segment}{whole}, JSON::PP::true, 'the segment is whole';

$server->stop;
done_testing;
