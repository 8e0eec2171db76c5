# SPDX-License-Identifier: Apache-2.0
# Service mode, what a site's server calls: register and unregister with an API
# key, in force in all children at once, and nobody gets another's site.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(time sleep);
use WordSocket::Relay;
use WordSocket::Tenants qw(status_of);

my $relay = WordSocket::Relay->new(children => 4,
    lines => "Listen 127.0.0.2:\@Port\@\n",
    more_vhosts => "<VirtualHost 127.0.0.2:\@Port\@>\n    ServerName other.example\n</VirtualHost>\n")->start;
my ($ann, $bob) = map { $relay->api_key($_) } qw(ann bob);

sub said {
    my ($answer) = @_;
    return "$answer->{status} " . ($answer->{json}{error} // '');
}

# Every child answers some of these.
sub everywhere {
    my ($what) = @_;
    return join ' ', sort keys %{ { map { $what->() => 1 } 1 .. 24 } };
}

# --- register -----------------------------------------------------------------------

my $first = $relay->register($ann, 'https://a.example/');
is $first->{status}, 200, 'a site is registered';
is $first->{headers}{'cache-control'}, 'no-store', 'and the answer stored nowhere';
my $site = $first->{json};
is_deeply [ sort keys %$site ], [qw(jwt_secret publish_secret site_key)], 'it gets three texts';
like $site->{site_key}, qr/^[0-9a-f]{32}$/, 'a key';
like $site->{$_}, qr/^[0-9a-f]{64}$/, "a $_" for qw(publish_secret jwt_secret);
is everywhere(sub { $relay->probe($site) }), 'invalid_signature', 'the plugin finds it in all children at once';
is everywhere(sub { $relay->client($site)->stats->{json}{max_connections} }), 5000, 'stats have its cap';
my $ws = $relay->client($site)->socket(channels => ['events']);
is $relay->client($site)->publish('events', 'hello', {})->{status}, 200, 'it publishes';
is $ws->message(5)->{event}, 'hello', 'and its visitor hears it';

my $again = $relay->register($ann, 'HTTPS://A.example:443')->{json};
is $again->{site_key}, $site->{site_key}, 'the same URL has the same key';
isnt $again->{$_}, $site->{$_}, "with a fresh $_" for qw(publish_secret jwt_secret);
is everywhere(sub { said($relay->client($site)->publish('events', 'e', {})) }), '401 invalid_signature', 'the old secret is dead in all children';
is everywhere(sub { said($relay->client($again)->publish('events', 'e', {})) }), '200 ', 'the new one lives in all';
my $blog = $relay->register($ann, 'https://a.example/blog')->{json};
isnt $blog->{site_key}, $site->{site_key}, 'another path is another site';
my $other = $relay->register($bob, 'https://a.example')->{json};
isnt $other->{site_key}, $site->{site_key}, 'another account that names the URL gets a site of its own';
is everywhere(sub { said($relay->client($again)->publish('events', 'e', {})) }), '200 ', 'and the first account keeps its';
is_deeply { map { $_->{user} => $_->{sites} } @{ status_of($relay)->{users} } }, { 'account:ann' => 2, 'account:bob' => 1 },
    'the sites of an account share the limits of one user';

my %refused = (
    'no API key'       => [ $relay->register(undef, 'https://b.example'), '401 invalid_api_key' ],
    'a wrong one'      => [ $relay->register('0' x 64, 'https://b.example'), '401 invalid_api_key' ],
    'half of one'      => [ $relay->register(substr($ann, 0, 32), 'https://b.example'), '401 invalid_api_key' ],
    'its hash'         => [ $relay->register(Digest::SHA::sha256_hex($ann), 'https://b.example'), '401 invalid_api_key' ],
    'no URL'           => [ $relay->register($ann, undef), '400 invalid_request' ],
    'a URL of a file'  => [ $relay->register($ann, 'file:///etc/passwd'), '400 invalid_request' ],
    'a URL in two readings' => [ $relay->register($ann, 'https://a.example\\@b.example'), '400 invalid_request' ],
    'no JSON'          => [ $relay->call('/api/sites/register', 'site_url=x', Authorization => "Bearer $ann"), '400 invalid_json' ],
    'a list'           => [ $relay->call('/api/sites/register', '[]', Authorization => "Bearer $ann"), '400 invalid_json' ],
    'another signature' => [ $relay->call('/api/sites/register', { site_url => 'https://b.example', signature => 3 },
            Authorization => "Bearer $ann"), '400 invalid_request' ],
    'too much'         => [ $relay->call('/api/sites/register', '{"x":"' . 'x' x 20_000 . '"}', Authorization => "Bearer $ann"), '413 too_large' ],
    'GET'              => [ $relay->client($site)->get('/api/sites/register'), '405 method_not_allowed' ],
);
is said($refused{$_}[0]), $refused{$_}[1], "refused: $_" for sort keys %refused;
like $refused{'a wrong one'}[0]{json}{message}, qr/invalid API key/, 'in words the plugin knows';
my $new = $relay->api_key('ann');
is said($relay->register($ann, 'https://a.example')), '401 invalid_api_key', 'an API key that was replaced is dead';
is everywhere(sub { $relay->probe($again) }), 'invalid_signature', 'its sites stay';

# --- the version of the signature ---------------------------------------------------

sub register_as {
    my (%more) = @_;
    return $relay->call('/api/sites/register', { site_url => 'https://v2.example', %more }, Authorization => "Bearer $new")->{json};
}
my $v2 = register_as(signature => 2);
is $v2->{signature}, 2, 'a site is connected for signatures of version 2';
is everywhere(sub { said($relay->client($v2)->publish('events', 'e', {})) }), '401 signature_v2_required', 'those of version 1 are refused in all children';
is everywhere(sub { said($relay->client($v2)->publish_v2('{"channel":"events","event":"e","data":{}}')) }), '200 ', 'those of version 2 are good';
my $v1 = register_as();
is "$v1->{site_key} " . ($v1->{signature} // 'none'), "$v2->{site_key} none", 'connected again without a word, it is of version 1';
is everywhere(sub { said($relay->client($v1)->publish('events', 'e', {})) }), '200 ', 'in all children';

# --- unregister ---------------------------------------------------------------------

is said($relay->unregister($again, secret => $other->{publish_secret})), '403 unauthorized', 'another site\'s secret is no proof';
is said($relay->unregister($again, secret => '', key => $bob)), '403 unauthorized', 'nor is another account\'s API key';
is said($relay->unregister($again, secret => 'x', key => $ann)), '401 invalid_api_key', 'a replaced API key is called that';
is said($relay->unregister({ site_key => 'f' x 32, publish_secret => 'x' })), '404 not_found', 'a site nobody knows';
is said($relay->call('/api/sites/unregister', {})), '400 invalid_request', 'no site at all';
my @crowd = map { $_ % 2 ? $relay->client($again)->socket(channels => ['events']) : $relay->client($again)->events } 1 .. 40;
my $bystander = $relay->client($other)->socket(channels => ['events']);
my $from = time;
is said($relay->unregister($again)), '200 ', 'its own secret is';
is everywhere(sub { $relay->probe($again) }), 'unknown_site_key', 'gone in all children: the plugin sees that it is disconnected';
my %codes;
for my $one (@crowd, $ws) {
    $codes{ $one->isa('WordSocket::Frames') ? $one->close_code(5) // 'none' : $one->ends(5) ? 'end' : 'open' }++;
}
my $took = time - $from;
is_deeply \%codes, { 4003 => 21, end => 20 }, 'its sockets are closed with 4003, its streams ended';
cmp_ok $took, '<', 1.5, sprintf 'within a second (%.2f s, with the asking)', $took;
is $relay->client($other)->publish('events', 'still', {})->{status}, 200, 'the other site of that URL publishes';
is $bystander->message(5)->{event}, 'still', 'and its visitor is there';
is $relay->client($again)->socket->close_code(5), 4003, 'a token of the gone site is told so';
is said($relay->unregister($again)), '404 not_found', 'it goes once';
my $back = $relay->register($new, 'https://a.example')->{json};
is $back->{site_key}, $site->{site_key}, 'registered again it has its key';
is everywhere(sub { said($relay->client($back)->publish('events', 'e', {})) }), '200 ', 'and works in all children';
is said($relay->unregister($back, secret => 'lost', key => $new)), '200 ', 'who lost the secret disconnects by API key';

# --- all at once ------------------------------------------------------------------------

# Through all children, the same sites in step: whatever was committed last is
# what all children have, before and after they read the registry anew.
use constant SITES => 25;
sub race {
    my ($number, $out) = @_;
    for my $n (1 .. SITES) {
        my $answer = $relay->register($new, "https://race-$n.example");
        syswrite $out, $answer->{status} == 200 ? "$answer->{content}\n" : "$answer->{status}\n";
        $relay->unregister($answer->{json}) if $answer->{json} && $n % 5 == 0 && $number == 1;
    }
    return;
}
sub good { my ($all) = @_; join ' ', sort grep { $_ } map { $relay->client($_)->stats->{status} == 200 ? $_->{publish_secret} : '' } @$all }
pipe my $in, my $out or die $!;
my @pids = map { my $number = $_; my $pid = fork // die $!; if (!$pid) { race($number, $out); POSIX::_exit(0) } $pid } 1 .. 8;
close $out;
my @lines = <$in>;
waitpid $_, 0 for @pids;
is_deeply [ grep { !/^(?:\{|503$)/ } @lines ], [], 'eight processes connect and disconnect the same sites';
my @made = map { WordSocket::Client->decode($_) } grep { /^\{/ } @lines;
is scalar keys %{ { map { $_->{site_key} => 1 } @made } }, SITES, 'each keeps its one key';
my $good = good(\@made);
cmp_ok scalar(split / /, $good), '<=', SITES, 'each has at most one secret that is good';
ok $relay->graceful, 'new children read the registry';
is good(\@made), $good, 'and find what was in force';

# --- elsewhere ------------------------------------------------------------------------

for my $path (qw(/api/sites/register /api/sites/unregister /api/connect/exchange /dashboard /dashboard/connect)) {
    my @said = map { said($relay->client($blog, host => '127.0.0.2')->request($_ => $path)) } qw(GET POST OPTIONS);
    is "@said[0, 1]", '404 not_found 404 not_found', "another virtual host has no $path";
}
is said($relay->client($blog, host => '127.0.0.2')->publish('events', 'e', {})), '401 unknown_site_key', 'nor does it serve its sites';
is_deeply [ (stat $relay->registry)[2] & 07777, (stat _)[4] ], [ 0600, $> || (getpwnam 'www-data')[2] ], 'the file is for httpd alone';
is qx{grep -c -a -e $new -e $bob '${\$relay->registry}'}, "0\n", 'no API key is in it';

# --- a reload -------------------------------------------------------------------------

sub told { [ $relay->log_text =~ /WSK0406 .*: (\d+) changes/g ] }
my $before = @{ told() };
ok $relay->graceful, 'a graceful reload';
$relay->wait_for(10, sub { @{ told() } >= $before + 4 });
my @told = @{ told() }[ $before .. $before + 3 ];
is_deeply [ map { $_ > 0 ? 1 : 0 } sort { $b <=> $a } @told ], [ 1, 0, 0, 0 ], "one child puts every site anew, the others none (@told)";
is everywhere(sub { said($relay->client($blog)->publish('events', 'e', {})) }), '200 ', 'keeps the sites';
is $relay->probe($back), 'unknown_site_key', 'and those that are gone, gone';
$relay->{vhost_lines} .= "WordSocketSiteConnections 77\n";
$relay->write_config;
ok $relay->graceful, 'another, with another limit';
my $late = $relay->register($new, 'https://late.example')->{json};
ok $relay->wait_for(10, sub { everywhere(sub { $relay->client($blog)->stats->{json}{max_connections} }) eq '77' }), 'which is that of all sites then';
ok $relay->wait_for(10, sub { everywhere(sub { $relay->client($late)->stats->{json}{max_connections} }) eq '77' }), 'and of one that came right after';
$relay->stop;
$relay->start;
is everywhere(sub { said($relay->client($blog)->publish('events', 'e', {})) }), '200 ', 'a full restart brings them back';
is $relay->probe($back), 'unknown_site_key', 'those that are gone stay so';
$relay->stop;

# --- a full segment ---------------------------------------------------------------------

my $small = WordSocket::Relay->new(children => 2, lines => 'WordSocketSharedMemory 8M')->start;
my @keys = map { $small->api_key($_) } qw(ann bob cy);
my ($n, $answer) = (0);
do { $answer = $small->register($keys[ $n / 100 ], "https://n$n.example") } while ($answer->{status} == 200 && ++$n < 300);
$small->announce(qr/WSK0301 the pages promised/);
is said($answer), '403 site_limit_reached', "after $n sites the segment has no place";
like $answer->{json}{message}, qr/WordSocketSharedMemory/, 'and it is told who can change that, and how';
unlike $small->page('cy', '/dashboard')->{content}, qr/n$n\.example/, 'the one that was refused is not in the registry';
is $small->register($keys[0], 'https://n7.example')->{status}, 200, 'one that is there may connect again';
$small->stop;

# --- one account is not all ---------------------------------------------------------------

$small = WordSocket::Relay->new(children => 2, lines => 'WordSocketSharedMemory 8M')->start;
@keys = map { $small->api_key($_) } qw(ann bob);
my (%keys, $oldest, $last, $wrong);
for my $n (1 .. 280) {
    $last = $small->register($keys[0], "https://n$n.example")->{json};
    $oldest //= $last;
    $keys{ $last->{site_key} // 'none' }++;
    $wrong .= said($small->unregister($last)) if $small->unregister($last)->{status} != 200;
}
is $wrong, undef, 'an account registers and unregisters 280 sites where there is place for 256';
is scalar keys %keys, 128, 'and had 128 keys for all of them';
my $bob_s = $small->register($keys[1], 'https://bob.example');
is $bob_s->{status}, 200, 'another account finds a place';
my $heir = $small->register($keys[0], 'https://heir.example')->{json};
ok $keys{ $heir->{site_key} }, 'a new URL has the key of one that left long ago';
is said($small->client($heir)->publish('events', 'e', {})), '200 ', 'with which it works';
is said($small->client({ %$heir, publish_secret => $oldest->{publish_secret} })->publish('events', 'e', {})), '401 invalid_signature', 'and the secret of that one does not';
my $busy;
for (1 .. 400) {
    $busy = $small->register($keys[0], 'https://heir.example');
    last if $busy->{status} != 200;
}
is said($busy) . " $busy->{headers}{'retry-after'}", '429 rate_limited 1', 'who changes too much is told to come later';
is said($small->register($keys[1], 'https://bob.example')), '200 ', 'which is nobody else\'s concern';
ok $small->wait_for(5, sub { $small->register($keys[0], 'https://heir.example')->{status} == 200 }), 'later it goes on';
$small->stop;
done_testing;
