# SPDX-License-Identifier: Apache-2.0
# The figures: one entry each. --list, the run, the report and the guard of
# docs/bench.md are made from it.
#
#   name, what    as it is called, and what it says
#   unit          of one value
#   kind, ...     the recipe in Bench::Recipes, and what it is told
#   sides         who is measured; ours first
#   base          whose value ours is divided by; without it the target is
#                 absolute
#   most          the target: at most
#   full          measured by the full run only
#   as            the rest is said of this figure, and so are the values: taken
#                 once, judged twice
package Bench::Figures;
use v5.30;
use warnings;
use Exporter qw(import);

our @EXPORT_OK = qw(figures peers);

my @figures = (
    { name => 'ws-5000', what => 'server CPU per delivery, WebSocket, 5,000 subscribers, one message at a time',
      unit => 'us', kind => 'deliver', subs => 5000, wire => 'ws',
      sides => [qw(us floor nchan ws socketio)], base => 'floor', most => 1.03 },
    { name => 'sse-5000', what => 'the same over Server-Sent Events',
      unit => 'us', kind => 'deliver', subs => 5000, wire => 'sse',
      sides => [qw(us floor nchan ws pushpin)], base => 'floor', most => 1.03 },
    { name => 'ws-18000', what => 'the same over WebSocket, 18,000 subscribers: what 20,000 descriptors allow',
      unit => 'us', kind => 'deliver', subs => 18000, wire => 'ws', full => 1,
      sides => [qw(us floor nchan ws)], base => 'floor', most => 1.05 },
    { name => 'queued-8', what => 'server CPU per delivery, lists of 8 messages; floor sends one by one',
      unit => 'us', kind => 'deliver', subs => 5000, wire => 'ws', list => 8,
      sides => [qw(us floor)], base => 'floor', most => 0.25 },
    { name => 'memory', what => 'user memory per idle WebSocket connection; ours with token, three channels, history on',
      unit => 'B', kind => 'memory', subs => 10000, wire => 'ws',
      sides => [qw(us floor nchan ws)], most => 400 },
    { name => 'memory-tls', what => 'the same over TLS',
      unit => 'B', kind => 'memory', subs => 5000, wire => 'ws', sides => [qw(us-tls)], most => 14336 },
    { name => 'handshake', what => 'server CPU per WebSocket handshake; ours with token check',
      unit => 'us', kind => 'handshake', subs => 10000, wire => 'ws',
      sides => [qw(us floor nchan ws)], base => 'floor', most => 3 },
    { name => 'publish', what => 'server CPU per publish, keep-alive, nobody listening; ours signed, static a GET of 20 bytes from the same httpd',
      unit => 'us', kind => 'publish', sides => [qw(us static floor nchan ws)], base => 'static', most => 1.25 },
    { name => 'publish-new', what => 'the same with a new connection each',
      unit => 'us', kind => 'publish', fresh => 1, sides => [qw(us static floor nchan ws)], base => 'floor', most => 2.2 },
    { name => 'publish-20', what => 'server CPU per message in lists of 20, nobody listening; the others one by one',
      unit => 'us', kind => 'publish', list => 20, sides => [qw(us floor nchan)], base => 'nchan', most => 1 },
    { name => 'publish-socket', what => 'server CPU per message over the publish socket; the others by POST, keep-alive',
      unit => 'us', kind => 'publish', socket => 1, sides => [qw(us floor nchan)], base => 'nchan', most => 1 },
    { name => 'many-channels',
      what => 'server CPU per message, 10,000 WebSocket subscribers over 5,000 channels, two each: to be sent to two; ours in lists of 20, each for 20 channels',
      unit => 'us', kind => 'spread', subs => 10000, share => 2, wire => 'ws', list => 20,
      sides => [qw(us floor nchan)], base => 'floor', most => 1.1 },
    { name => 'idle', what => 'server CPU per idle connection and second, a ping every 20 s that is answered, 16,000 connections over 40 s; floor pings, too',
      unit => 'us', kind => 'idle', subs => 16000, wire => 'ws', hold => 40, full => 1, sides => [qw(us floor)], most => 2 },
    { name => 'idle-10000', what => 'the same with 10,000 connections, over 20 s',
      unit => 'us', kind => 'idle', subs => 10000, wire => 'ws', hold => 20, sides => [qw(us floor)], most => 2 },
    { name => 'idle-ping', what => 'the values of `idle-10000`, against the bare loop that pings as often',
      as => 'idle-10000', base => 'floor', most => 1.2 },
    { name => 'tls', what => 'server CPU per delivery over TLS, 5,000 subscribers, against plain',
      unit => 'us', kind => 'deliver', subs => 5000, wire => 'ws', sides => [qw(us-tls us)], base => 'us', most => 1.25 },
    { name => 'growth', what => 'server CPU per delivery with 16,000 subscribers against 1,000',
      unit => 'us', kind => 'deliver', subs => 16000, few => 1000, wire => 'ws', full => 1,
      sides => [qw(us us-few floor floor-few)], base => 'us-few', most => 1.15 },
    { name => 'growth-channels',
      what => 'server CPU per delivery to the 1,000 subscribers of one channel: while the site has 10,000 other channels, each with a subscriber and a message, against none',
      unit => 'us', kind => 'deliver', subs => 1000, others => 10000, apart => 'channels', wire => 'ws', full => 1,
      sides => [qw(us us-few floor floor-few)], base => 'us-few', most => 1.15 },
    { name => 'growth-sites',
      what => 'the same while the server has 999 other sites, each with a subscriber and five messages, against none',
      unit => 'us', kind => 'deliver', subs => 1000, others => 999, apart => 'sites', wire => 'ws',
      sides => [qw(us us-few)], base => 'us-few', most => 1.15 },
    { name => 'storm', what => 'from the first SYN until 10,000 WebSocket clients that come back at once have the message that they missed; ours with token check and `since`',
      unit => 'ms', kind => 'storm', subs => 10000, wire => 'ws',
      sides => [qw(us floor)], base => 'floor', most => 3 },
    { name => 'yjs', what => 'server CPU per delivery of an awareness update of Yjs, one room with 1,000 clients; ours a binary frame that it does not look into',
      unit => 'us', kind => 'deliver', subs => 1000, yjs => 1, wire => 'ws', full => 1,
      sides => [qw(us floor hocuspocus)], base => 'hocuspocus', most => 1 },
    { name => 'latency', what => 'p99 of receipt, 5,000 WebSocket subscribers, 12 messages a second for all',
      unit => 'ms', kind => 'latency', subs => 5000, wire => 'ws', rate => 12,
      sides => [qw(us floor nchan ws)], base => 'floor', most => 1.2 },
);

my %peers = (
    floor    => 'a bare loop: epoll, one send() per subscriber, no checks',
    nchan    => 'nginx with nchan (Debian), one worker, 10 messages for 60 s',
    ws       => 'ws (npm), a relay of a few lines; SSE by node\'s http',
    socketio => 'Socket.IO (npm), rooms, WebSocket transport only',
    pushpin  => 'Pushpin (Debian), event streams held for a backend that is not counted; without its rate limits',
    hocuspocus => 'Hocuspocus (npm), as published; the last that runs on Node 20',
);

my %entry = map { $_->{name} => $_ } @figures;

sub figures    { map { +{ $_->{as} ? %{ $entry{ $_->{as} } } : (), %$_ } } @figures }
sub peers      { %peers }

1;
