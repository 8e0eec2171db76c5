# SPDX-License-Identifier: Apache-2.0
# What is remembered of sites of host mode: files that are damaged, large, old or
# exchanged, copies of one request, and tenants who want all there is.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use POSIX ();
use Time::HiRes qw(time);
use WordSocket::Client;
use WordSocket::Host;
use WordSocket::Php;
use WordSocket::Server;
use WordSocket::Tenants;

my $server = WordSocket::Server->new(modules => ['proxy_fcgi'], lines => <<'END');
WordSocketHostKey host.key
DirectoryIndex index.php
WordSocketDrain 500ms
WordSocketHostSites 5
END
$server->prepare;
my $php = WordSocket::Php->start($server->{root}, site => '');
$server->{lines} .= $php->handler('site');
my @numbers = 2 .. 4;
sub hosts {
    return join '', map { <<"END" } @_;
<VirtualHost 127.0.0.$_:\@Port\@>
    ServerName s$_.example
    DocumentRoot "\@DocumentRoot\@"
</VirtualHost>
Listen 127.0.0.$_:\@Port\@
END
}
$server->{more_vhosts} = hosts(@numbers);
WordSocket::Host::write_scripts("$server->{root}/htdocs");
my $ledger = "$server->{root}/host.key.sites";
my $minute = int(time / 60);

sub said { my ($answer) = @_; return "$answer->{status} " . ($answer->{json}{error} // ''); }
sub lines { my ($pattern) = @_; return scalar grep { /$pattern/ } split /\n/, WordSocket::Server::slurp($ledger) }
sub append { my (@lines) = @_; open my $out, '>>', $ledger or die "$ledger: $!\n"; print $out @lines; close $out; return }
sub at_once {
    my ($n, $ask) = @_;
    my @pids = map { my $pid = fork // die "fork: $!\n"; $pid or do { $ask->(); POSIX::_exit(0) }; $pid } 1 .. $n;
    waitpid $_, 0 for @pids;
    return;
}

# --- what is left of hosts that are gone --------------------------------------------

my $dead = sprintf '%024x', 1;
my $old  = sprintf '%024x', 2;
$server->write_file('host.key.sites', join '',
    (map { sprintf "site1 %024x http://x%d 1 off .\n", $_, $_ } 3 .. 60_000),
    "site1 $dead http://dead 5 on .\nsite1 $dead http://dead 4 off .\n",
    "site1 $old http://old 5 on .\ngone1 $old " . ($minute - 91 * 24 * 60) . " .\n",
    "site1 $dead http://cut 9 o");
$server->start;
is lines(qr/./), 2, 'a start leaves out sites that were revoked long ago, and those of hosts that are long gone';
is lines(qr/^site1 $dead http:..dead 5 on \.$/), 1, 'what was connected at a host that is not there now stays';
is lines(qr/^gone1 $dead \d+ \.$/), 1, 'with the day on which it was missed';

# --- a large file at a reload -------------------------------------------------------

my $blog = WordSocket::Host->new($server);
my $keys = $blog->connect;
my $client = $blog->client($keys);
{
    my $line = "site1 $dead http://dead 1 on .\n";
    my $junk = 'x' x 100_000 . "\n";
    append($junk, map { $line x 10_000 } 1 .. 180);
    cmp_ok -s $ledger, '>', 64 * 1024 * 1024, 'a file of more than 64 MB';
    ok $server->graceful, 'does not end a reload';
    is said($client->publish('events', 'e', {})), '200 ', 'nor a site';
    cmp_ok -s $ledger, '<', 1000, 'which shortens it';
    is lines(qr/ $blog->{home} \d+ on \.$/), 1, 'to what counts';
    my $again = WordSocket::Host->new($server, home => "$blog->{home}/again");
    my $its = $again->enroll(path => '/again/wp-json/wpsignal/v1/enroll');
    is said($again->whoami($its)), '200 ', 'sites are connected as before';
    is said($again->disconnect($its)), '200 ', 'and disconnected';
    is lines(qr/again \d+ off \.$/), 1, 'in the new file';
}

# --- one that cannot be read --------------------------------------------------------

$server->announce(qr/WSK0310 .*host\.key\.sites cannot be read/);
rename $ledger, "$ledger.kept" or die "$ledger: $!\n";
mkdir $ledger or die "$ledger: $!\n";
$server->announce(qr/WSK0501 .* was replaced while httpd runs/);
is said($blog->disconnect($keys)), '503 unavailable', 'a Disconnect that would not last is refused';
is said($client->publish('events', 'e', {})), '200 ', 'the site goes on';
ok $server->graceful, 'a reload with something else in its place';
is said($client->publish('events', 'e', {})), '200 ', 'leaves what was connected';
is $blog->enroll, undef, 'and connects nothing';
rmdir $ledger or die "$ledger: $!\n";
rename "$ledger.kept", $ledger or die "$ledger: $!\n";
ok $server->graceful, 'until it is back';
is_deeply $blog->enroll, $keys, 'then keys are handed out again';

# --- one that was exchanged ---------------------------------------------------------

my $backup = WordSocket::Server::slurp($ledger);
my $second = WordSocket::Host->new($server, home => "$blog->{home}/second");
my $its = $second->enroll(path => '/second/wp-json/wpsignal/v1/enroll');
is said($second->whoami($its)), '200 ', 'a blog that the backup does not know';
is said($second->disconnect($its)), '200 ', 'nor that it was disconnected';
$second->{keys} = $second->enroll(path => '/second/wp-json/wpsignal/v1/enroll');
is said($second->whoami($second->{keys})), '200 ', 'and connected again';
$server->write_file('restored', $backup);
rename "$server->{root}/restored", $ledger or die "$ledger: $!\n";
is said($blog->disconnect($keys)), '503 unavailable', 'with another file in its place nothing is disconnected';
is said($client->publish('events', 'e', {})), '200 ', 'that would be back after a restart';
$server->announce(qr/WSK0505 .*host\.key\.sites was replaced while httpd ran/);
ok $server->graceful, 'a reload';
is lines(qr/second \d+ on \.$/), 1, 'brings both files together';
is said($second->client($second->{keys})->publish('events', 'e', {})), '200 ', 'the blog that the backup does not know goes on';
is said($blog->disconnect($keys)), '200 ', 'and Disconnect works again';
is said($blog->client($keys)->stats), '401 unknown_site_key', 'at once';

# Written into the same file, which nobody can see by its name.
$server->write_file('host.key.sites', $backup);
$server->announce(qr/WSK0505 .*host\.key\.sites was changed while httpd ran: 2 changes/);
ok $server->graceful, 'a backup written into the file, and a reload';
is lines(qr/ $blog->{home} \d+ off \.$/), 1, 'what was revoked since is there again';
# Of a time when the clock was ahead.
my $ahead = WordSocket::Host->new($server, host => '127.0.0.3', home => 'http://ahead.example');
my ($of_host) = $ahead->enroll->{site_key} =~ /^h(\w+)-/;
$server->stop;
append("\nsite1 $of_host $ahead->{home} " . ($minute + 1000) . " off .\n");
$server->start;
is said($blog->client($keys)->stats), '401 unknown_site_key', 'and stays revoked over a restart';
$server->announce(qr/WSK0507 site h$of_host-\w+ was connected when the clock was ahead: it can be again in 9\d\d minutes, or with a higher WordSocketKeyEpoch/);
is said($ahead->whoami($ahead->enroll)), '429 rate_limited', 'a site that was revoked in the future has to wait, and the log says how long';
is said($second->client($second->{keys})->publish('events', 'e', {})), '200 ', 'what was connected since stays so';
$blog->{home} = $server->root_url;

my $dump = qx{@{[WordSocket::Server::httpd()]} -t -D DUMP_WORDSOCKET -f '$server->{conf}' 2>&1};
my ($main) = $dump =~ /^main server .*?\n(.*?)(?=^\S|\z)/ms;
my ($tag) = $keys->{site_key} =~ /^h(\w+)-/;
like $main, qr/^  keys of host mode +$tag$/m, 'the dump has the tag of a host';
like $main, qr{^  site \Q$second->{keys}{site_key}\E of \Q$second->{home}\E$}m, 'and its sites that are connected';
unlike $main, qr/\Q$keys->{site_key}\E/, 'no others';
unlike $dump, qr/\Q$second->{keys}{publish_secret}\E/, 'and no secret';

# --- another httpd with the same key ------------------------------------------------

my $twin = WordSocket::Server->new(lines => "WordSocketHostKey $server->{root}/host.key");
ok !eval { $twin->start; 1 }, 'a second httpd does not start';
like $twin->log_text, qr/WSK0306 .*host\.key\.sites is in use by another httpd \(process $server->{pid}\)/, 'and says why';

# --- copies of one request ----------------------------------------------------------

my $before = lines(qr/./);
$keys = $blog->enroll;
at_once(8, sub { $blog->whoami($keys) });
is lines(qr/ $blog->{home} $keys->{generation} on \.$/), 1, 'of eight that connect a site at once, one is noted';
at_once(8, sub { $blog->disconnect($keys) });
is lines(qr/ $blog->{home} $keys->{generation} off \.$/), 1, 'and of eight that disconnect it';
is said($blog->client($keys)->stats), '401 unknown_site_key', 'which is done';

# --- places -------------------------------------------------------------------------

sub site { my ($n, $host) = @_; return WordSocket::Host->new($server, host => "127.0.0.$host", home => "http://h$n.example") }
sub connects { my ($n, $host) = @_; my $site = site($n, $host); return $site->whoami($site->enroll // return 'no keys') }
is said(connects($_, 2)), '200 ', "site $_ of a host" for 1 .. 5;
$server->announce(qr/WSK0506 the host s2\.example has as many sites as WordSocketHostSites allows/);
my $full = connects(6, 2);
is said($full), '403 site_limit_reached', 'one more than it may have is refused';
like $full->{json}{message}, qr/WordSocketHostSites/, 'and told what it takes';
my $lines = () = $server->log_text =~ /WSK0506/g;
connects($_, 2) for 7 .. 9;
is scalar(() = $server->log_text =~ /WSK0506/g), $lines, 'the log says it once a minute';
is said(connects(1, 2)), '200 ', 'those it has go on';
is said(connects(1, 3)), '200 ', 'another host has its own';

# --- how often ----------------------------------------------------------------------

# A host whose owner nobody knows pays for itself: 100 changes at once.
my (%said, @site);
for my $n (1 .. 5) {
    my $site = site($n, 4);
    for (1 .. 11) {
        my $k = $site->enroll;
        $said{ said($site->whoami($k)) }++;
        $said{ said($site->disconnect($k)) }++;
    }
}
cmp_ok $said{'429 rate_limited'} // 0, '>', 0, 'sites that are connected and disconnected without end are refused';
my $changes = lines(qr/./);
cmp_ok lines(qr{http://h\d\.example \d+ (?:on|off) \.$}) - 6, '<=', 104, 'and do not fill the disk';
is said(connects(2, 3)), '200 ', 'another host is none the worse';
$server->stop;
$php->stop;
done_testing;
