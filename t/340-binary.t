# SPDX-License-Identifier: Apache-2.0
# Binary frames: name length, name, payload; forwarded byte for byte to all but
# their sender, never kept. On event streams as wps.binary.
use v5.30;
use warnings;
use lib 't/lib';
use MIME::Base64 qw(decode_base64);
use Test::More;
use WordSocket::Talk;

my $server = WordSocket::Server->shared;

sub frame_of { WordSocket::Frames::channel_frame(@_) }

# The next binary frame, whatever else comes.
sub next_binary {
    my ($ws, $seconds) = @_;
    while (my $frame = $ws->receive($seconds // 10)) {
        return $frame->{payload} if $frame->{opcode} == 2;
        return "closed: $frame->{payload}" if $frame->{opcode} == 8;
    }
    return 'nothing';
}

# An event stream that takes binary frames.
sub binary_events {
    my ($client, $name, $binary) = @_;
    my $sse = WordSocket::Events->connect($client->connect_options,
        path => '/sse?' . WordSocket::Client::query(token => $client->token, channels => $name, binary => $binary));
    $sse->next_data(undef, 'wps.open') or die "no wps.open\n";    # subscribed from here on
    return $sse;
}

both {
    my ($client, $how) = @_;
    my $name  = channel('yjs:post');
    my $long  = $client->qualified($name);
    my $ws    = $client->socket(channels => [$long]);
    my $peer  = $client->socket(channels => [$long]);
    my $bare  = $client->socket(channels => [$name]);
    my $other = $client->socket(channels => [ channel() ]);
    my $sse   = binary_events($client, $name, 1);
    my $plain = binary_events($client, $name, 0);
    my $twin  = binary_events($client, "$name,$long", 1);

    my $first = frame_of($long, "\x00\x01\xff payload \xc3\x28");
    my $short = frame_of($name, "\x03 by its bare name");
    my $empty = frame_of($long, '');
    $ws->send_binary($_) for $first, $short, $empty;
    for my $reader ([ 'a peer', $peer ], [ 'one who subscribed by the bare name', $bare ]) {
        is next_binary($reader->[1]), $_, "${how}$reader->[0] gets the very bytes, whatever the spelling" for $first, $short, $empty;
    }
    for my $stream ($sse, $twin) {
        for my $frame ($first, $short, $empty) {
            my $event = $stream->next_data(10, 'wps.binary');
            is decode_base64($event->{data}), $frame, "${how}a stream with binary=1 gets it as base64";
            unlike $event->{data}, qr/[^A-Za-z0-9+\/=]/, "${how}on one line";
            is $event->{id}, undef, "${how}without an id";
        }
    }

    # Not to the sender, not to others, not to plain streams, not again.
    $client->publish($name, 'after', {});
    my @frames;
    while (my $frame = $ws->receive(10)) {
        push @frames, $frame->{opcode} if $frame->{payload} !~ /"wps\.presence"/;
        last if $frame->{payload} =~ /"after"/;
    }
    is_deeply \@frames, [1], "${how}nothing binary comes back to its sender";
    is $plain->next_data(10, 'message')->{event}, undef, "${how}a stream without binary=1 gets messages";
    is_deeply [ fence($other) ], [], "${how}another channel gets nothing";
    is next_binary($other, 0.2), 'nothing', "${how}nothing binary either";
    my $late = $client->socket(channels => [$long], since => $ws->{subscribed}{id});
    $peer->send_binary($first);
    is next_binary($late), $first, "${how}who comes later gets what comes later";
    is next_binary($ws), $first, "${how}and the first sender what others send";
    $_->hang_up for $ws, $peer, $bare, $other, $sse, $plain, $twin, $late;
} $server;

# Rights and forms.
both {
    my ($client, $how) = @_;
    my $name = channel('doc');
    my $hears = $client->socket(channels => [$name]);
    my $reads = $client->socket(channels => [$name], token => $client->token(allowed_publish_prefixes => []));
    $reads->send_binary(frame_of($name, 'no'));
    is codes($reads), 'publish_forbidden', "${how}no right to send";
    my $ws = $client->socket;
    for my $case (
        [ 'the relay\'s own channel', frame_of('wps:x', ''), 'publish_forbidden' ],
        [ 'no channel name', frame_of('a,b', ''), 'invalid_channel' ],
        [ 'a name that is not UTF-8', frame_of("a\xff", ''), 'invalid_channel' ],
        [ 'nothing', '', 'bad_message' ], [ 'half a length', "\0", 'bad_message' ],
        [ 'an empty name', "\0\0abc", 'bad_message' ], [ 'a name longer than the frame', "\0\4abc", 'bad_message' ],
        [ 'the longest length', "\xff\xffabc", 'bad_message' ],
    ) {
        my ($what, $bytes, $code) = @$case;
        $ws->send_binary($bytes);
        like codes($ws), qr/\A(?:$code)\z/, "${how}a frame with $what is $code, and the connection stays";
    }
    $ws->send_binary(frame_of($name, 'yes'));
    is next_binary($hears), frame_of($name, 'yes'), "${how}of all these only the good one was delivered";

    my $v3 = sub { $client->socket(token => $client->token(v => 3, rooms => { 'yjs:a' => $_[0] }), channels => ['yjs:a']) };
    my ($writer, $reader) = ($v3->('rw'), $v3->('r'));
    $reader->send_binary(frame_of('yjs:a', 'no'));
    is codes($reader), 'publish_forbidden', "${how}a room with r only reads";
    $writer->send_binary(frame_of('yjs:ab', 'no'));
    is codes($writer), 'publish_forbidden', "${how}a room is an exact name";
    $writer->send_binary(frame_of('yjs:a', 'yes'));
    is next_binary($reader), frame_of('yjs:a', 'yes'), "${how}a room with rw sends";
    $_->hang_up for $hears, $reads, $ws, $writer, $reader;
} $server;

# Sizes to the limit, and a burst of them to a reader that reads.
both {
    my ($client, $how) = @_;
    my $name = channel('big');
    my $ws   = $client->socket(channels => [$name]);
    my $peer = $client->socket(channels => [$name]);
    my $sse  = binary_events($client, $name, 1);
    my $head = length frame_of($name, '');
    for my $size (125, 126, 65_535, 65_536, 1_048_576, 2 * 1_048_576) {
        my $bytes = frame_of($name, join '', map { chr int rand 256 } 1 .. 64) . 'x' x ($size - $head - 64);
        $ws->send_binary($bytes);
        ok next_binary($peer, 20) eq $bytes, "${how}$size bytes arrive as they were";
        my $event = $sse->next_data(20, 'wps.binary');
        ok $event && decode_base64($event->{data}) eq $bytes, "${how}also on a stream";
    }
    my $half = frame_of($name, 'y' x 300_000);
    $ws->send_frame(opcode => 2, payload => substr($half, 0, 1000), fin => 0);
    $ws->send_frame(opcode => 0, payload => substr($half, 1000));
    ok next_binary($peer, 20) eq $half, "${how}a frame in fragments arrives in one";
    $ws->send_binary('x' x (2 * 1_048_576 + 1));
    is $ws->close_code, 1009, "${how}a byte more than 2 MiB closes with 1009";
    $_->hang_up for $ws, $peer, $sse;
} $server;

$server->stop;
done_testing;
