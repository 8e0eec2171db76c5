# SPDX-License-Identifier: Apache-2.0
# Which requests are ours, whatever else the host is told to do with them; the
# headers of our answers.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Frames;
use WordSocket::Server;

my $server = WordSocket::Server->new(vhost_lines => <<'END', more_vhosts => <<'END_MORE');
RewriteEngine On
RewriteRule . /index.html [L]
Alias /wordsocket /nowhere
END
<VirtualHost 127.0.0.1:@Port@>
    ServerName off.test
    WordSocket Off
</VirtualHost>
<VirtualHost 127.0.0.1:@Port@>
    ServerName elsewhere.test
    WordSocketPath /a/b-c
    WordSocketEcho Off
</VirtualHost>
<VirtualHost 127.0.0.1:@Port@>
    ServerName origins.test
    WordSocketAllowOrigin https://example.org http://127.0.0.1:8080
</VirtualHost>
<VirtualHost 127.0.0.1:@Port@>
    ServerName plain.test
</VirtualHost>
END_MORE
$server->prepare;
mkdir "$server->{root}/htdocs/$_" or die $! for qw(wordsocket tenant);
$server->write_file('htdocs/tenant/file.html', "a tenant's page\n");
$server->start;
my $client = WordSocket::Client->new($server);
my $token = $client->token;

# A request line of exactly these bytes, and the answer of a host.
sub answer {
    my ($line, %option) = @_;
    my %header = (Host => $option{host} // '127.0.0.1', Connection => 'close', %{ $option{headers} // {} });
    return $client->raw(join "\r\n", "$line HTTP/1.1", (map { "$_: $header{$_}" } sort keys %header), '',
        $option{body} // '');
}
sub said {
    my ($answer) = @_;
    return "$answer->{status} " . ($answer->{json}{error} // $answer->{json}{status} // '');
}
sub is_said { my ($line, $want, $name, %option) = @_; is said(answer($line, %option)), $want, $name // $line }

# --- paths -------------------------------------------------------------------------

my $ok = '200 ok';
my %path = (
    '/wordsocket/healthz' => $ok, '/wordsocket/healthz?x=1' => $ok, '/wordsocket/healthz?' => $ok,
    '/wordsocket//healthz' => $ok, '//wordsocket/healthz' => $ok, '/./wordsocket/./healthz' => $ok,
    '/x/../wordsocket/healthz' => $ok, '/wordsocket/%68ealthz' => $ok, '/%77ordsocket/healthz' => $ok,
    'http://127.0.0.1/wordsocket/healthz' => $ok,
    '/wordsocket/healthz/' => '404 not_found', '/wordsocket/healthz/x' => '404 not_found',
    '/wordsocket/healthz%2f' => undef, '/wordsocket%2fhealthz' => undef, '/wordsocket/healthz%00' => undef,
    '/wordsocket/HEALTHZ' => '404 not_found', '/wordsocket/healthz.php' => '404 not_found',
    '/wordsocket' => '200 ', '/wordsocket/' => '200 ', '/.well-known/wordsocket' => '200 ',
    '/.well-known/wordsocket/' => '', '/.well-known/wordsockets' => '', '/.well-known' => '', '/wordsocket/nothing' => '404 not_found',
    '/wordsocket/site' => '404 not_found', '/wordsocket/publisher' => '426 upgrade_required',
    '/wordsocket/site/disconnect' => '404 not_found', '/wordsocket/api/sites/register' => '404 not_found',
    '/wordsocket/dashboard' => '404 not_found', '/wordsocket/ws/../healthz' => $ok,
    '/wordsocket;x/healthz' => '', '/wordsockets/healthz' => '', '/wordsocket-x' => '', '/WordSocket/healthz' => '',
    '/wordsocket/../index.html' => '', '/wordsocket/%2e%2e/index.html' => '', '/x/wordsocket/healthz' => '',
    '/healthz' => '', '/' => '',
);
for my $path (sort keys %path) {
    my $want = $path{$path};
    my $answer = answer("GET $path");
    if (!defined $want) {
        cmp_ok $answer->{status}, '>=', 400, "$path: httpd refuses it with $answer->{status}";
    }
    elsif ($want eq '') {
        is "$answer->{status} $answer->{content}", "200 an ordinary page\n", "$path is left to the host";
    }
    else {
        is said($answer), $want, "$path: $want";
        is $answer->{headers}{'cache-control'}, 'no-store', '... and not stored';
        is $answer->{headers}{'content-type'}, 'application/json', '... as JSON';
    }
}

# --- methods -----------------------------------------------------------------------

my %method_of = (ws => 'GET', sse => 'GET', poll => 'GET', send => 'POST', publish => 'POST', 'site/stats' => 'GET', publisher => 'GET',
    echo => 'GET', healthz => 'GET');
for my $endpoint (sort keys %method_of) {
    for my $method (qw(GET POST PUT DELETE PATCH PROPFIND XYZZY)) {
        next if $method eq $method_of{$endpoint};
        my $answer = answer("$method /wordsocket/$endpoint", headers => { 'Content-Length' => 0 });
        is said($answer), '405 method_not_allowed', "$method $endpoint is refused";
        is $answer->{headers}{allow}, "$method_of{$endpoint}, OPTIONS", '... and Allow says what is not';
        is $answer->{headers}{'cache-control'}, 'no-store', '... and not stored';
    }
}
is_said 'TRACE /wordsocket/healthz', '405 method_not_allowed', 'TRACE shows nobody his headers';
my $head = answer('HEAD /wordsocket/healthz');
is $head->{status}, 200, 'HEAD of healthz';
is $head->{wire}->take_all(5), '', '... has no body';

# A HEAD takes no connection over: what follows it on the wire is another answer.
$head = answer("HEAD /wordsocket/sse?token=$token&channels=events");
is $head->{status}, 200, 'HEAD of a stream';
is $head->{headers}{'content-type'}, 'text/event-stream', '... says what a GET would be';
is $head->{wire}->take_all(5), '', '... has no body';
ok $head->{wire}{ended}, '... and ends';
is $client->stats->{json}{active_connections}, 0, '... it is no connection';

# Bytes of a body would be taken for frames.
for my $body ([ 'Content-Length' => 3 ], [ 'Transfer-Encoding' => 'chunked' ]) {
    for my $endpoint ("ws?token=$token", 'echo', 'publisher', "sse?token=$token&channels=events") {
        is_said "GET /wordsocket/$endpoint", '400 invalid_request', "$body->[0] with " . $endpoint =~ s/\?.*//r, body => "3\r\nabc\r\n0\r\n\r\n",
            headers => { @$body, Connection => 'Upgrade', Upgrade => 'websocket', 'Sec-WebSocket-Version' => 13,
                'Sec-WebSocket-Key' => WordSocket::Frames::KEY };
    }
}

# --- origins -------------------------------------------------------------------------

sub origin { my ($origin, %more) = @_; (headers => { Origin => $origin, %more }) }
my @endpoints = map { [ "$method_of{$_} /wordsocket/$_", $_ ] } qw(sse poll send);
for my $row (@endpoints) {
    my ($line, $name) = @$row;
    my $answer = answer($line, origin('https://any.test', 'Content-Length' => 0));
    is said($answer), '401 invalid_token', "$name without a token";
    is $answer->{headers}{'access-control-allow-origin'}, 'https://any.test', '... says so to any origin';
    is $answer->{headers}{vary}, 'Origin', '... and varies with it';
    is $answer->{headers}{'access-control-allow-credentials'}, undef, '... without credentials';
    my $flight = answer("OPTIONS /wordsocket/$name", origin('https://any.test',
        'Access-Control-Request-Method' => 'POST', 'Access-Control-Request-Headers' => 'authorization'));
    is $flight->{status}, 204, "a preflight of $name";
    is $flight->{headers}{'access-control-allow-origin'}, 'https://any.test', '... allows the origin';
    is $flight->{headers}{'access-control-allow-credentials'}, undef, '... without credentials';
    is $flight->{headers}{vary}, 'Origin', '... and varies with it';
    is $flight->{headers}{'cache-control'}, 'no-store', '... and is not stored';
    is $flight->{wire}->take_all(5), '', '... without a body';
}
my $flight = answer('OPTIONS /wordsocket/send', origin('https://any.test'));
like $flight->{headers}{'access-control-allow-methods'}, qr/\bPOST\b/, 'a preflight allows POST';
like $flight->{headers}{'access-control-allow-headers'}, qr/(?:^|, )\Q$_\E(?:,|$)/, "... and the header $_"
    for 'Authorization', 'Content-Type', 'Last-Event-ID', 'X-WordSocket-Stream';
is answer('OPTIONS /wordsocket/send')->{headers}{'access-control-allow-origin'}, undef, 'none asked, none allowed';

my %allowed = ('https://example.org' => 1, 'http://127.0.0.1:8080' => 1, map { $_ => 0 } 'https://example.org:443',
    'http://example.org', 'https://example.org.evil.test', 'https://xexample.org', 'https://EXAMPLE.org', 'null', '',
    'https://example.org/', 'https://example.org https://evil.test', '*', 'http://127.0.0.1');
for my $origin (sort keys %allowed) {
    my %option = (host => 'origins.test', origin($origin));
    my $answer = answer("GET /wordsocket/poll?token=$token&channels=events", %option);
    my $preflight = answer('OPTIONS /wordsocket/send', %option);
    is $answer->{status}, $allowed{$origin} ? 200 : 403, "the origin '$origin'";
    is $preflight->{status}, $allowed{$origin} ? 204 : 403, '... and its preflight';
    for ($answer, $preflight) {
        is $_->{headers}{'access-control-allow-origin'}, $allowed{$origin} ? $origin : undef, '... and what it is told';
        is $_->{headers}{vary}, 'Origin', '... and varies';
    }
    is said($answer), '403 origin_forbidden', '... in a word' if !$allowed{$origin};
    for my $path (map { "/$_?token=$token&channels=events" } qw(ws sse echo)) {
        my $status = !$allowed{$origin} ? 403 : $path =~ /sse/ ? 200 : 101;
        my $ws = eval { WordSocket::Frames->connect($client->connect_options, path => $path, status => $status,
            headers => { Host => 'origins.test', Origin => $origin }) };
        ok $ws, "... $status at " . $path =~ s/\?.*//r or diag $@;
    }
}
is answer("GET /wordsocket/poll?token=$token&channels=events", host => 'origins.test')->{status}, 200,
    'who has no origin is no browser and passes';

# --- hosts ---------------------------------------------------------------------------

my $page = answer('GET /wordsocket/healthz', host => 'off.test');
is $page->{status}, 404, 'a host where WordSocket is off has nothing there';
unlike $page->{content}, qr/not_found/, '... and the 404 is its own';
is_said 'GET /a/b-c/healthz', $ok, 'another path', host => 'elsewhere.test';
is_said 'GET /a/b-c', '200 ', 'its base', host => 'elsewhere.test';
is_said 'GET /a/b-c/echo', '404 not_found', 'no echo where it is off', host => 'elsewhere.test';
isnt said(answer('GET /wordsocket/healthz', host => 'elsewhere.test')), $ok, 'and the default path is none there';
isnt said(answer('GET /a/b-c/healthz')), $ok, 'nor this one elsewhere';

# --- what a tenant writes ------------------------------------------------------------

my %htaccess = (
    'nobody may'             => "Require all denied\n",
    'everything is rewritten' => "RewriteEngine On\nRewriteRule .* /index.html [L]\n",
    'everything goes away'   => "Redirect 410 /\n",
    'our handler'            => "SetHandler wordsocket\n",
    'the status handler'     => "SetHandler wordsocket-status\n",
    'a handler by name'      => "<Files *>\nSetHandler wordsocket\n</Files>\nAddHandler wordsocket-status .html\n",
    'headers'                => "Header always set Cache-Control public\nHeader set X-Tenant yes\n",
    'a fallback'             => "FallbackResource /index.html\nErrorDocument 404 /index.html\n",
    'other answers'          => "ErrorDocument 401 /index.html\nErrorDocument 405 /index.html\nErrorDocument 404 gone\n",
    'nonsense'               => "This is no directive\n",
);
# What these do to the tenant's own page.
$server->announce($_) for qr/htaccess: Invalid command 'This'/, qr/AH01630: client denied/, qr/AH00124: .* internal redirects/;
for my $host ('127.0.0.1', 'plain.test') {
    for my $what (sort keys %htaccess) {
        $server->write_file("htdocs/$_.htaccess", $htaccess{$what}) for '', 'wordsocket/', 'tenant/';
        is_said 'GET /wordsocket/healthz', $ok, "$host, .htaccess: $what", host => $host;
        is_said 'GET /wordsocket/poll', '401 invalid_token', '... refusals stay ours', host => $host;
        is_said 'POST /wordsocket/healthz', '405 method_not_allowed', '... all of them', host => $host;
        is_said 'GET /wordsocket/nothing', '404 not_found', '... this one, too', host => $host;
        my $tenant = answer('GET /tenant/file.html', host => $host);
        unlike $tenant->{content}, qr/published|"status":"ok"|not_found/, '... and a tenant serves nothing of ours';
        my $healthy = answer('GET /wordsocket/healthz', host => $host);
        is $healthy->{headers}{'cache-control'}, 'no-store', '... nor changes our headers';
    }
    unlink map { "$server->{root}/htdocs/$_.htaccess" } '', 'wordsocket/', 'tenant/';
}
for my $line ('WordSocket On', 'WordSocketPath /tenant', 'WordSocketEcho On', 'WordSocketMaxPublish 16M',
    'WordSocketSiteFile /tmp/sites.json', 'WordSocketAllowOrigin https://evil.test', 'WordSocketHistory Off') {
    my ($name) = $line =~ /^(\w+)/;
    $server->write_file('htdocs/tenant/.htaccess', "$line\n");
    is answer('GET /tenant/file.html', host => 'plain.test')->{status}, 500, "$name is not for .htaccess";
    $server->announce(qr/htaccess: $name not allowed here/);
}
unlink "$server->{root}/htdocs/tenant/.htaccess";

$server->stop;
done_testing;
