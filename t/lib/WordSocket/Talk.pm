# SPDX-License-Identifier: Apache-2.0
# What the tests of connections and their messages have in common.
#
#   both { my ($client, $how) = @_; ... } $server;   # plain, then TLS
#   my @said = fence($ws);          # all JSON that came before this moment
#   my @seen = until_marker($client, $ws, 'news');   # all messages until now
#
# Promise   Nothing here waits for something not to come: a fence and a marker
#           come after whatever would have come before them.
package WordSocket::Talk;
use v5.30;
use warnings;
use Exporter qw(import);
use JSON::PP ();
use Time::HiRes qw(time);
use WordSocket::Client;
use WordSocket::Server;

our @EXPORT = qw(both channel fence codes until_marker data_of number_of server_with ask_send);

my $count = 0;

# The code once over plain connections and once over TLS.
sub both(&$) {
    my ($code, $server) = @_;
    for my $tls (0, 1) {
        $code->(WordSocket::Client->new($server, tls => $tls), $tls ? 'TLS: ' : '');
    }
    return;
}

# A channel nobody else has used.
sub channel { my ($word) = @_; ($word // 'talk') . ".$$." . ++$count }

# A private server with these lines.
sub server_with {
    my ($lines, %option) = @_;
    return WordSocket::Server->new(lines => $lines, %option)->start;
}

# All that was said before the answer to an unsubscribe of nothing.
sub fence {
    my ($ws, $seconds) = @_;
    $ws->send_json({ type => 'unsubscribe', channels => [] });
    my @said;
    while (my $one = $ws->message($seconds)) {
        return @said if $one->{type} eq 'unsubscribed' && !@{ $one->{channels} };
        push @said, $one;
    }
    return (@said, { type => 'no answer', code => $ws->{closed} && "closed $ws->{closed}{code}" });
}

# The codes of the errors that were said before this moment.
sub codes { my ($ws) = @_; join ' ', map { $_->{code} // $_->{type} } fence($ws) }

# Publish a marker on a channel, and return the messages before it.
sub until_marker {
    my ($client, $reader, $channel, $seconds) = @_;
    my $mark = 'marker.' . ++$count;
    my $sent = $client->publish($channel, $mark, {});
    die "the marker is refused: $sent->{status} $sent->{content}\n" if $sent->{status} != 200;
    my @seen;
    my $end = time + ($seconds // 10);
    while (my ($one) = $reader->messages(1, $end - time)) {
        return @seen if $one->{event} eq $mark;
        push @seen, $one;
    }
    return (@seen, { event => 'the marker did not come' });
}

# The data of a message as the bytes that came, from a text frame.
sub data_of {
    my ($frame) = @_;
    return $frame->{payload} =~ /"data":(.*),"id":"[^"]*"\}\z/s ? $1 : undef;
}

# Sequence number of an id.
sub number_of { my ($id) = @_; ($id =~ /\A[0-9a-f]{12}-([0-9]+)\z/)[0] }

# POST /send: content is a hash for JSON, text for a binary frame.
sub ask_send {
    my ($client, $token, $stream, $content, %headers) = @_;
    my $json = ref $content;
    return $client->request(POST => '/send',
        content => $json ? $client->encode($content) : $content,
        headers => {
            'Content-Type' => $json ? 'application/json' : 'application/octet-stream',
            defined $token ? (Authorization => "Bearer $token") : (),
            defined $stream ? ('X-WordSocket-Stream' => $stream) : (), %headers,
        });
}

1;
