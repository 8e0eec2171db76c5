# SPDX-License-Identifier: Apache-2.0
# Service mode, the dashboard: a user sees and changes their own sites and no
# others, a change is in force everywhere at once, and what was acknowledged
# survives the death of all of httpd.
use v5.30;
use warnings;
use lib 't/lib';
use IO::Select;
use POSIX ();
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Client;
use WordSocket::Relay;
use WordSocket::Sanitizer;
use WordSocket::Tenants ();

my @many = map { "user$_" } 1 .. 40;
my $relay = WordSocket::Relay->new(children => 4, users => \@many, lines => 'WordSocketSiteConnections 700',
    more_vhosts => <<'END')->start;
Listen 127.0.0.2:@Port@
<VirtualHost 127.0.0.2:@Port@>
    ServerName open.example
    WordSocketRegistry "@ServerRoot@/registry/open"
</VirtualHost>
END
sub field { WordSocket::Relay::field(@_) }
sub act { my ($user, %field) = @_; $relay->post($user, '/dashboard', %field) }

# --- nobody ----------------------------------------------------------------------------

is $relay->page(undef, '/dashboard')->{status}, 401, 'httpd asks who it is';
my $open = HTTP::Tiny->new->get($relay->base =~ s/127\.0\.0\.1/127.0.0.2/r . '/dashboard',
    { headers => { Authorization => 'Basic YW5uOmFubjE=' } });
is $open->{status}, 403, 'where httpd asks nobody, the dashboard refuses';
like $open->{content}, qr/AuthType Basic.*Require valid-user/s, 'and says what to do';
unlike $open->{content}, qr/API key/, 'and nothing else';
is +HTTP::Tiny->new->get($relay->base =~ s/127\.0\.0\.1/127.0.0.2/r . "/dashboard/$_", { headers => { Authorization => 'Basic YW5uOmFubjE=' } })->{status},
    403, "$_ refuses, too" for 'live', 'feed?site=' . 'f' x 32, 'connect';

# --- one's own ---------------------------------------------------------------------------

my $empty = $relay->page('ann', '/dashboard');
is $empty->{status}, 200, 'a new user has a dashboard';
like $empty->{content}, qr/Signed in as ann/, 'with their name';
like $empty->{content}, qr/No site is connected yet/, 'and no site';
like $empty->{headers}{'content-security-policy'}, qr/\Adefault-src 'none'; style-src 'nonce-([0-9a-f]{32})'; script-src 'nonce-\1'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'\z/,
    'no script but its own, no frame, no form to others';
isnt $relay->page('ann', '/dashboard')->{headers}{'content-security-policy'}, $empty->{headers}{'content-security-policy'}, 'by another nonce each time';
like $empty->{content}, qr/<meta name="viewport" content="width=device-width, initial-scale=1">/, 'fit for a phone';
is $empty->{headers}{'x-content-type-options'}, 'nosniff', 'its type is what it says';

my %key = map { $_ => $relay->api_key($_) } qw(ann bob);
unlike $relay->page('ann', '/dashboard')->{content}, qr/$key{ann}/, 'an API key is shown once';
like $relay->page('ann', '/dashboard')->{content}, qr/Made on \w{3}, \d\d \w{3} \d{4}/, 'then only its age';
my $site = $relay->register($key{ann}, 'https://a.example', 'Ann\'s "shop" <x>')->{json};
my $other = $relay->register($key{bob}, 'https://b.example', 'Bob')->{json};
my @sockets = map { $relay->client($site)->socket(channels => ['events']) } 1 .. 3;
my $page = $relay->page('ann', '/dashboard')->{content};
like $page, qr{<h3>Ann's &quot;shop&quot; &lt;x&gt;</h3>}, 'a site is listed by its name';
like $page, qr{<a href="https://a\.example" rel="noreferrer">https://a\.example</a>}, 'its URL';
like $page, qr{<code>$site->{site_key}</code>}, 'its key';
like $page, qr{<b data-n="connections">3</b><small>of 700 connections</small>}, 'its connections now, and their limit';
unlike $page, qr/$site->{publish_secret}|$site->{jwt_secret}/, 'no secret';
unlike $page, qr/b\.example|$other->{site_key}/, 'nothing of another account';
like $page, qr{<details><summary class="danger">Disconnect</summary>.*?<button class="danger">Yes, disconnect</button>}s, 'disconnecting is confirmed in place';

# --- how it is now ------------------------------------------------------------------------

sub live { my ($user, %headers) = @_; my $answer = $relay->page($user, '/dashboard/live', headers => \%headers); $answer->{json} = eval { WordSocket::Client->decode($answer->{content}) }; $answer }
my $by = $relay->client($site);
is $by->publish('events', 'e', { n => $_ })->{status}, 200, "message $_" for 1 .. 3;
my $now;
$relay->wait_for(5, sub { $now = live('ann')->{json}{sites}{ $site->{site_key} }; $now->{delivered} >= 9 });
is_deeply [ @$now{qw(connections max_connections delivered)} ], [ 3, 700, 9 ], 'connections, their limit, and what was delivered';
is scalar @{ $now->{pulse} }, 60, 'the last ten minutes';
ok !exists $now->{fault}, 'nothing was refused';
is $relay->probe($site), 'invalid_signature', 'the plugin looks whether its key is known';
ok !exists live('ann')->{json}{sites}{ $site->{site_key} }{fault}, 'which is no fault';
is $relay->client({ %$site, publish_secret => 'x' x 64 })->publish('events', 'e', {})->{status}, 401, 'a message with a wrong secret';
is live('ann')->{json}{sites}{ $site->{site_key} }{fault}{error}, 'invalid_signature', 'is told as the last that was refused';
like $relay->page('ann', '/dashboard')->{content}, qr{<p class="fault">Last refusal, just now: invalid_signature}, 'on the page, too';
is_deeply [ keys %{ live('bob')->{json}{sites} } ], [ $other->{site_key} ], 'nobody is told of another\'s site';
is live(undef)->{status}, 401, 'nor who does not say who it is';
is live('ann', 'Sec-Fetch-Site' => 'cross-site')->{status}, 403, 'nor another site\'s page';
is $relay->page('bob', "/dashboard/feed?site=$site->{site_key}")->{status}, 404, 'nor of its connections';
is $relay->page('ann', '/dashboard/feed?site=' . 'f' x 32)->{status}, 404, 'a site nobody has is nobody\'s';
is $relay->page(undef, "/dashboard/feed?site=$site->{site_key}")->{status}, 401, 'and httpd asks here, too';

my $feed = $relay->feed('ann', $site);
is $feed->next_data(5)->{data}, '{"channel":"wps:connections","event":"wps.connections","data":{"active_connections":3,"max_connections":700}}',
    'a stream tells the connections, without counting itself';
my $fourth = $relay->client($site)->socket(channels => ['events']);
like $feed->next_data(5)->{data}, qr/"active_connections":4,/, 'and who comes';
undef $fourth;
like $feed->next_data(5)->{data}, qr/"active_connections":3,/, 'and goes';
is $by->publish('events', 'e', {})->{status}, 200, 'what the site says';
is $feed->next_data(0.5), undef, 'is not for the dashboard';
$sockets[0]->message(5) for 1 .. 4;
undef $feed;
ok $relay->wait_for(5, sub { my $counters = WordSocket::Tenants::status_of($relay)->{counters}; $counters->{opened_feed} == $counters->{closed_feed} }), 'it ends';
my @feeds = map { $relay->feed('ann', $site) } 1 .. 8;
is $relay->feed('ann', $site, status => 429)->{status}, 429, 'a user has eight such streams';
my $bobs_feed = $relay->feed('bob', $other);
is $bobs_feed->{status}, 200, 'another has their own';
# A stream is counted when the loop has it, a moment after its head.
my $counted;
$relay->wait_for(5, sub {
    $counted = WordSocket::Tenants::status_of($relay);
    $counted->{counters}{opened_feed} - $counted->{counters}{closed_feed} == 9;
});
is_deeply [ $counted->{connections}, @{ $counted->{transports} }{qw(websocket event_stream)} ], [ 3, 3, 0 ], 'the status page does not count them as connections';
is $counted->{counters}{opened_feed} - $counted->{counters}{closed_feed}, 9, 'but by themselves';
undef @feeds;
undef $bobs_feed;
ok $relay->wait_for(5, sub { eval { $relay->feed('ann', $site) } }), 'those that end make room';

# --- another's ---------------------------------------------------------------------------

for my $action (qw(disconnect rotate)) {
    is act('bob', action => $action, site => $site->{site_key})->{status}, 404, "$action of another's site: no such site";
    is act('ann', action => $action, site => $site->{site_key}, guard => $_)->{status}, 403, "$action without a good guard"
        for '', 'x' x 64, field($relay->page('bob', '/dashboard'), 'guard');
}
is act('ann', action => 'key', guard => '')->{status}, 403, 'nor does a stranger\'s page renew the API key';
is act('ann', action => 'no such', site => $site->{site_key})->{status}, 400, 'what is no action';
is $relay->browse(GET => 'ann', "/dashboard?action=disconnect&site=$site->{site_key}")->{status}, 200, 'a link does nothing';
is $relay->client($site)->stats->{json}{active_connections}, 3, 'the site is as it was';

# --- rotate ------------------------------------------------------------------------------

my $rotated = act('ann', action => 'rotate', site => $site->{site_key});
is $rotated->{status}, 200, 'new secrets';
my ($publish, $jwt) = $rotated->{content} =~ m{WPSIGNAL_SITE_SECRET</dt><dd><code>([0-9a-f]{64}).*?WPSIGNAL_JWT_SECRET</dt><dd><code>([0-9a-f]{64})}s;
my $new = { %$site, publish_secret => $publish, jwt_secret => $jwt };
for my $one ([ old => $site ], [ new => $new ]) {
    my ($what, $with) = @$one;
    is_deeply { map { $relay->client($with)->publish('events', $what, {})->{status} => 1 } 1 .. 20 }, { 200 => 1 }, "the $what secret is good in all children";
    ok $relay->client($with)->socket(channels => ['events'])->{subscribed}, "and so are tokens of the $what one";
}
is $sockets[0]->message(5)->{event}, 'old', 'no socket was dropped';
act('ann', action => 'rotate', site => $site->{site_key});
is $relay->client($site)->publish('events', 'x', {})->{status}, 401, 'rotated again, the oldest is dead';
is $relay->client($new)->publish('events', 'x', {})->{status}, 200, 'the one before is not';

# --- disconnect, under load ------------------------------------------------------------------

my @crowd = map { $relay->client($new)->socket(channels => ['events']) } 1 .. 60;
pipe my $stop, my $running or die $!;
my @publishers = map {
    my $pid = fork // die $!;
    if (!$pid) {
        close $running;
        my $by = $relay->client($other);
        my %status;
        until (IO::Select->new($stop)->can_read(0)) {
            $status{ $by->publish('events', 'load', { x => 'y' x 200 })->{status} }++;
        }
        POSIX::_exit(join(' ', sort keys %status) =~ /\A200(?: 429)?\z/ ? 0 : 1);
    }
    $pid;
} 1 .. 2;
sleep 0.3;
my $from = time;
my $gone = act('ann', action => 'disconnect', site => $site->{site_key});
my $answered = time;
is $gone->{status} . ' ' . ($gone->{headers}{location} // ''), '303 dashboard', 'disconnected, and back to the list';
is_deeply { map { $relay->probe($new) => 1 } 1 .. 24 }, { unknown_site_key => 1 }, 'its key is unknown in all children at once';
my %codes;
$codes{ $_->close_code(5) // 'none' }++ for @sockets, @crowd;
my $took = time - $answered;
is_deeply \%codes, { 4003 => 63 }, 'all its sockets are closed with 4003';
cmp_ok $took, '<', 1 * WordSocket::Sanitizer::slowness(), sprintf 'within a second, in all children, under load (%.2f s)', $took;
close $running;
is join(' ', map { waitpid($_, 0); $? } @publishers), '0 0', 'the others went on publishing';
unlike $relay->page('ann', '/dashboard')->{content}, qr/a\.example/, 'it is no longer listed';

# --- cut between the disk and the segment -----------------------------------------------------

my $leaves = "UPDATE site SET archived = 1, times = times + 1, publish = NULL, jwt = NULL WHERE key = '%s'";
my $cut = $relay->register($key{ann}, 'https://cut.example')->{json};
my $held = $relay->client($cut)->socket(channels => ['events']);
ok $relay->behind(sprintf $leaves, $cut->{site_key}), 'who disconnects a site dies before it is told';
is $relay->probe($cut), 'invalid_signature', 'it is in force still';
is act('bob', action => 'disconnect', site => $cut->{site_key})->{status}, 404, 'of another the same is asked';
is act('ann', action => 'disconnect', site => $cut->{site_key})->{status}, 303, 'pressed again';
is_deeply { map { $relay->probe($cut) => 1 } 1 .. 12 }, { unknown_site_key => 1 }, 'it is gone';
is $held->close_code(5), 4003, 'with its sockets';
$cut = $relay->register($key{ann}, 'https://cut.example')->{json};
$relay->behind(sprintf $leaves, $cut->{site_key});
is $relay->page('ann', '/dashboard')->{status}, 200, 'or the dashboard is opened';
is_deeply { map { $relay->probe($cut) => 1 } 1 .. 12 }, { unknown_site_key => 1 }, 'and it is gone, too';

# Disconnected and connected again before anybody was told of either.
$cut = $relay->register($key{ann}, 'https://cut.example')->{json};
my @before = map { $relay->client($cut)->socket(channels => ['events']) } 1 .. 8;
is $relay->client($cut)->publish('events', 'before', {})->{status}, 200, 'a message of before';
my $since = $before[0]->message(5)->{id};
is $relay->client($cut)->publish('events', 'more', {})->{status}, 200, 'and another';
$relay->behind(sprintf $leaves, $cut->{site_key});
$cut = $relay->register($key{ann}, 'https://cut.example')->{json};
is_deeply { map { ($_->close_code(5) // 'none') => 1 } @before }, { 4003 => 1 }, 'sockets of before are closed';
my $after = $relay->client($cut)->socket(channels => ['events'], since => $since);
is +($after->message(5) // {})->{type}, 'gap', 'and its messages are lost, which is told';
is $relay->client($cut)->publish('events', 'after', {})->{status}, 200, 'it works';
is $after->message(5)->{event}, 'after', 'as new';

is $relay->unregister($cut)->{status}, 200, 'and may leave';

# --- kill -9 ------------------------------------------------------------------------------------

# Register without pause, for many accounts, so that none is too busy; what was
# answered goes up the pipe.
my @keys = map { $relay->api_key($_) } @many;
sub key_of { my ($url) = @_; $keys[ ($url =~ /-(\d+)/)[0] % @keys ] }
sub registrar {
    my ($number, $out) = @_;
    my $http = HTTP::Tiny->new(timeout => 5);
    for my $n (1 .. 100_000) {
        my $url = "https://r$number-" . $n % 40 . '.example';
        my $answer = $http->post($relay->base . '/api/sites/register', {
            headers => { Authorization => 'Bearer ' . key_of($url) }, content => WordSocket::Client->encode({ site_url => $url }) });
        next if $answer->{status} == 429;    # this account has spent its changes; others have not
        last if $answer->{status} != 200 && $answer->{status} != 503;
        syswrite $out, "$url $answer->{content}\n" if $answer->{status} == 200;
    }
    return;
}
$relay->announce(qr/AH00098: pid file .* overwritten/);
my %acknowledged;
for my $round (1 .. ($ENV{WSK_LONG} ? 50 : 4)) {
    pipe my $in, my $out or die $!;
    my @pids = map {
        my $number = $_;
        my $pid = fork // die $!;
        if (!$pid) { registrar($number, $out); POSIX::_exit(0) }
        $pid;
    } 1, 2;
    close $out;
    sleep 0.25 + 0.2 * rand;
    $relay->kill_all;
    my $count = 0;
    while (<$in>) {
        my ($url, $json) = /\A(\S+) (\{.*\})\Z/ or next;
        $acknowledged{$url} = WordSocket::Client->decode($json);
        $count++;
    }
    waitpid $_, 0 for @pids;
    cmp_ok $count, '>', 0, "round $round: httpd is killed after $count registrations";
    $relay->start;
    # The last of a URL may have been committed and not answered: the key is the
    # same then, and the secrets are newer.
    my %said;
    for my $url (keys %acknowledged) {
        my $by = $relay->client($acknowledged{$url});
        $said{ $by->publish('events', 'e', {})->{json}{error} // 'ok' }++;
    }
    is_deeply [ grep { !/\A(?:ok|invalid_signature)\z/ } keys %said ], [], 'every site that was answered is there';
    cmp_ok $said{invalid_signature} // 0, '<=', 2 * $round, 'with the secrets that were answered, but for those under way';
    is $relay->register($key{bob}, 'https://b.example')->{json}{site_key}, $other->{site_key}, 'the registry takes more';
}
is $relay->register(key_of($_), $_)->{json}{site_key}, $acknowledged{$_}{site_key}, "$_ has the key it was given"
    for (sort keys %acknowledged)[0 .. 4];

# --- a registry that does not open ------------------------------------------------------------------

$relay->write_file('registry/sites', 'x' x 8192);
$relay->announce(qr/WSK0403 the registry \S+ does not open: file is not a database/);
$relay->graceful;
is $relay->register($key{bob}, 'https://c.example')->{status}, 503, 'a damaged registry takes nothing';
is $relay->page('ann', '/dashboard')->{status}, 503, 'nor has it a dashboard';
is $relay->client($relay->site)->get('/healthz')->{status}, 200, 'httpd serves all the same';
my ($url) = grep { $relay->client($acknowledged{$_})->stats->{status} == 200 } sort keys %acknowledged;
is $relay->client($acknowledged{$url})->publish('events', 'e', {})->{status}, 200, 'and so do the sites it has in memory';
unlink $relay->registry;
$relay->write_file('registry/sites', '');
chown +(getpwnam 'www-data')[2, 3], $relay->registry if !$>;
chmod 0644, $relay->registry;
like $relay->config_test, qr/Syntax OK/, 'httpd -t does not touch it';
$relay->stop;
$relay->announce(qr/WSK0306 WordSocketRegistry \S+: must be a file that the User of httpd owns and nobody else may read/);
{
    local %ENV = (%ENV, WordSocket::Sanitizer::environment(@$relay{qw(top root)}));
    qx{timeout 60 @{[ $relay->httpd ]} -DFOREGROUND -f '$relay->{conf}' 2>&1};
}
is $? >> 8, 1, 'a registry that others can read keeps httpd from starting';
# SQLite gives the journal the rights of the file, should something be written.
my @files = map { $relay->registry . $_ } '', '-journal';
chmod 0600, @files;
$relay->start;
my $last = $relay->page('ann', '/dashboard');
is $last->{status}, 200, 'for httpd alone, it starts' or diag $last->{content};
my $kept = $relay->register($relay->api_key('ann'), 'https://kept.example')->{json};
chmod 0644, $relay->registry;
$relay->announce(qr/WSK0311 WordSocketRegistry \S+: must be a file that the User of httpd owns/);
ok $relay->graceful, 'a reload that finds such a file goes on';
is $relay->client($kept)->publish('events', 'e', {})->{status}, 200, 'and so do its sites';
chmod 0600, @files;
ok $relay->graceful, 'when it is mended';
is $relay->client($kept)->publish('events', 'f', {})->{status}, 200, 'they still do';
is $relay->unregister($kept)->{status}, 200, 'and may leave';
$relay->stop;
done_testing;
