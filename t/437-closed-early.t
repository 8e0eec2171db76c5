# SPDX-License-Identifier: Apache-2.0
# A child that is told to stop at once closes the sockets of its workers under
# them. One just being taken over is not: the number may be another file's by
# now, and nobody is short of descriptors.
use v5.30;
use warnings;
use lib 't/lib';
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use Test::More;
use WordSocket::Client;
use WordSocket::Sanitizer;
use WordSocket::Server;

plan skip_all => 'a sanitizer is preloaded already' if WordSocket::Sanitizer::kind();

for my $mpm (qw(event worker)) {
    my $server = WordSocket::Server->new(mpm => $mpm, children => 1)->prepare;
    my $late = "$server->{root}/late";
    $server->{environment} = {
        LD_PRELOAD  => WordSocket::Sanitizer::preload(@$server{qw(top root)}, 'late_socket', qw(-O2 -D_GNU_SOURCE)),
        WSK_LATE_US => $late,
    };
    $server->announce(qr/^late$/m);
    $server->start;
    my $path = '/wordsocket/ws?token=' . WordSocket::Client->new($server)->token;
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->{port}) or die "connect: $!\n";
    $server->write_file('late', '');
    print $socket join "\r\n", "GET $path HTTP/1.1", 'Host: 127.0.0.1', 'Upgrade: websocket', 'Connection: Upgrade',
        'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Key: ' . encode_base64('0123456789abcdef', ''), '', '';
    ok $server->wait_for(10, sub { $server->log_text =~ /^late$/m }), "$mpm: a worker holds the number of a socket";
    $server->signal('TERM');
    my $got = '';
    alarm 10;
    1 while sysread $socket, $got, 4096, length $got;
    alarm 0;
    like $got, qr{\AHTTP/1.1 101 .*\r\n\r\n\z}s, 'which is closed behind an answer';
    unlink $late;
    $server->stop;
}
done_testing;
