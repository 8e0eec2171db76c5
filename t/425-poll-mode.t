# SPDX-License-Identifier: Apache-2.0
# Where a connection cannot be taken over: an event stream is answered at once
# and ends, a WebSocket is refused before the upgrade, and no worker is held.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(time);
use WordSocket::Client;
use WordSocket::Frames;
use WordSocket::Server;
use WordSocket::Tenants;

sub stream_url {
    my ($client, %option) = @_;
    return '/sse?' . WordSocket::Client::query(token => $client->token, channels => 'events', %option);
}

# Both kinds of connection, and the way round both.
sub in_poll_mode {
    my ($what, $server, $tls) = @_;
    my $client = WordSocket::Client->new($server, tls => $tls);
    my $refused = counter($server, 'refused_adopt');
    for my $path ('/ws?token=' . $client->token, '/echo') {
        my $ws = WordSocket::Frames->connect($client->connect_options, path => $path, status => 503);
        ok $ws->header('Retry-After'), "$what: a socket is 503 with Retry-After, before the upgrade";
        is $ws->header('Upgrade'), undef, "$what: and no 101";
    }
    is counter($server, 'refused_adopt'), $refused + 2, "$what: both are counted";

    my $begun = time;
    my $first = $client->get(stream_url($client));
    cmp_ok time - $begun, '<', 2, "$what: a stream is answered at once";
    is $first->{status}, 200, "$what: with 200";
    like $first->{headers}{'content-type'}, qr{^text/event-stream}, "$what: as an event stream";
    my ($retry) = $first->{content} =~ /^retry: ?(\d+)$/m;
    cmp_ok $retry // 0, '>=', 1000, "$what: which says when to come back";
    my ($cursor) = $first->{content} =~ /^id: ?(\S+)$/m;
    my @ids = map { $client->publish('events', 'said', "number $_")->{json}{id} } 1 .. 3;
    my $next = $client->get(stream_url($client, since => $cursor))->{content};
    is_deeply [ $next =~ /^data: .*?"(number \d)"/gm ], [ map { "number $_" } 1 .. 3 ], "$what: and brings what came since";
    $next = $client->request(GET => stream_url($client), headers => { 'Last-Event-ID' => $ids[1] })->{content};
    is_deeply [ $next =~ /^data: .*?"(number \d)"/gm ], ['number 3'], "$what: as an EventSource asks for it";
    my ($stream) = $next =~ /^data: \{"stream":"(\w+)"/m;
    my $sent = $client->request(POST => '/send', content => '{"type":"message","channel":"events","event":"said","data":"by post"}',
        headers => { 'Content-Type' => 'application/json', Authorization => 'Bearer ' . $client->token,
            'X-WordSocket-Stream' => $stream });
    is $sent->{status}, 200, "$what: its stream id is good for /send";
    is $client->poll(since => $ids[2])->{json}{messages}[0]{data}, 'by post', "$what: and /poll brings it";
    ok connections_are($server, 0), "$what: no connection is held";
    return;
}

{
    my $server = WordSocket::Server->new(lines => 'WordSocketAdopt Off')->start;
    in_poll_mode($_ ? 'WordSocketAdopt Off, TLS' : 'WordSocketAdopt Off', $server, $_) for 0, 1;
    $server->stop;
}

{
    my $server = WordSocket::Server->new(modules => ['dumpio'],
        vhost_lines => "DumpIOInput On\nDumpIOOutput On\nLogLevel dumpio:trace7")->start;
    in_poll_mode($_ ? 'an unknown filter, TLS' : 'an unknown filter', $server, $_) for 0, 1;
    like $server->log_text, qr/WSK0201 .*DUMPIO_IN/i, 'the filter is named in the log';
    $server->stop;
}

# --- HTTP/2 -------------------------------------------------------------------------

# mod_http2 refuses to work with prefork.
if ((WordSocket::Server->new->{mpm}) ne 'prefork') {
    my $server = WordSocket::Server->new(children => 1, threads => 4, tls_protocols => 'h2 http/1.1')->start;
    my $client = WordSocket::Client->new($server, tls => 1);
    my $since  = $client->poll->{json}{cursor};
    $client->publish('events', 'said', 'over two');
    my $url = $client->url(stream_url($client, since => $since));
    my $curl = 'timeout 20 curl -sk --http2 --write-out "\n%{http_version} %{http_code}\n"';

    my $answer = qx{$curl '$url'};
    like $answer, qr/\n2 200\n\z/, 'HTTP/2: a stream is answered';
    like $answer, qr/^data: .*over two/m, 'with what came since';
    like $answer, qr/^retry: ?\d+$/m, 'and when to come back';

    # Six streams that stay open would be the end of such a connection: nothing
    # more is answered on it. One after the other over one connection, and all
    # at once.
    my $page = $server->base(1) =~ s{/wordsocket$}{/index.html}r;
    my @urls = (("'$url'") x 20, "'$page'");
    my $said = qx{$curl @urls};
    is scalar(() = $said =~ /^2 200$/gm), 21, 'twenty streams and a page over one connection';
    $said = qx{$curl --parallel --parallel-max 30 @urls};
    is scalar(() = $said =~ /^2 200$/gm), 21, 'and all at once';
    like $said, qr/an ordinary page/, 'with the page among them';
    like qx{$curl -X OPTIONS '$url'}, qr/2 204\n\z/, 'HTTP/2: a preflight';

    # The same port takes WebSockets over HTTP/1.1, and streams that stay.
    my $ws = $client->socket(channels => ['events']);
    my $sse = $client->events;
    $client->publish('events', 'said', 'to both');
    is(($_->messages(1))[0]{data}, 'to both', 'HTTP/1.1 beside it is taken over') for $ws, $sse;
    $_->hang_up for $ws, $sse;
    $server->stop;
}

done_testing;
