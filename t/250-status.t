# SPDX-License-Identifier: Apache-2.0
# The handler wordsocket-status: its three forms, its numbers, and the only place
# where it is served.
use v5.30;
use warnings;
use lib 't/lib';
use HTTP::Tiny;
use Test::More;
use WordSocket::Client;
use WordSocket::Server;

my $second = { site_key => 'second', publish_secret => 'MARK-p', jwt_secret => 'MARK-j', limits => { publish_rate => 1, publish_burst => 1 } };
my $server = WordSocket::Server->new(sites => [ WordSocket::Server::default_site(), $second ], lines => <<'END', vhost_lines => <<'END_HOST');
<Directory "@DocumentRoot@/directory">
    SetHandler wordsocket-status
</Directory>
END
SetEnvIf Host . WORD=status
<Location "/by-expression">
    SetHandler "wordsocket-%{reqenv:WORD}"
</Location>
<LocationMatch "^/also/.*[.]html$">
    SetHandler wordsocket-status
</LocationMatch>
<Location "/closed">
    SetHandler wordsocket-status
    Require all denied
</Location>
<FilesMatch "by-name">
    SetHandler wordsocket-status
</FilesMatch>
END_HOST
$server->prepare;
mkdir "$server->{root}/htdocs/$_" or die $! for qw(directory tenant also);
$server->write_file("htdocs/$_", "a page\n") for qw(directory/x.html tenant/x.html tenant/by-name.html tenant/x.cgi);
$server->start;
my $client = WordSocket::Client->new($server);
my $limited = WordSocket::Client->new($server, site => $second);

sub page {
    my ($path, %option) = @_;
    return HTTP::Tiny->new->request($option{method} // 'GET', 'http://' . $server->address . $path,
        { headers => $option{headers} // {} });
}
sub json_of { WordSocket::Client->decode(page($_[0], headers => { Accept => 'application/json' })->{content}) }
sub status { WordSocket::Client->decode(page('/status?json')->{content}) }

# --- two forms ----------------------------------------------------------------------

my $text = page('/status');
is $text->{status}, 200, 'the page';
is $text->{headers}{'content-type'}, 'text/plain; charset=utf-8', 'is text';
is $text->{headers}{'cache-control'}, 'no-store', 'and not stored';
like $text->{content}, qr/^WordSocket \d+\.\d+\S*$/m, 'with the version';
like $text->{content}, qr/^connections +0$/m, 'the connections';
like $text->{content}, qr/^segment +not checked, \d+ pages, \d+ free, \d+ reserved$/m, 'the segment';
is scalar(() = $text->{content} =~ /^slot \d+ +pid \d+ +generation 0 +live +0 connections$/mg), 2, 'a line for each child';

for my $way ([ '/status?json' ], [ '/status', headers => { Accept => 'application/json' } ],
    [ '/status', headers => { Accept => 'text/html, application/json;q=0.9' } ]) {
    my $page = page(@$way);
    is $page->{headers}{'content-type'}, 'application/json', 'JSON is asked for';
    is $page->{headers}{'cache-control'}, 'no-store', 'and not stored either';
    ok eval { WordSocket::Client->decode($page->{content}) }, 'and is JSON';
}
my $status = status();
is_deeply [ sort keys %$status ], [qw(connections counters max_connections now_ms refused_site_files segment since_ms sites slots totals transports users version)], 'what JSON has';
is $status->{segment}{whole}, undef, 'the segment was not checked';
is json_of("/status?$_")->{segment}{whole}, JSON::PP::true, "?$_: it is whole" for 'check', 'json&check', 'check&top=1';
like page('/status?check')->{content}, qr/^segment +whole, \d+ pages/m, '?check: ... in text';
is json_of("/status?$_")->{segment}{whole}, undef, "?$_: not asked" for 'recheck', 'check=1', 'checks';
cmp_ok $status->{segment}{pages}, '>=', $status->{segment}{free}, 'with pages of which some are free';
my %in_json = map { $_ => 1 } keys %{ $status->{counters} };
is_deeply [ sort $text->{content} =~ /^(\w+) +\d+  \S/mg ], [ sort keys %in_json ], 'the same counters in both';
is_deeply [ sort map { $_->{pid} } @{ $status->{slots} } ], [ sort $server->children ], 'the pids of the children';
is_deeply [ map { $_->{site_key} } @{ $status->{sites} } ], [ map { $_->{site_key} } @{ $server->{sites} } ], 'both sites';
unlike page($_)->{content}, qr/MARK|publish-secret|jwt-secret/, "$_: no secret" for '/status', '/status?json';
is page('/status', method => $_)->{status}, 405, "$_ is refused" for qw(POST PUT DELETE);

# --- a browser's -----------------------------------------------------------------------

use constant BROWSER => 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

my $html = page('/status', headers => { Accept => BROWSER });
is $html->{headers}{'content-type'}, 'text/html; charset=utf-8', 'a browser gets a page';
is $html->{headers}{'cache-control'}, 'no-store', '... not stored';
is $html->{headers}{vary}, 'Accept', '... and it is told why';
my ($nonce) = $html->{headers}{'content-security-policy'} =~ /script-src 'nonce-([0-9a-f]{32})'/;
ok $nonce, 'a policy with a nonce';
like $html->{headers}{'content-security-policy'}, qr/default-src 'none'.*connect-src 'self'.*frame-ancestors 'none'/, '... that lets nothing else in';
unlike $html->{headers}{'content-security-policy'}, qr/unsafe/, '... and nothing unsafe';
is_deeply [ $html->{content} =~ /<(?:style|script)([^>]*)>/g ], [ (qq( nonce="$nonce")) x 2 ], 'one style and one script, with that nonce';
unlike $html->{content} =~ s/<script.*//sr, qr/\bstyle=|\bon\w+=|https?:/, 'nothing inline that the policy forbids, nothing from elsewhere';
isnt page('/status', headers => { Accept => BROWSER })->{headers}{'content-security-policy'}, $html->{headers}{'content-security-policy'},
    'each page has a nonce of its own';
like $html->{content}, qr/<b id="connections">0</, 'the connections, without the script';
like $html->{content}, qr{<a href="\?check">check shared memory</a>}, '... the segment';
like $html->{content}, qr{<tr><th>second</th><td>0</td>}, '... the sites';
like $html->{content}, qr{<tr><th>$_</th><td>child</td><td>0</td><td>live</td>}, "... child $_" for $server->children;
like page('/status?check', headers => { Accept => BROWSER })->{content}, qr/, shared memory is whole</, '... ?check: it is whole';
is_deeply [ sort $html->{content} =~ /<td id="c-(\w+)">\d+</g ], [ sort keys %in_json ], '... every counter';
unlike $html->{content}, qr/MARK|publish-secret|jwt-secret/, '... no secret';
is page('/status?auto', headers => { Accept => BROWSER })->{content} =~ s/\A(.*)\n.*/$1/sr =~ /^WordSocket \d/ ? 1 : 0, 1, '?auto: text, whoever asks';
is page('/status?json', headers => { Accept => BROWSER })->{headers}{'content-type'}, 'application/json', '?json: JSON, whoever asks';
my $top = WordSocket::Client->decode(page('/status?json&top=1')->{content});
is_deeply $top->{segment}{whole}, undef, '?json&top: the segment is not checked';
is scalar @{ $top->{sites} }, 1, '... and only the busiest site';

# --- the numbers --------------------------------------------------------------------

# What an act adds to the counters, and to nothing it says nothing about.
sub adds {
    my ($name, $act, %want) = @_;
    my $before = status()->{counters};
    $act->();
    my %got;
    $server->wait_for(5, sub {
        my $now = status()->{counters};
        %got = map { $_ => $now->{$_} - $before->{$_} } keys %want;
        return !grep { $got{$_} != $want{$_} } keys %want;
    });
    is_deeply \%got, \%want, $name;
    return;
}
my ($ws, $sse, $sent, @kept);
adds('a WebSocket', sub { $ws = $client->socket(channels => ['events']) },
    opened_ws => 1, opened_sse => 0, adopted => 1, closed => 0, refused_token => 0);
adds('an event stream', sub { $sse = $client->events }, opened_ws => 0, opened_sse => 1, adopted => 1, closed => 0);
is status()->{connections}, 2, 'two connections';
adds('a publish', sub { $client->publish('events', 'e', {}) },
    published => 1, published_browser => 0, delivered => 2, publish_refused => 0, publish_duplicate => 0);
adds('a publish to nobody', sub { $client->publish('elsewhere', 'e', {}) }, published => 1, delivered => 0);
adds('a list of five', sub { $client->publish_body('[' . join(',', ('{"channel":"events","event":"e"}') x 5) . ']') },
    published => 5, delivered => 10);
my $ts = time . '000';
adds('a duplicate', sub { $client->publish('events', 'e', 1, ts => $ts) for 1 .. 3 }, published => 1, publish_duplicate => 2);
adds('refused publishes', sub { $client->publish('wps:x', 'e', 1); $client->publish_body('x', sign => 'dummy');
    $client->publish_body('x', key => 'nobody'); $client->publish_body('x' x 300_000) }, published => 0, publish_refused => 4);
adds('a rate that is too low', sub { $limited->publish('e', 'e', $_) for 1, 2 }, published => 1, publish_refused => 1);
adds('a client\'s message', sub { $ws->send_json({ type => 'message', channel => 'events', event => 'e' }) },
    published_browser => 1, published => 0, received_messages => 1, delivered => 2);
adds('a client\'s binary frame', sub { $ws->send_binary(WordSocket::Frames::channel_frame('events', 'x')) },
    published_binary => 1, delivered_binary => 0, browser_refused => 0);
my $reader = WordSocket::Client->new($server);
my $may_not = $reader->socket(token => $reader->token(allowed_publish_prefixes => []), channels => ['events']);
adds('one that may not', sub { $may_not->send_json({ type => 'message', channel => 'events', event => 'e' }) },
    browser_refused => 1, published_browser => 0);
adds('refused tokens', sub { $client->poll(token => 'x'); push @kept, $client->socket(token => 'x'); $client->get('/sse') },
    refused_token => 3, opened_ws => 0, adopted => 0);
adds('polls', sub { $client->poll for 1 .. 3 }, poll_answers => 3);
my $since = $client->poll->{json}{cursor};
$client->publish('events', 'e', $_) for 1 .. 3;
adds('what was missed', sub { push @kept, $client->socket(channels => ['events'], since => $since) }, replayed => 3, gaps => 0);
adds('what is gone', sub { push @kept, $client->socket(channels => ['events'], since => '000000000001-1') }, gaps => 1);
adds('the ends of two', sub { $ws->hang_up; $sse->hang_up }, closed => 2);
adds('a fault of the client\'s', sub { $may_not->send_frame(rsv => 7); $may_not->close_code; $may_not->hang_up },
    protocol_closed => 1, closed => 1);
my ($site) = @{ status()->{sites} };
is $site->{state}, 'on', 'the site is on';
is $site->{connections}, 2, 'with the two connections that are left';
cmp_ok $site->{published}, '>=', 11, 'and what was published';
ok $server->graceful, 'a graceful restart';
cmp_ok status()->{counters}{published}, '>=', 11, 'keeps the counters';

# --- where ---------------------------------------------------------------------------

is page('/also/any.html')->{status}, 200, 'where a <LocationMatch> puts it';
is page('/by-expression')->{status}, 200, 'or an expression';
is page('/closed')->{status}, 403, 'behind the rules of the place';
unlike page('/closed')->{content}, qr/published/, '... with nothing of it';
my %htaccess = (
    'SetHandler' => "SetHandler wordsocket-status\n", 'AddHandler' => "AddHandler wordsocket-status .html\n",
    'Files' => "<Files x.html>\nSetHandler wordsocket-status\n</Files>\n",
    'If' => "<If \"true\">\nSetHandler wordsocket-status\n</If>\n",
    'a rewrite rule' => "RewriteEngine On\nRewriteRule . - [H=wordsocket-status]\n",
    'an expression' => "SetHandler \"wordsocket-%{reqenv:WORD}\"\n",
    'a type' => "AddType wordsocket-status .html\n",
);
for my $what (sort keys %htaccess) {
    $server->write_file('htdocs/tenant/.htaccess', $htaccess{$what});
    for my $path ('/tenant/x.html', '/tenant/x.html/status', '/tenant/x.html?json') {
        my $page = page($path);
        unlike $page->{content}, qr/published|segment/, "not by $what in .htaccess: $path is $page->{status}";
        is $page->{status}, 403, '... forbidden' if $path eq '/tenant/x.html' && $what ne 'a type';
    }
}
unlink "$server->{root}/htdocs/tenant/.htaccess";
is page($_)->{status}, 403, "nor in $_" for '/directory/x.html', '/tenant/by-name.html';

$server->announce(qr/AH01630: client denied/);
$server->announce(qr/AH01599: Cannot get media type from 'wordsocket-status'/);
$server->stop;
done_testing;
