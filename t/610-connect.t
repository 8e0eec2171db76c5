# SPDX-License-Identifier: Apache-2.0
# Service mode, one click: the approval page, the code by way of the browser,
# the exchange; and that no secret goes anywhere but to the site itself.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Client;
use WordSocket::Relay;

my $relay = WordSocket::Relay->new(children => 4, more_vhosts => <<'END')->start;
Listen 127.0.0.2:@Port@
<VirtualHost 127.0.0.2:@Port@>
    ServerName other.example
    WordSocketRegistry "@ServerRoot@/registry/other"
    <Location "/wordsocket/dashboard">
        AuthType Basic
        AuthName "Another"
        AuthUserFile "@ServerRoot@/users"
        Require valid-user
    </Location>
</VirtualHost>
END
my %asked = (
    state => 's' x 64, site_url => 'https://shop.example/', site_name => 'Tea & <b>Cups</b> "here"',
    callback_url => 'https://shop.example/wp-admin/admin-post.php?action=wpsignal_oauth_callback');

sub said {
    my ($answer) = @_;
    return "$answer->{status} " . ($answer->{json}{error} // '');
}
sub ask { my ($user, %change) = @_; $relay->page($user, '/dashboard/connect?' . WordSocket::Client::query(%asked, %change)) }

# What the browser posts after a click on this button of that page.
sub decide {
    my ($user, $page, $decision, %change) = @_;
    my %field = map { $_ => WordSocket::Relay::field($page, $_) } qw(guard state callback_url site_url site_name);
    return $relay->post($user, '/dashboard/connect', %field, decision => $decision, %change);
}
sub code_of { WordSocket::Relay::field($_[0], 'wps_code') }
sub approved { my ($user, %change) = @_; code_of(decide($user, ask($user, %change), 'approve')) }
sub policy { $_[0]{headers}{'content-security-policy'} }

# --- approved -------------------------------------------------------------------------

my $page = ask('ann');
is $page->{status}, 200, 'the page asks';
like $page->{content}, qr{<dd>\Q$_\E</dd>}, "it shows $_"
    for 'ann', 'https://shop.example', $asked{callback_url}, 'Tea &amp; &lt;b&gt;Cups&lt;/b&gt; &quot;here&quot;';
unlike $page->{content}, qr/<b>|<script/, 'nothing of the request is markup, and no script runs';
like policy($page), qr/\Adefault-src 'none'; style-src 'nonce-[0-9a-f]{32}'; base-uri 'none'; frame-ancestors 'none'; form-action 'self' https:\/\/shop\.example\z/,
    'its policy allows a form to us and to the site';
is $page->{headers}{'cache-control'}, 'no-store', 'it is stored nowhere';
is $page->{headers}{'x-frame-options'}, 'DENY', 'and framed nowhere';
my $sent = decide('ann', $page, 'approve');
is $sent->{status}, 200, 'approved: a page';
like $sent->{content}, qr{<form method="post" action="https://shop\.example/wp-admin/admin-post\.php\?action=wpsignal_oauth_callback"}, 'with a form to the callback';
is WordSocket::Relay::field($sent, 'wps_state'), $asked{state}, 'that has the state';
like code_of($sent), qr/^[0-9a-f]{64}$/, 'and a code';
like policy($sent), qr/form-action https:\/\/shop\.example\z/, 'and may go there only';
my ($nonce) = policy($sent) =~ /script-src 'nonce-([0-9a-f]{32})'/;
like $sent->{content}, qr{<script nonce="$nonce">\ndocument\.getElementById\('back'\)\.submit\(\)\n</script>}, 'a script posts it';
unlike $sent->{content}, qr/publish_secret|jwt/, 'no secret is on it';
is qx{grep -c -a @{[ code_of($sent) ]} '${\$relay->registry}'}, "0\n", 'the code is not in the registry';

my $got = $relay->exchange(code => code_of($sent));
is $got->{status}, 200, 'the code is exchanged';
my $site = $got->{json};
is_deeply [ sort keys %$site ], [qw(jwt_secret publish_secret site_key)], 'for what the plugin keeps';
is_deeply { map { $relay->probe($site) => 1 } 1 .. 20 }, { invalid_signature => 1 }, 'the site is there in all children';
is said($relay->exchange(code => code_of($sent))), '400 invalid_code', 'once';
my $again = $relay->exchange(code => approved('ann'))->{json};
is $again->{site_key}, $site->{site_key}, 'connected again it has its key';
isnt $again->{publish_secret}, $site->{publish_secret}, 'and a new secret';
my $by_key = $relay->register($relay->api_key('ann'), 'https://shop.example')->{json};
is $by_key->{site_key}, $site->{site_key}, 'by API key it is the same site';
my $bobs = $relay->exchange(code => approved('bob'))->{json};
isnt $bobs->{site_key}, $site->{site_key}, 'for another account it is another';

# --- codes ------------------------------------------------------------------------------

is said($relay->exchange(code => $_)), '400 invalid_code', "no code: '" . substr($_, 0, 8) . "'" for '', 'x', '0' x 64, 'A' x 64, "' OR 1=1 --";
is said($relay->call('/api/connect/exchange', { code => [] })), '400 invalid_code', 'nor a list';
my $code = approved('ann');
is said($relay->exchange(code => $code, site_url => 'https://evil.example')), '400 invalid_code', 'a code is for its site';
is $relay->exchange(code => $code, site_url => 'https://SHOP.example')->{status}, 200, 'and good there';
my $old = approved('ann');
my $newer = approved('ann');
is said($relay->exchange(code => $old)), '400 invalid_code', 'a newer code takes the place of an older one';
my @race = map { my $pid = open my $out, '-|'; if (!$pid) { print $relay->exchange(code => $newer)->{status}; POSIX::_exit(0) if close STDOUT } $out } 1 .. 8;
my @status = sort map { my $s = <$_>; $s } @race;
is "@status", '200 ' . join(' ', ('400') x 7), 'of eight who come at once with one code, one gets the site';

# --- cancelled and refused ----------------------------------------------------------------

my $cancelled = decide('ann', ask('ann'), 'cancel');
is $cancelled->{status}, 303, 'cancelled: a redirect';
is $cancelled->{headers}{location}, "$asked{callback_url}&wps_error=cancelled", 'that says so';
is decide('ann', ask('ann', callback_url => 'https://shop.example/cb'), 'cancel')->{headers}{location},
    'https://shop.example/cb?wps_error=cancelled', 'also where there is no query';

my %wrong = (
    'another host'      => { callback_url => 'https://evil.example/cb' },
    'a subdomain'       => { callback_url => 'https://a.shop.example/cb' },
    'another port'      => { callback_url => 'https://shop.example:8443/cb' },
    'another path'      => { site_url => 'https://shop.example/~alice', callback_url => 'https://shop.example/~mallory/cb' },
    'a path that begins alike' => { site_url => 'https://shop.example/~alice', callback_url => 'https://shop.example/~alice2/cb' },
    'the way up'        => { site_url => 'https://shop.example/~alice', callback_url => 'https://shop.example/~alice/../~mallory/cb' },
    'the way up, encoded' => { site_url => 'https://shop.example/~alice', callback_url => 'https://shop.example/~alice/%2E%2e/~mallory/cb' },
    'an empty segment'  => { site_url => 'https://shop.example/~alice', callback_url => 'https://shop.example//~alice/cb' },
    'the way up in the site' => { site_url => 'https://shop.example/~alice/../~mallory', callback_url => 'https://shop.example/~mallory/cb' },
    'another scheme'    => { callback_url => 'http://shop.example/cb' },
    'a user in front'   => { callback_url => 'https://shop.example@evil.example/cb' },
    'a backslash'       => { callback_url => 'https://evil.example\\@shop.example/cb' },
    'a script'          => { callback_url => 'javascript:alert(1)//https://shop.example' },
    'a header in it'    => { callback_url => "https://shop.example/cb\r\nX-Evil: 1" },
    'no callback'       => { callback_url => undef },
    'no state'          => { state => '' },
    'no site'           => { site_url => undef },
    'a query in the site' => { site_url => 'https://shop.example/?x' },
    'plain http'        => { site_url => 'http://shop.example', callback_url => 'http://shop.example/cb' },
    'nearly loopback'   => { site_url => 'http://127.example', callback_url => 'http://127.example/cb' },
);
for my $what (sort keys %wrong) {
    my $said = ask('ann', %{ $wrong{$what} });
    is $said->{status} . ($said->{headers}{location} // ''), '400', "a page, no redirect: $what";
    unlike policy($said), qr/evil|http:/, '... whose policy names no stranger';
    my $forced = decide('ann', $page, 'approve', %{ $wrong{$what} });
    is $forced->{status}, 400, '... nor does a posted form get further';
    unlike $forced->{content}, qr/wps_code/, '... or a code';
}
is ask('ann', site_url => 'https://shop.example/~alice/', callback_url => "https://shop.example/~alice$_")->{status}, 200, "below the site: '$_'"
    for '/wp-admin/x.php?a=/../b', '?x=y', '', '/.well-known/x';
like policy(ask('ann', site_url => 'http://[::1]:8080', callback_url => 'http://[::1]:8080/cb')), qr/form-action 'self' http:\z/, 'a policy has no word for an address of IPv6';
is ask('ann', site_url => $_, callback_url => "$_/cb")->{status}, 200, "loopback may do without https: $_"
    for 'http://localhost:8080', 'http://127.0.0.1:8080', 'http://[::1]:8080';

# --- who may say yes ------------------------------------------------------------------------

is ask(undef)->{status}, 401, 'httpd asks who it is';
is $relay->browse(GET => undef, '/dashboard/connect', headers => { Authorization => 'Basic YW5uOng=' })->{status}, 401, 'and whether it is true';
my $guard = WordSocket::Relay::field($page, 'guard');
for my $how ([ 'no guard' => guard => '' ], [ 'a wrong one' => guard => '0' x 64 ]) {
    my ($what, %change) = @$how;
    is decide('ann', $page, 'approve', %change)->{status}, 403, "a form with $what is not ours";
}
is decide('bob', $page, 'approve')->{status}, 403, 'nor is one that was shown to somebody else';
my $cross = $relay->browse(POST => 'ann', '/dashboard/connect',
    headers => { 'Content-Type' => 'application/x-www-form-urlencoded', 'Sec-Fetch-Site' => 'cross-site' },
    content => WordSocket::Client::query(%asked, guard => $guard, decision => 'approve'));
is $cross->{status}, 403, 'nor one that another site\'s page posts';
sub with_origin {
    my (%headers) = @_;
    return $relay->browse(POST => 'ann', '/dashboard/connect', headers => { 'Content-Type' => 'application/x-www-form-urlencoded', %headers },
        content => WordSocket::Client::query(%asked, guard => $guard, decision => 'cancel'))->{status};
}
is with_origin(Origin => $_), 403, "nor one with the Origin $_" for 'https://evil.example', 'null', "http://127.0.0.1:1", 'http://127.0.0.1';
is with_origin(Origin => "http://127.0.0.1:$relay->{port}"), 303, 'with our own it is';
is with_origin(Origin => 'https://relay.example', 'X-Forwarded-Host' => 'relay.example'), 303, 'also by the name that a proxy in front has';
is with_origin(Origin => 'https://evil.example', 'X-Forwarded-Host' => 'relay.example'), 403, 'and by no other';
my $plain = $relay->browse(POST => 'ann', '/dashboard/connect', headers => { 'Content-Type' => 'text/plain' },
    content => WordSocket::Client::query(%asked, guard => $guard, decision => 'approve'));
is $plain->{status}, 400, 'nor a body that is no form';
is decide('ann', $page, '')->{headers}{location}, "$asked{callback_url}&wps_error=cancelled", 'no decision is no';

# --- too many ---------------------------------------------------------------------------------

my $cy = $relay->api_key('cy');
is_deeply [ grep { $_ != 200 } map { $relay->register($cy, "https://n$_.example")->{status} } 1 .. 100 ], [], 'an account may have a hundred sites';
my $full = $relay->register($cy, 'https://n101.example');
is said($full), '403 site_limit_reached', 'and no more';
like $full->{json}{message}, qr{https://n1\.example}, 'it is told which to give up';
is $relay->register($cy, 'https://n5.example')->{status}, 200, 'those it has it may connect again';
my $refused = decide('cy', ask('cy'), 'approve');
like $refused->{headers}{location}, qr{\Ahttps://shop\.example/wp-admin/admin-post\.php\?action=wpsignal_oauth_callback&wps_error=site_limit_reached&wps_message=This\+account},
    'the approval page sends the refusal back';
my $elsewhere = WordSocket::Relay::field({ content => HTTP::Tiny->new->get($relay->base =~ s/127\.0\.0\.1/127.0.0.2/r . '/dashboard',
    { headers => { Authorization => 'Basic ' . MIME::Base64::encode_base64('cy:cy1', '') } })->{content} }, 'guard');
like $elsewhere, qr/^[0-9a-f]{64}$/, 'another relay of this server knows a user of that name';
is $relay->post('cy', '/dashboard', action => 'key', guard => $elsewhere)->{status}, 403, 'but its forms are not ours';
$relay->announce(qr/AH01617: user ann: authentication failure/);
$relay->stop;
done_testing;
