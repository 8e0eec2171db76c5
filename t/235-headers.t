# SPDX-License-Identifier: Apache-2.0
# Header directives of the host apply to a 101 as they do to the head of an event
# stream, and cannot break the handshake.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Frames;
use WordSocket::Server;

my $server = WordSocket::Server->new(vhost_lines => <<'END')->start;
Header always set Strict-Transport-Security "max-age=31536000"
Header set X-Set one
Header add X-Set two
Header set X-Of-Path ws "expr=%{REQUEST_URI} == '/wordsocket/ws'"
Header always set X-Of-Status switched "expr=%{REQUEST_STATUS} == 101"
Header set Access-Control-Allow-Origin https://by.directive
Header append Vary Cookie
Header set X-Env "%{WORD}e"
SetEnv WORD value
SetOutputFilter DEFLATE
<Location "/wordsocket/echo">
    Header set Connection close
    Header set Upgrade h2c
    Header set Sec-WebSocket-Accept no
    Header set Sec-WebSocket-Protocol any
    Header set Sec-WebSocket-Extensions permessage-deflate
    Header set Content-Length 5
    Header set Transfer-Encoding chunked
    Header set Content-Type text/html
    Header unset X-Env
    Header always set X-Split "expr=%{unescape:%{QUERY_STRING}}"
</Location>
END
my $client = WordSocket::Client->new($server);

# Every line of the head, as it came.
sub head {
    my ($path, %more) = @_;
    my %header = (Host => '127.0.0.1', Connection => 'Upgrade', Upgrade => 'websocket', 'Sec-WebSocket-Version' => 13,
        'Sec-WebSocket-Key' => WordSocket::Frames::KEY, Origin => 'https://asked.test', 'Accept-Encoding' => 'gzip', %more);
    my $answer = $client->raw(join "\r\n", "GET $server->{path}$path HTTP/1.1", (map { "$_: $header{$_}" } sort keys %header), '', '');
    return $answer;
}

my $query = WordSocket::Client::query(token => $client->token, channels => 'events');
for my $row ([ ws => "/ws?$query", 101 ], [ 'a refused token' => '/ws?token=x', 101 ], [ sse => "/sse?$query", 200 ]) {
    my ($name, $path, $status) = @$row;
    my $answer = head($path);
    my $header = $answer->{headers};
    is $answer->{status}, $status, "$name: $status";
    is $header->{'strict-transport-security'}, 'max-age=31536000', '... always set';
    like $header->{'x-set'}, qr/two/, '... set and added';
    is $header->{'x-env'}, 'value', '... with the environment';
    is $header->{'access-control-allow-origin'}, 'https://by.directive', '... over a header of ours';
    like $header->{vary}, qr/Origin.*Cookie/, '... to a header of ours';
    is $header->{'x-of-path'}, $name eq 'sse' ? undef : 'ws', '... by path';
    is $header->{'x-of-status'}, $status == 101 ? 'switched' : undef, '... by status';
    next if $status != 101;
    is $header->{$_}, undef, "... without $_" for qw(content-length transfer-encoding content-type content-encoding keep-alive);
    is lc $header->{connection}, 'upgrade', '... with the Connection of an upgrade';
}

my $header = head('/echo?a%0d%0aX-Smuggled:%20yes')->{headers};
is $header->{connection}, 'Upgrade', 'a directive does not change Connection';
is $header->{upgrade}, 'websocket', 'nor Upgrade';
isnt $header->{'sec-websocket-accept'}, 'no', 'nor the proof';
is $header->{$_}, undef, "nor adds $_"
    for qw(sec-websocket-protocol sec-websocket-extensions content-length transfer-encoding content-type x-smuggled);
is $header->{'x-env'}, undef, 'but may take a header away';
is $header->{'x-split'}, undef, 'a value that is two lines is left out';
my $ws = WordSocket::Frames->connect($client->connect_options, path => '/echo');
ok $ws, 'and a client is content with the handshake';
ok $client->socket(channels => ['events'])->{subscribed}, 'here, too';

$server->stop;
done_testing;
