# SPDX-License-Identifier: Apache-2.0
# Keys out of the environment of one request, connected by a signed one, revoked
# for good by another; with a real PHP-FPM behind the stock rules of WordPress.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(time);
use WordSocket::Client;
use WordSocket::Host;
use WordSocket::Php;
use WordSocket::Server;

my $server = WordSocket::Server->new(modules => ['proxy_fcgi'], lines => <<'END');
WordSocketHostKey host.key
DirectoryIndex index.php
Alias /elsewhere @ServerRoot@/elsewhere
<Directory @ServerRoot@/elsewhere>
    Require all granted
</Directory>
WordSocketDrain 500ms
END
$server->prepare;
my $php = WordSocket::Php->start($server->{root}, site => '');
$server->{lines} .= $php->handler('site');
$server->{more_vhosts} = <<'END';
<VirtualHost 127.0.0.2:@Port@>
    ServerName other.example
    DocumentRoot "@DocumentRoot@"
</VirtualHost>
<VirtualHost 127.0.0.3:@Port@>
    ServerName Other.Example
    DocumentRoot "@DocumentRoot@"
</VirtualHost>
<VirtualHost 127.0.0.4:@Port@>
    ServerName off.example
    DocumentRoot "@DocumentRoot@"
    WordSocket Off
</VirtualHost>
Listen 127.0.0.2:@Port@
Listen 127.0.0.3:@Port@
Listen 127.0.0.4:@Port@
END
my $docroot = "$server->{root}/htdocs";
mkdir $_ for "$docroot/news", "$docroot/info", "$server->{root}/elsewhere";
WordSocket::Host::write_scripts($_) for $docroot, "$docroot/info", "$server->{root}/elsewhere";
unlink "$docroot/info/.htaccess", "$server->{root}/elsewhere/.htaccess";
WordSocket::Host::write_scripts($docroot, 'info.php');
symlink "$server->{root}/elsewhere/index.php", "$docroot/news/index.php";
$server->start;

my $blog = WordSocket::Host->new($server);
sub shown {
    local %ENV = (%ENV, WordSocket::Sanitizer::environment(@$server{qw(top root)}));
    return scalar qx{@{[WordSocket::Server::httpd()]} -t -D DUMP_WORDSOCKET -f '$server->{conf}' 2>&1};
}
sub said { my ($answer) = @_; return "$answer->{status} " . ($answer->{json}{error} // ''); }

my $plain = WordSocket::Client->new($server, host => '127.0.0.1');
is_deeply [ @{ $plain->get('/')->{json}{endpoints} }{qw(whoami disconnect)} ], [ '/site/whoami', '/site/disconnect' ],
    'discovery names the endpoints of host mode';

# --- connect ------------------------------------------------------------------------

my $keys = $blog->enroll;
is_deeply [ sort keys %{ $keys // {} } ],
    [qw(generation home jwt_secret path publish_secret signature site_key v)], 'one POST brings everything a plugin needs';
is_deeply $blog->enroll, $keys, 'and changes nothing: the next one brings the same';
is said($blog->client($keys)->publish('events', 'e', {})), '401 unknown_site_key', 'before they are shown, they are worth nothing';
my $said = $blog->whoami($keys);
is said($said), '200 ', 'whoami connects the site';
is $said->{json}{proof}, $blog->proof($keys), 'and shows that it was asked of the right one';
is $said->{json}{site_key}, $keys->{site_key}, 'by the name of the site';
like shown(), qr{^  WordSocketHostKey +\Q$server->{root}\E/host\.key$}m, 'the dump shows the host key';
like shown(), qr{^  site \Q$keys->{site_key}\E of \Q$keys->{home}\E$}m, 'and which site has which key';
unlike shown(), qr/\Q$keys->{publish_secret}\E|\Q$keys->{jwt_secret}\E/, 'but no secret';
is said($blog->whoami($keys)), '200 ', 'asked again it only answers';
my $client = $blog->client($keys);
my $ws = $client->socket(channels => ['events']);
is said($client->publish('events', 'hello', { n => 1 })), '200 ', 'a publish is taken';
is(($ws->messages(1))[0]{data}{n}, 1, 'and delivered');
my $v1 = $blog->client($keys, version => 1);
is said($v1->publish('events', 'e', {})), '401 signature_v2_required', 'by version 1 of the signature it is not';
is said($v1->stats), '401 signature_v2_required', 'nor is anything else';
is said($v1->publish_body('{"action":"disconnect"}', path => '/site/disconnect')), '401 signature_v2_required', 'least of all Disconnect';
is $keys->{signature}, 2, 'as the plugin is told';
is_deeply $blog->enroll, $keys, 'connected, a POST brings the keys in force';
is_deeply $blog->enroll(path => '/wp-json/wordsocket/v1/enroll'), $keys, 'so it does by the other name of the route';
is_deeply $blog->enroll(path => $_), $keys, "and by $_"
    for '/?rest_route=/wpsignal/v1/enroll', '/index.php?rest_route=%2Fwpsignal%2Fv1%2Fenroll', '/index.php/wp-json/wpsignal/v1/enroll';
is $blog->post($blog->ROUTE)->{headers}{'cache-control'}, 'no-store', 'nobody may keep the answer';

# --- who gets nothing ---------------------------------------------------------------

sub nothing {
    my ($name, @with) = @_;
    my $answer = $blog->post(@with);
    is_deeply [ $answer->{json}{found}, index($answer->{content}, $keys->{publish_secret}) ], [ undef, -1 ], "nothing for $name"
        or diag $answer->{content};
    return $answer;
}
like nothing('another route', '/wp-json/wpsignal/v1/token')->{json}{script}, qr/index\.php$/, '(though it is WordPress)';
nothing('a GET', $blog->ROUTE, method => 'GET');
nothing('no home', $blog->ROUTE, headers => { 'X-WordSocket-Home' => undef });
nothing("a home of $_", $blog->ROUTE, headers => { 'X-WordSocket-Home' => $_ })
    for 'ftp://a.example', 'https://', 'https://a.example/', 'https://a.example/news', 'https://a.example?x', 'https://a b', 'x' x 400;
like nothing('a phpinfo page', '/info.php?rest_route=/wpsignal/v1/enroll')->{json}{script}, qr/info\.php$/, '(which runs)';
nothing('one with the route behind it', '/info.php/wp-json/wpsignal/v1/enroll');
nothing('a folder of another script', '/info/?rest_route=/wpsignal/v1/enroll');
nothing('a script outside of the document root', '/elsewhere/index.php?rest_route=/wpsignal/v1/enroll',
    headers => { 'X-WordSocket-Home' => 'http://127.0.0.1/elsewhere' });
nothing('a link to one', '/news/index.php?rest_route=/wpsignal/v1/enroll',
    headers => { 'X-WordSocket-Home' => 'http://127.0.0.1/news' });
nothing('a header with the name', '/', headers => { 'WordSocket-Enroll' => 'secret', 'WORDSOCKET_ENROLL' => 'secret',
    'wordsocket_Enroll' => 'secret', 'X-WordSocket-Home' => undef });
nothing('another method', $blog->ROUTE, method => 'DELETE');
my $elsewhere = $blog->enroll(path => '/info/?rest_route=/wpsignal/v1/enroll', headers => { 'X-WordSocket-Home' => 'http://127.0.0.1/info' });
isnt $elsewhere->{$_}, $keys->{$_}, "a script elsewhere gets another $_ at best" for qw(site_key publish_secret jwt_secret);
$server->write_file('htdocs/.htaccess', "SetEnv WORDSOCKET_ENROLL secret\n" . WordSocket::Server::slurp("$docroot/.htaccess"));
nothing('a variable of .htaccess', '/');
is_deeply $blog->enroll, $keys, 'nor does it stand in for the real one';

# --- one host, another host ---------------------------------------------------------

my $other = WordSocket::Host->new($server, host => '127.0.0.2', home => $blog->{home});
my $theirs = $other->connect;
isnt $theirs->{$_}, $keys->{$_}, "another host with the same home has another $_" for qw(site_key publish_secret jwt_secret);
is_deeply $other->enroll(address => '127.0.0.3'), $theirs, 'two hosts of one name (port 80 and 443) are one site';
is_deeply $other->enroll(headers => { Host => '127.0.0.1' }), $theirs, 'another Host header makes no other host of it';
is $other->found($blog->ROUTE, address => '127.0.0.4'), undef, 'a host that is off has nothing';
my $abroad = WordSocket::Client->new($server, host => '127.0.0.2', site => $keys, version => 2);
is said($abroad->publish('events', 'e', {})), '401 unknown_site_key', 'the keys of one host are not known at the other';
is said($abroad->poll), '401 invalid_token', 'nor its tokens';
is said($other->whoami($keys)), '401 unknown_site_key', 'nor can they be connected there';

# --- several blogs behind one host --------------------------------------------------

my $second = WordSocket::Host->new($server, home => "$blog->{home}/second");
my $its = $second->enroll(path => '/second/wp-json/wpsignal/v1/enroll');
isnt $its->{$_}, $keys->{$_}, "a blog beside it has another $_" for qw(site_key publish_secret jwt_secret);
is said($second->whoami($its)), '200 ', 'and is connected by itself';
is said($blog->whoami($its)), '401 unknown_site_key', 'its keys are good for its own home only';
my $quiet = $second->client($its)->socket(channels => ['events']);
$client->publish('events', 'not.theirs', {});
is said($second->client($its)->publish('events', 'own', {})), '200 ', 'it publishes';
is(($quiet->messages(1))[0]{event}, 'own', 'and hears only itself');

# --- what whoami refuses ------------------------------------------------------------

is said($blog->whoami({ %$keys, publish_secret => 'wrong' })), '401 invalid_signature', 'a wrong secret';
is said($blog->whoami({ %$keys, generation => $keys->{generation} + 1 })), '401 invalid_signature', 'a generation the keys are not of';
is said($blog->whoami($keys, challenge => 'short')), '400 invalid_json', 'a short challenge';
is said($blog->whoami($keys, home => 'nowhere')), '400 invalid_json', 'no home';
is said($client->publish_body(WordSocket::Client->encode(
    { home => $blog->{home}, generation => $keys->{generation}, challenge => 'c' x 32 }),
    ts => int((time - 90) * 1000), path => '/site/whoami')), '401 stale_timestamp', 'an old time';

# --- disconnect ---------------------------------------------------------------------

is said($client->publish_with('{"action":"disconnect"}', $client->signed(POST => '/site/disconnect', '{"action":"disconnect"}'))), '401 invalid_signature',
    'what was signed for a Disconnect is no publish';
is said($client->request(POST => '/site/disconnect', content => '{"action":"disconnect"}',
    headers => { $client->signed(POST => '/publish', '{"action":"disconnect"}') })), '401 invalid_signature', 'nor is what was signed for a publish a Disconnect';
is said($client->publish_body('{"channel":"events","event":"e"}', path => '/site/disconnect')), '400 invalid_json',
    'a signed publish is no disconnect';
is said(WordSocket::Client->new($server)->publish_body('{"action":"disconnect"}', path => '/site/disconnect')), '404 not_found',
    'a site of the site file is the administrator\'s to take out';
is said($blog->disconnect({ %$keys, publish_secret => 'wrong' })), '401 invalid_signature', 'nobody else disconnects it';
my $question = WordSocket::Client->encode({ home => $blog->{home}, generation => $keys->{generation}, challenge => 'c' x 32 });
my %question = (content => $question, headers => { $client->signed(POST => '/site/whoami', $question) });
sub replayed { said(WordSocket::Client->new($server)->request(POST => '/site/whoami', %question)) }
is replayed(), '200 ', 'a whoami of a connected site changes nothing';
is replayed(), '200 ', 'nor does its repetition';
sub publisher {
    my ($as) = @_;
    return WordSocket::Frames->connect(path => '/publisher', headers => { $as->signed(GET => '/publisher', '') }, $as->connect_options);
}
my $sender = publisher($client);
my $sse = $client->events;
sleep 3;    # until nothing is due for long
my $begun = time;
is said($blog->disconnect($keys)), '200 ', 'the site does';
is $ws->close_code(5), 4003, 'its WebSocket is closed with 4003';
is $sender->close_code(5), 4003, 'so is its publish socket';
ok $sse->ends(5), 'its event stream ends';
cmp_ok time - $begun, '<', 1.5, 'within a second or so';

sub all_refused {
    my ($when, $old) = @_;
    my $as = $blog->client($old);
    is_deeply [ map { said($_) } $as->publish('events', 'e', {}), $as->stats, $as->poll, $blog->disconnect($old) ],
        [ '401 unknown_site_key', '401 unknown_site_key', '401 invalid_token', '401 unknown_site_key' ], "$when nothing of the old keys is good";
    is $as->socket->close_code(5), 4003, 'a WebSocket is told that the site is gone';
    my $known = -s "$server->{root}/host.key.sites";
    is said($blog->whoami($old)), '401 site_revoked', 'and they cannot be connected again';
    is -s "$server->{root}/host.key.sites", $known, 'nor make the file of the sites grow';
    return;
}
all_refused('revoked,', $keys);
is replayed(), '401 site_revoked', 'a whoami that somebody kept does not connect the site again';
is said($second->client($its)->publish('events', 'own', {})), '200 ', 'the blog beside it goes on';
ok $server->graceful, 'a reload';
all_refused('after a reload', $keys);
$quiet->hang_up;
$server->stop;
$server->start;
$blog = WordSocket::Host->new($server, home => $blog->{home});
all_refused('after a full restart', $keys);
is said($second->client($its)->publish('events', 'own', {})), '200 ', 'which the blog beside it survives';
is said($other->client($theirs)->publish('events', 'own', {})), '200 ', 'and the other host\'s';

my $new = $blog->connect;
cmp_ok $new->{generation}, '>', $keys->{generation}, 'connecting again is another generation';
is $new->{site_key}, $keys->{site_key}, 'of the same site';
is said($blog->client($new)->publish('events', 'e', {})), '200 ', 'which publishes';
my $sends = publisher($blog->client($new));
$sends->send_text('{"channel":"events","event":"e"}');
like $sends->receive(5)->{payload}, qr/"ok":true/, 'by a publish socket, too';
$sends->hang_up;
is replayed(), '401 site_revoked', 'the whoami that was kept is of no use to anybody';
my $leaked = $blog->client($keys);
is said($leaked->publish('events', 'e', {})), '401 invalid_signature', 'the old key that leaked does not';
is said($leaked->poll), '401 invalid_token', 'nor is a token good that it signs';
is said($blog->disconnect($keys)), '401 invalid_signature', 'nor can it disconnect the site again';
is said($blog->whoami($keys)), '401 site_revoked', 'or connect it';

# --- epoch and rotation -------------------------------------------------------------

my $key = WordSocket::Server::slurp("$server->{root}/host.key");
sub with_host_keys { $server->write_file('host.key', join '', @_); return $server->graceful }
ok with_host_keys('ab' x 32 . "\n", $key), 'a new host key before the old one';
is said($blog->client($new)->publish('events', 'e', {})), '200 ', 'the keys of the old one are good';
my $older = $blog->whoami($new);
is said($older), '200 ', 'for whoami, too';
is $older->{json}{proof}, $blog->proof($new), 'which proves itself by the secret that the site has';
my $newer = $blog->enroll;
isnt $newer->{publish_secret}, $new->{publish_secret}, 'a POST brings those of the new one';
is said($blog->whoami($newer)), '200 ', 'which are good, too';
is said($blog->client($newer)->publish('events', 'f', {})), '200 ', 'for publishing';
is said($blog->client($newer)->poll), '200 ', 'and for tokens';
ok with_host_keys('ab' x 32 . "\n"), 'without the old one';
is said($blog->client($new)->publish('events', 'e', {})), '401 invalid_signature', 'its keys are not good any more';
is said($blog->client($newer)->publish('events', 'g', {})), '200 ', 'the new ones are';

# --- a reload that finds them out of order ------------------------------------------

my $listening = $blog->client($newer);
for my $file ('host.key', 'host.key.sites') {
    my $good = "$server->{root}/$file.good";
    rename "$server->{root}/$file", $good or die "$file: $!\n";
    mkdir "$server->{root}/$file";
    $server->announce(qr/WSK0310 .*\Q$file\E/) if $file eq 'host.key';
    ok $server->graceful, "a reload, and $file is a folder";
    is said($listening->publish('events', 'e', {})), '200 ', 'what was connected stays so';
    is said($listening->poll), '200 ', 'its tokens, too';
    is said($second->client($its)->stats), '401 invalid_signature', 'keys of before are refused as before';
    rmdir "$server->{root}/$file";
    rename $good, "$server->{root}/$file" or die "$file: $!\n";
    is $blog->enroll, undef, 'no keys are handed out';
    is said($blog->whoami($newer)), '503 unavailable', 'nobody is connected';
}
ok $server->graceful, 'a reload when all is in order';
is_deeply $blog->enroll, $newer, 'brings the same keys as before';
is said($listening->publish('events', 'e', {})), '200 ', 'which are good';

$server->{vhost_lines} = 'WordSocketKeyEpoch 1';
$server->write_config;
ok $server->graceful, 'another epoch of one host';
is said($blog->client($newer)->publish('events', 'e', {})), '401 unknown_site_key', 'it knows none of its keys any more';
is said($blog->client($blog->connect)->publish('events', 'e', {})), '200 ', 'until it is connected again';

for my $secret (map { @$_{qw(publish_secret jwt_secret)} } $keys, $new, $newer, $its, $theirs) {
    ok index(WordSocket::Server::slurp("$server->{root}/$_"), $secret) < 0, "$_ holds no secret"
        for 'host.key.sites', 'logs/error_log', 'logs/access_log';
}
$server->stop;
$php->stop;
done_testing;
