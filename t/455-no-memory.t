# SPDX-License-Identifier: Apache-2.0
# A child that has no memory to read a token says that it is short, and does not
# send the client for another token.
use v5.30;
use warnings;
use lib 't/lib';
use File::Temp qw(tempdir);
use Test::More;
use WordSocket::Client;
use WordSocket::Sanitizer;
use WordSocket::Server;

plan skip_all => 'a sanitizer has an allocator of its own' if WordSocket::Sanitizer::kind();

my $dir = tempdir(CLEANUP => 1);
chmod 0755, $dir;
my @cc = ($ENV{CC} // 'cc', qw(-shared -fPIC -O1 -D_GNU_SOURCE -o), "$dir/no_json.so", 't/lib/no_json.c', '-ldl');
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
my $token = $client->token;
sub sends {
    my ($stream) = @_;
    return $client->request(POST => '/send', content => '{"type":"message","channel":"events","event":"e"}',
        headers => { 'Content-Type' => 'application/json', Authorization => "Bearer $token", 'X-WordSocket-Stream' => $stream });
}
my $stream = $client->poll->{json}{stream};
is said(sends($stream)), '200  ', 'with memory a message is taken';

short(1);
is said($client->poll), '503 unavailable 1', 'without memory: a poll is to be tried again';
is said(sends($stream)), '503 unavailable 1', 'so is a message';
is said($client->get("/sse?token=$token&channels=events")), '503 unavailable 1', 'so is a stream';
is $client->socket->close_code, 1013, 'and a WebSocket is closed with 1013';
short(0);
is $client->poll->{status}, 200, 'then the same token is good';
ok $client->socket(channels => ['events'])->{subscribed}, 'for a WebSocket, too';

$server->stop;
done_testing;
