# SPDX-License-Identifier: Apache-2.0
# Host mode between accounts: hosts that are owned by different users, each with
# a pool of PHP of its own, and a neighbour who tries what neighbours try.
use v5.30;
use warnings;
use lib 't/lib';
use File::Path qw(make_path);
use POSIX ();
use Test::More;
use WordSocket::Client;
use WordSocket::Host;
use WordSocket::Php;
use WordSocket::Server;

$> == 0 or die "this test is about an httpd started by root\n";
my ($alice, $bob) = qw(games backup);    # any two that are not httpd's

my $server = WordSocket::Server->new(modules => [qw(proxy_fcgi suexec userdir)], lines => <<'END');
WordSocketHostKey host/key
DirectoryIndex index.php
UserDir @ServerRoot@/home/*/www
<Directory "@ServerRoot@/home">
    Require all granted
    AllowOverride All
</Directory>
END
$server->prepare;
my $root = $server->{root};
mkdir "$root/host", 0700;
my $php = WordSocket::Php->start($root, alice => $alice, bob => $bob);
my %folder = (alice => "$root/home/$alice/www", bob => "$root/home/$bob/www");

sub own {
    my ($user, @files) = @_;
    my ($uid, $gid) = (getpwnam $user)[2, 3];
    return chown $uid, $gid, @files;
}

for ([ alice => $alice ], [ bob => $bob ]) {
    my ($name, $user) = @$_;
    make_path("$folder{$name}/sub", "$folder{$name}/theirs");
    WordSocket::Host::write_scripts($folder{$name});
    WordSocket::Host::write_scripts("$folder{$name}/$_") for qw(sub theirs);
    unlink "$folder{$name}/sub/.htaccess", "$folder{$name}/theirs/.htaccess";
    own($user, $folder{$name}, glob("$folder{$name}/* $folder{$name}/*/*"));
}
own($bob, "$folder{alice}/theirs/index.php");

sub hosts {
    my ($owner_of_alice) = @_;
    my $text = '';
    for ([ alice => $owner_of_alice, 2 ], [ bob => $bob, 3 ]) {
        my ($name, $user, $n) = @$_;
        $text .= "Listen 127.0.0.$n:\@Port\@\n<VirtualHost 127.0.0.$n:\@Port\@>\nServerName $name.example\n"
            . "DocumentRoot \"$folder{$name}\"\nSuexecUserGroup $user nogroup\n" . $php->handler($name) . "</VirtualHost>\n";
    }
    # Hers by another address, where what is signed must come of herself.
    $text .= "Listen 127.0.0.4:\@Port\@\n<VirtualHost 127.0.0.4:\@Port\@>\nServerName alice.example\n"
        . "DocumentRoot \"$folder{alice}\"\nSuexecUserGroup $owner_of_alice nogroup\nWordSocketPublisherUser On\n</VirtualHost>\n";
    return $server->{more_vhosts} = $text;
}
hosts($alice);
$server->start;

sub said { my ($answer) = @_; return "$answer->{status} " . ($answer->{json}{error} // ''); }
sub mode { sprintf '%o %d', (stat $_[0])[2] & 07777, (stat $_[0])[4] }
is mode("$root/host/key"), '600 0', 'the host key is root\'s alone';
is mode("$root/host/key.sites"), '600 0', 'so is what is remembered of sites';

my $hers = WordSocket::Host->new($server, host => '127.0.0.2', home => 'http://alice.example');
my $his  = WordSocket::Host->new($server, host => '127.0.0.3', home => 'http://bob.example');
my $keys = $hers->connect;
ok $keys, 'a site is connected by children that may not open either file';
my $client = $hers->client($keys);
my $ws = $client->socket(channels => ['events']);

# --- the neighbour ------------------------------------------------------------------

sub nothing {
    my ($name, $answer) = @_;
    is_deeply [ $answer->{json}{found}, index($answer->{content}, $keys->{publish_secret}) ], [ undef, -1 ], "nothing for $name"
        or diag $answer->{content};
    return $answer;
}
my $forged = $his->enroll(headers => { Host => 'alice.example', 'X-WordSocket-Home' => 'http://alice.example' }, path => '/wp-json/wpsignal/v1/enroll');
isnt $forged, undef, 'a neighbour who claims her home at his own host gets keys';
isnt $forged->{$_}, $keys->{$_}, "but another $_" for qw(site_key publish_secret jwt_secret);
my $claimed = WordSocket::Host->new($server, host => '127.0.0.3', home => 'http://alice.example');
is said($claimed->whoami($keys)), '401 unknown_site_key', 'her keys cannot be connected at his host';
my $stolen = WordSocket::Client->new($server, host => '127.0.0.3', site => $keys, version => 2);
is said($stolen->publish('events', 'e', {})), '401 unknown_site_key', 'nor published with there';

my $tilde = nothing('/~user/ at her host', $hers->post("/~$bob/?rest_route=/wpsignal/v1/enroll", headers => { 'X-WordSocket-Home' => "http://alice.example/~$bob" }));
like $tilde->{json}{script}, qr{/home/\Q$bob\E/www/index\.php$}, '(which runs)';
my $sub = $hers->enroll(path => '/sub/?rest_route=/wpsignal/v1/enroll', headers => { 'X-WordSocket-Home' => 'http://alice.example/sub' });
ok $sub && $sub->{publish_secret} ne $keys->{publish_secret}, 'her own script in a folder has keys of its own';
my $planted = nothing('his script in a folder of hers', $hers->post('/theirs/?rest_route=/wpsignal/v1/enroll', headers => { 'X-WordSocket-Home' => 'http://alice.example/theirs' }));
like $planted->{json}{script}, qr{/theirs/index\.php$}, '(which runs)';

my $body = WordSocket::Client->encode({ channel => 'events', event => 'e', data => 1 });
my %signed = $client->signed(POST => '/publish', $body);
is $his->client($keys)->request(POST => '/publish', content => $body, headers => \%signed)->{json}{error}, 'unknown_site_key',
    'her signed publish, replayed at his host, is nobody\'s';
is said($hers->disconnect({ %$keys, publish_secret => $forged->{publish_secret} })), '401 invalid_signature', 'his keys do not disconnect her';
is said($client->publish('events', 'own', { n => 1 })), '200 ', 'she publishes as ever';
is(($ws->messages(1))[0]{data}{n}, 1, 'and that is all that was heard');

# --- a stolen key, where the user counts ----------------------------------------------

# What a request says that a process of this user makes.
sub as_user {
    my ($user, $ask) = @_;
    my ($uid, $gid) = $user ? (getpwnam $user)[2, 3] : (0, 0);
    pipe my $from, my $to or die "pipe: $!\n";
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        POSIX::setgid($gid) && POSIX::setuid($uid) or POSIX::_exit(1);
        syswrite $to, eval { $ask->(WordSocket::Client->new($server, host => '127.0.0.4', site => $keys, version => 2)) } // "died: $@";
        POSIX::_exit(0);
    }
    close $to;
    my $said = do { local $/; <$from> };
    waitpid $pid, 0;
    return $said;
}
my $publish = sub { said($_[0]->publish('events', 'e', {})) };
is as_user($alice, $publish), '200 ', 'her own processes publish where the user counts';
is as_user($bob, $publish), '403 user_forbidden', 'with her stolen key a neighbour does not';
is as_user('', $publish), '403 user_forbidden', 'nor does root';
is as_user('www-data', $publish), '403 user_forbidden', 'nor httpd\'s own user';
is as_user($bob, sub { said($_[0]->stats) }), '403 user_forbidden', 'nor is he told how many listen';
is as_user($bob, sub { said($_[0]->publish_body('{"action":"disconnect"}', path => '/site/disconnect')) }), '403 user_forbidden',
    'nor may he disconnect her';
is as_user($bob, sub { said($_[0]->publish('events', 'e', {}, secret => 'wrong')) }), '401 invalid_signature',
    'without the key he is told nothing of it';
is as_user($bob, sub { my $claims = $_[0]; said($claims->poll) }), '200 ', 'what a token opens is everybody\'s that has one';
$ws->messages(1);

for my $name (qw(alice bob)) {
    my $user = { alice => $alice, bob => $bob }->{$name};
    for my $file ("$root/host/key", "$root/host/key.sites") {
        my $status = system 'setpriv', '--reuid', $user, '--clear-groups', 'test', '-r', $file;
        isnt $status, 0, "$user cannot read " . ($file =~ s{.*/}{}r);
    }
}

# --- a domain moves to another account ----------------------------------------------

hosts($bob);
$server->write_config;
own($bob, "$folder{alice}/index.php");
ok $server->graceful, 'her domain moves to his account';
is said($client->publish('events', 'e', {})), '401 unknown_site_key', 'her keys are worth nothing there any more';
my $moved = $hers->enroll;
isnt $moved->{$_}, $keys->{$_}, "he has another $_" for qw(site_key publish_secret jwt_secret);
hosts($alice);
$server->write_config;
own($alice, "$folder{alice}/index.php");
ok $server->graceful, 'it moves back';
is said($client->publish('events', 'e', {})), '200 ', 'and hers are good again';

$ws->hang_up;
$server->stop;
$php->stop;
done_testing;
