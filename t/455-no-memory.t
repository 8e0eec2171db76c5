# SPDX-License-Identifier: Apache-2.0
# A child that has no memory to read a token or a body says that it is short: it
# does not send the client for another token, nor say that the body was wrong.
use v5.30;
use warnings;
use lib 't/lib';
use File::Temp qw(tempdir);
use Test::More;
use WordSocket::Client;
use WordSocket::Sanitizer;
use WordSocket::Server;
use WordSocket::Tenants;
use WordSocket::Tree qw(slurp);

plan skip_all => 'a sanitizer has an allocator of its own' if WordSocket::Sanitizer::kind();

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;
my ($proof) = slurp('src/auth/wsk_json.h') =~ /^#define WSK_JSON_PROOF (\d+)/m or die "no WSK_JSON_PROOF\n";
my @cc = ($ENV{CC} // 'cc', qw(-shared -fPIC -O1 -D_GNU_SOURCE), "-DPROOF=$proof", '-o', "$dir/no_json.so",
    't/lib/no_json.c', '-ldl');
system(@cc) == 0 or die "@cc: $?\n";
my $server = WordSocket::Server->new(
    environment => { LD_PRELOAD => "$dir/no_json.so", WSK_NO_JSON => "$dir/short" })->start;
my $client = WordSocket::Client->new($server);

sub short {
    my ($is) = @_;
    return unlink "$dir/short" if !$is;
    open my $out, '>', "$dir/short" or die "$dir/short: $!\n";
    return close $out;
}
sub said {
    my ($answer) = @_;
    return join ' ', $answer->{status}, $answer->{json}{error} // '', $answer->{headers}{'retry-after'} // '';
}
sub answered {
    my ($socket) = @_;
    my $frame = $socket->receive(10) // return;
    return $frame->{payload};
}
my $token = $client->token;
sub sends {
    my ($stream) = @_;
    return $client->request(POST => '/send', content => '{"type":"message","channel":"events","event":"e"}',
        headers => { 'Content-Type' => 'application/json', Authorization => "Bearer $token", 'X-WordSocket-Stream' => $stream });
}
my $stream = $client->poll->{json}{stream};
is said(sends($stream)), '200  ', 'with memory a message is taken';

my $body = '{"channel":"events","event":"e"}';
my %signed = $client->signed_headers($body);
my $publisher = WordSocket::Frames->connect(path => '/publisher', $client->connect_options,
    headers => { $client->signed_headers_v2('', method => 'GET', path => '/publisher') });
my $refused = counter($server, 'publish_refused');

short(1);
is said($client->publish_with($body, %signed)), '503 unavailable 1', 'without memory: a publish is to be tried again';
$publisher->send_text($body);
like answered($publisher), qr/^\{"ok":false,"error":"unavailable",.*"retry":1\}$/, 'so is one over a socket';
is counter($server, 'publish_refused') - $refused, 2, 'both are counted';
is said($client->poll), '503 unavailable 1', 'without memory: a poll is to be tried again';
is said(sends($stream)), '503 unavailable 1', 'so is a message';
is said($client->get("/sse?token=$token&channels=events")), '503 unavailable 1', 'so is a stream';
is $client->socket->close_code, 1013, 'and a WebSocket is closed with 1013';
short(0);
is $client->poll->{status}, 200, 'then the same token is good';
is said($client->publish_with($body, %signed)), '200  ', 'so are the same bytes of the publish';
$publisher->send_text($body);
like answered($publisher), qr/^\{"ok":true/, 'and the publish socket';
ok $client->socket(channels => ['events'])->{subscribed}, 'for a WebSocket, too';

$server->stop;
done_testing;
