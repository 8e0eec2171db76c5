# SPDX-License-Identifier: Apache-2.0
# The table of t/vectors/tokens.json over every way a token can be shown: what
# is refused is refused as the wire document says, and subscribes to nothing.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Server;
use WordSocket::Tokens;

use constant { TEXT => 1, CLOSE => 8 };

# Request lines and fields long enough that every token reaches the module.
my $room = "LimitRequestLine 2500000\nLimitRequestFieldSize 2500000";
my $book = WordSocket::Tokens->new;
my $server = WordSocket::Server->new(
    sites => [ $book->site ], lines => "$room\nWordSocketPublishRate 10000", vhost_lines => $room)->start;
my $client = WordSocket::Client->new($server);
my $plain  = $client->token;
my $head   = $client->poll->{json}{cursor};

# Cases that are about one second need a clock that stands still: t/unit/token.
my @cases = grep { !$_->{unit_only} || $_->{name} !~ /\bsecond\b/ } $book->cases;
my @refused  = grep { !$_->{accepted} } @cases;
my @accepted = grep { $_->{accepted} } @cases;
cmp_ok scalar @refused, '>', 200, scalar @refused . ' cases are to be refused';
cmp_ok scalar @accepted, '>', 30, scalar @accepted . ' to be accepted';

sub target { my ($path, $token) = @_; "$path?" . WordSocket::Client::query(token => $token, channels => 'events') }

# A WebSocket whose subscribe is there before the answer can be.
sub early_socket {
    my ($token) = @_;
    my $subscribe = WordSocket::Frames::frame(payload => '{"type":"subscribe","channels":["events"]}');
    return WordSocket::Frames->connect($client->connect_options, path => target('/ws', $token), early => $subscribe);
}

# The code of a Close that comes first; what else came, if not.
sub first_close {
    my ($ws) = @_;
    my $frame = $ws->receive(10) // return 'nothing';
    return $frame->{opcode} == CLOSE
        ? WordSocket::Frames::close_of($frame)->{code} : "a frame before it: $frame->{payload}";
}

# Like a Client's get, but lets the whole of a long answer pass.
sub said {
    my ($answer) = @_;
    return "$answer->{status} " . ($answer->{json}{error} // '');
}

# The wire document has a code of its own for a site that is not there.
sub code_for { $_[0]{name} =~ /another site's site_id/ ? 4003 : 4001 }

# --- refused ------------------------------------------------------------------

sub refused_everywhere {
    my ($case) = @_;
    my $token = $book->token($case);
    my @wrong;
    my $ws = early_socket($token);
    my $code = first_close($ws);
    push @wrong, "/ws: $code" if $code ne code_for($case);
    $client->publish('events', 'e', {})->{status} == 200 or push @wrong, 'the publish was refused';
    push @wrong, '/ws: more came' if $ws->take_all(5) ne '';
    push @wrong, '/ws: stays open' if !$ws->{ended};
    for my $path ('/sse', '/poll') {
        my $said = said($client->get(target($path, $token)));
        push @wrong, "$path: $said" if $said ne '401 invalid_token';
    }
    return join '; ', @wrong, wrong_at_send($case, $token);
}

# Over a header, where httpd itself strips blanks and refuses line breaks.
sub wrong_at_send {
    my ($case, $token) = @_;
    return if $case->{form} =~ /^(?:space|newline)$/;
    my $wire = WordSocket::Wire->open_wire($client->connect_options);
    my $body = '{"type":"message","channel":"events","event":"sent"}';
    my $status = $wire->exchange("POST $server->{path}/send HTTP/1.1\r\nHost: x\r\n"
        . "Authorization: Bearer $token\r\nX-WordSocket-Stream: @{[ 'a' x 32 ]}\r\n"
        . "Content-Length: @{[ length $body ]}\r\nConnection: close\r\n\r\n$body");
    return $status == 401 && $wire->take_all =~ /"invalid_token"/ ? () : "/send: $status";
}

is refused_everywhere($_), '', $_->{name} for @refused;

# --- refused over an open socket ----------------------------------------------

# As `auth`: error "unauthorized", then 4001, and nothing after.
sub wrong_in_band {
    my ($case) = @_;
    my $ws = $client->socket(token => $plain, channels => ['events']);
    $ws->send_json({ type => 'auth', token => $book->token($case) });
    my $answer = $ws->message(10) // {};
    my $code = $ws->close_code(10) // 'no close';
    $ws->hang_up;
    return "$answer->{type} " . ($answer->{code} // '') . " $code";
}
is wrong_in_band($_), 'error unauthorized 4001', "auth: $_->{name}" for @refused;

$client->publish('events', 'last', {});
my $poll = $client->poll(since => $head)->{json};
is scalar(grep { $_->{event} eq 'sent' } @{ $poll->{messages} }), 0, 'nothing of all that was sent by /send';
is $poll->{messages}[-1]{event}, 'last', 'and what was published is there';
ok $server->wait_for(10, sub { $client->stats->{json}{active_connections} == 0 }), 'no connection is left';

# --- accepted -----------------------------------------------------------------

sub accepted_everywhere {
    my ($case) = @_;
    my $token = $book->token($case);
    my @wrong;
    my $poll = $client->get(target('/poll', $token));
    push @wrong, '/poll: ' . said($poll) if $poll->{status} != 200;
    my $ws = early_socket($token);
    my $subscribed = $ws->message(10) // {};
    push @wrong, '/ws: not subscribed' if ($subscribed->{channels}[0] // '') ne 'events';
    my $sse = eval { $client->events(token => $token) };
    push @wrong, "/sse: $@" if !$sse;
    my $id = $client->publish('events', 'for-all', {})->{json}{id};
    for my $way (['/ws', $ws], $sse ? ['/sse', $sse] : ()) {
        my $message;
        # What was sent before it subscribed may come as well, if the child has not
        # looked at its log since.
        do { ($message) = $way->[1]->messages(1, 10) } while $message && $message->{id} ne $id;
        push @wrong, "$way->[0]: no message" if ($message->{id} // '') ne $id;
        $way->[1]->hang_up;
    }
    push @wrong, in_band($token);
    my $sent = $client->request(POST => '/send', content => '{"type":"message","channel":"events","event":"e"}',
        headers => { Authorization => "Bearer $token", 'Content-Type' => 'application/json',
            'X-WordSocket-Stream' => $poll->{json}{stream} });
    my $may = $case->{name} =~ /empty publish list/ ? '403 publish_forbidden' : '200 ';
    push @wrong, '/send: ' . said($sent) if said($sent) ne $may;
    return join '; ', @wrong;
}

sub in_band {
    my ($token) = @_;
    my $ws = $client->socket(token => $token);    # of the same user
    $ws->send_json({ type => 'auth', token => $token });
    my $answer = $ws->message(10) // {};
    $ws->hang_up;
    return ($answer->{type} // '') eq 'auth_ok' && $answer->{exp} > time ? () : 'auth: ' . ($answer->{code} // 'nothing');
}

is accepted_everywhere($_), '', $_->{name} for @accepted;

# --- where a token is looked for ----------------------------------------------

my $bad = $book->token((grep { $_->{sign} eq 'otherkey' } @refused)[0]);
my %in = (Authorization => "Bearer $plain", Cookie => "token=$plain", 'X-Token' => $plain);
for my $path ('/sse', '/poll') {
    for my $name (sort keys %in) {
        is said($client->get("$path?channels=events", $name => $in{$name})), '401 invalid_token',
            "$path: a token in $name is none";
        is said($client->get(target($path, $bad), $name => $in{$name})), '401 invalid_token',
            "$path: nor does it help a bad one";
    }
    is said($client->get("$path?token=$bad&channels=events&token=$plain")), '401 invalid_token',
        "$path: of two tokens the first counts";
    is said($client->get("$path?Token=$plain&channels=events")), '401 invalid_token', "$path: the name is exact";
}
is $client->get(target('/poll', $plain), Authorization => "Bearer $bad", Cookie => "token=$bad")->{status}, 200,
    '/poll: a bad token elsewhere does no harm';
for my $name (sort keys %in) {
    my $ws = WordSocket::Frames->connect($client->connect_options, path => '/ws', headers => { $name => $in{$name} });
    is first_close($ws), 4001, "/ws: a token in $name is none";
}
my $ws = WordSocket::Frames->connect($client->connect_options, path => '/ws',
    headers => { 'Sec-WebSocket-Protocol' => "token, $plain" });
is first_close($ws), 4001, '/ws: nor is one in a subprotocol';
is said($client->request(POST => "/send?token=$plain", content => '{}')), '401 invalid_token',
    '/send: nor is one in the query';

$server->stop;
done_testing;
