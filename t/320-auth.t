# SPDX-License-Identifier: Apache-2.0
# Tokens over time: refreshed in-band, narrowed, refused, run out.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Talk;

my $site   = WordSocket::Server::default_site();
my $second = { %$site, site_key => 'second', publish_secret => 'p2', jwt_secret => [ 'new', 'old' ] };
my $server = server_with('', sites => [ $site, $second ]);

# A refresh: more life, other rights.
both {
    my ($client, $how) = @_;
    my ($keep, $drop, $drop2) = map { channel($_) } qw(keep drop drop);
    my $ws  = $client->socket(channels => [ $keep, $drop, $drop2 ]);
    my $exp = int(time) + 200;
    $ws->send_json({ type => 'auth', token => $client->token(exp => $exp) });
    is_deeply [ fence($ws) ], [ { type => 'auth_ok', exp => $exp } ], "${how}a refresh with the same rights is answered by its exp";
    $ws->send_json({ type => 'auth', token => $client->token(exp => $exp, user_id => 1) });
    is_deeply [ fence($ws) ], [ { type => 'auth_ok', exp => $exp } ], "${how}the number of a user is the same as its text";

    $ws->send_json({ type => 'auth', token => $client->token(exp => $exp + 1,
        allowed_channel_prefixes => [ $client->qualified('keep'), $client->qualified('more') ],
        allowed_publish_prefixes => [ $client->qualified('keep') ]) });
    my @said = fence($ws);
    is_deeply [ sort map { @{ $_->{channels} } } grep { $_->{type} eq 'unsubscribed' } @said ], [ sort $drop, $drop2 ],
        "${how}what the new token does not allow is dropped, and told";
    is_deeply [ grep { $_->{type} ne 'unsubscribed' } @said ], [ { type => 'auth_ok', exp => $exp + 1 } ], "${how}beside auth_ok";
    $client->publish($_, 'e', {}) for $drop, $drop2;
    is_deeply [ until_marker($client, $ws, $keep) ], [], "${how}what was dropped is not delivered, what was kept is";
    for my $channel ($drop, $keep) {
        $ws->send_json({ type => 'message', channel => $channel, event => 'e', data => {}, ref => 1 });
    }
    is $ws->message(undef, 'error')->{code} . ' ' . $ws->message(undef, 'ack')->{type}, 'publish_forbidden ack',
        "${how}sending is narrowed, too";
    $ws->send_json({ type => 'subscribe', channels => [ $drop, 'more.1' ] });
    is_deeply $ws->message(undef, 'subscribed')->{channels}, ['more.1'], "${how}and what is new may be subscribed to";
    $ws->hang_up;
} $server;

# Tokens that are refused, in-band and at the door.
sub bad_tokens {
    my ($client) = @_;
    my $other = WordSocket::Client->new($server, site => $second);
    my $now   = int time;
    return (
        'of another site' => $other->token,
        'of another site\'s name' => $client->token(site_id => $other->site_id, tenant_id => undef),
        'of another user' => $client->token(user_id => '2'),
        'of a visitor' => $client->token(user_id => '0'),
        'of an unknown site' => $client->token(site_id => '0' x 64, tenant_id => undef),
        'that ran out' => $client->token(iat => $now - 300, exp => $now - 1),
        'from the future' => $client->token(iat => $now + 40, exp => $now + 300),
        'that is not good yet' => $client->token(nbf => $now + 40),
        'signed with another secret' => $client->token_of('{"alg":"HS256","typ":"JWT"}', $client->encode($client->claims), 'guess'),
        'without a signature' => $client->token_of('{"alg":"none"}', $client->encode($client->claims)) =~ s/[^.]*\z//r,
        'of rubbish' => 'rubbish',
        'of nothing' => '',
    );
}
both {
    my ($client, $how) = @_;
    my @bad = bad_tokens($client);
    while (my ($name, $token) = splice @bad, 0, 2) {
        my $ws = $client->socket(channels => [ channel() ]);
        $ws->send_json({ type => 'auth', token => $token });
        is $ws->message->{code}, 'unauthorized', "${how}a token $name is told as unauthorized";
        is $ws->close_code, 4001, "${how}then 4001";
        $ws->hang_up;
        next if $name =~ /another site\z|user|visitor/;    # it opens a socket of its own
        $ws = $client->socket(token => $token);
        my $code = $name eq 'of an unknown site' ? 4003 : 4001;
        is $ws->close_code, $code, "${how}at the door the upgrade is accepted, then $code";
        ok length $ws->{closed}{reason}, "${how}with a reason";
        $ws->hang_up;
        my $sse = $client->events(token => $token, status => 401);
        like $sse->take_all(1), qr/"invalid_token"/, "${how}an event stream is refused with 401";
        is $client->poll(token => $token)->{status}, 401, "${how}so is a poll";
    }
    for my $token ('7', 'null', '{}') {
        my $ws = $client->socket;
        $ws->send_text(qq({"type":"auth","token":$token}));
        is $ws->message->{code} . $ws->close_code, 'unauthorized4001', "${how}auth with $token";
        $ws->hang_up;
    }
    my $ws = WordSocket::Frames->connect($client->connect_options, path => '/ws');
    is $ws->close_code, 4001, "${how}no token at all";
    $ws->hang_up;
} $server;

# Leeway: 30 s for iat and nbf.
{
    my $client = WordSocket::Client->new($server);
    my $now = int time;
    for my $claims ([ iat => $now + 25, exp => $now + 300 ], [ nbf => $now + 25 ], [ iat => $now - 1000, exp => $now + 10 ]) {
        my $ws = $client->socket(token => $client->token(@$claims), channels => ['a']);
        ok $ws->{subscribed}, "good now: @$claims";
        $ws->send_json({ type => 'auth', token => $client->token(@$claims) });
        is $ws->message->{type}, 'auth_ok', 'also in-band';
        $ws->hang_up;
    }
    my $two = WordSocket::Client->new($server, site => $second);
    for my $secret (qw(new old)) {
        my $token = $two->token_of('{"alg":"HS256","typ":"JWT"}', $two->encode($two->claims), $secret);
        my $ws = $two->socket(token => $token, channels => ['a']);
        ok $ws->{subscribed}, "the $secret secret of two is good";
        $ws->hang_up;
    }
}

# Running out: within 5 s after exp, not before; and a refresh in time.
{
    my $exp = int(time) + 3;
    my (@ws, @sse, @kept);
    both {
        my ($client) = @_;
        my %claims = (iat => $exp - 100, exp => $exp);
        push @ws, [ $client, $client->socket(token => $client->token(%claims), channels => ['end']) ];
        push @sse, $client->events(token => $client->token(%claims), channels => ['end']);
        push @kept, [ $client, $client->socket(token => $client->token(%claims), channels => ['end']) ];
        $kept[-1][1]->send_json({ type => 'auth', token => $client->token });
    } $server;
    $ws[0][0]->publish('end', 'last', {});
    for my $i (0, 1) {
        my $how = $i ? 'TLS: ' : '';
        my ($client, $ws) = @{ $ws[$i] };
        is $ws->message->{event}, 'last', "${how}until exp it is served";
        is $ws->close_code, 4001, "${how}a WebSocket is closed with 4001";
        my $at = time - $exp;
        ok $at >= 0 && $at <= 5, "${how}within 5 s after exp, not before" or diag $at;
        my $sse = $sse[$i];
        is $sse->next_data(5, 'message')->{event}, undef, "${how}the stream had it, too";
        my $event = $sse->next_data;
        is_deeply [ @$event{qw(event data)} ], [ 'wps.expired', '{}' ], "${how}a stream is told";
        ok $sse->ends(2), "${how}and ends";
        $at = time - $exp;
        ok $at >= 0 && $at <= 5.5, "${how}in the same time" or diag $at;
    }
    sleep $exp + 5.2 - time;
    for my $one (@kept) {
        my ($client, $ws) = @$one;
        ok !grep({ ($_->{type} // '') eq 'no answer' } fence($ws)), 'who refreshed in time stays';
        $ws->hang_up;
    }
}
$server->stop;

# A site that is full.
my $full = server_with("WordSocketSiteConnections 2\n");
both {
    my ($client, $how) = @_;
    my @there = ($client->socket(channels => ['a']), $client->events(channels => ['a']));
    my $ws = $client->socket;
    is $ws->close_code, 4029, "${how}one more WebSocket than the site has room for is closed with 4029";
    my $sse = $client->events(status => 429);
    ok $sse->header('Retry-After') > 0, "${how}an event stream gets 429 with Retry-After";
    like $sse->take_all(1), qr/"connection_limit"/, "${how}and connection_limit, never quota_exceeded";
    is $client->stats->{json}{active_connections}, 2, "${how}who was refused does not count";
    is $client->poll->{status}, 200, "${how}a poll needs no place";
    $_->hang_up for @there, $ws, $sse;
    ok $full->wait_for(5, sub { !$client->stats->{json}{active_connections} }), "${how}who leaves makes room";
} $full;
$full->stop;

done_testing;
