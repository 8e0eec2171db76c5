# SPDX-License-Identifier: Apache-2.0
# Keepers where other modules have threads, timers and processes of their own:
# mod_http2 under traffic, mod_proxy_hcheck, mod_cgid, and the session cache of
# mod_ssl, which a keeper must leave alone.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use POSIX ();
use Time::HiRes qw(sleep time);
use WordSocket::Crowd;
use WordSocket::Talk;
use WordSocket::Tenants qw(status_of counter connections_are);

my $slow = WordSocket::Sanitizer::slowness();
my $lines = <<'END';
SSLSessionTickets Off
ScriptSock @t_logs@/cgisock
ScriptAlias /cgi/ "@ServerRoot@/cgi/"
<Proxy "balancer://checked">
    BalancerMember "http://127.0.0.1:@Port@" hcmethod=GET hcuri=/ hcinterval=1 hcpasses=1
</Proxy>
END
my $server = crowd_server(children => 2, lines => $lines, tls_protocols => 'h2 http/1.1',
    modules => [qw(slotmem_shm proxy_balancer lbmethod_byrequests watchdog proxy_hcheck cgid)]);
mkdir "$server->{root}/cgi" or die $!;
$server->write_file('cgi/slow', "#!/bin/sh\nsleep 5\nprintf 'Content-Type: text/plain\\n\\nat last\\n'\n");
chmod 0755, "$server->{root}/cgi", "$server->{root}/cgi/slow";

# --- traffic over HTTP/2 ----------------------------------------------------------

my $swarm = swarm($server, wss => 50, sses => 50, publish => 300, rate => 60, fresh => 1, wait => 1,
    seconds => 60, settle => 20);
ok $swarm->ready(60), 'a hundred are subscribed';
my $stop = "$server->{root}/stop";
my $h2 = fork // die $!;
if (!$h2) {
    open STDOUT, '>', "$server->{root}/h2" or POSIX::_exit(1);
    until (-e $stop) {
        print STDOUT qx{curl -k --no-progress-meter --http2 --parallel -w '%{http_version} %{http_code}\\n' @{[ join ' ', map { "-o /dev/null " . $server->root_url(1) . "/?$_" } 1 .. 8 ]}};
    }
    close STDOUT;
    POSIX::_exit(0);
}
$swarm->command('publish');
for my $time (1 .. 2) {
    sleep 0.7;
    ok $server->renew, "reload $time, with HTTP/2 requests all the time";
}
my $report = $swarm->report(60);
open my $touched, '>', $stop or die $!;
waitpid $h2, 0;
is_clean($report, 'two reloads');
is_deeply [ $report->{reconnects}, $report->{codes}, $report->{ready} ], [ 0, {}, 100 ], 'nobody had to come back';
is counter($server, 'kept'), 100, 'everybody was kept, once';
my %answers;
$answers{$_}++ for split /\n/, WordSocket::Server::slurp("$server->{root}/h2");
cmp_ok $answers{'2 200'} // 0, '>', 50, 'requests over HTTP/2 are answered';
# mod_http2 may close one connection as its child ends.
my ($all, $fine) = (0, $answers{'2 200'} // 0);
$all += $_ for values %answers;
cmp_ok $all - $fine, '<=', 32, 'but for those of a connection that a leaving child had' or diag explain \%answers;
ok $server->wait_for(10 * $slow, sub { !$server->keepers }), 'no keeper is left';

# --- while a worker serves a long request ------------------------------------------

my $client = WordSocket::Client->new($server, tls => 1);
my $room   = channel('room');
my @sockets = map { $client->socket(channels => [ $client->qualified($room) ]) } 1 .. 4;
fence($_) for @sockets;
my %old = map { $_ => 1 } $server->children;
my $long = fork // die $!;
if (!$long) {
    exec 'curl', '-sk', '--http1.1', '-o', "$server->{root}/long", $server->root_url . '/cgi/slow';
}
sleep 0.5;
ok $server->graceful, 'a reload';
my $begun = time;
until_marker($client, $_, $room) for @sockets;
cmp_ok time - $begun, '<', 1.5 * $slow, 'who is for a keeper is served meanwhile';
ok scalar(grep { $old{$_} } $server->children), 'the child with the request is there';
waitpid $long, 0;
is WordSocket::Server::slurp("$server->{root}/long"), "at last\n", 'which is answered';
ok $server->wait_for(5 * $slow, sub { !grep { $old{$_} } $server->children }), 'then it goes';
my @keepers = $server->keepers;
ok @keepers, 'keepers have the connections';
fence($_) for @sockets;
pass 'which go on';

# --- the sessions of mod_ssl --------------------------------------------------------

# A keeper has those of a generation that is gone, so a child stands for both.
sub sessions {
    my $page = qx{curl -s @{[$server->root_url]}/server-status};
    return map { $page =~ /\Q$_\E: <b>(\d+)/ } 'stored since starting', 'removes since starting';
}
my @more = map { $client->socket(channels => [ $client->qualified($room) ]) } 1 .. 4;
$_->hang_up for @more;
ok connections_are($server, 4), 'four more come and vanish, without a word of TLS';
my ($stored, $removed) = sessions();
cmp_ok $stored, '>=', 4, 'their sessions are in the cache of httpd';
is $removed, 0, 'and stay there, so that they can be resumed';

# --- alone in its process ----------------------------------------------------------

my $deadly = 0;
$deadly |= 1 << $_ - 1 for POSIX::SIGILL, POSIX::SIGABRT, POSIX::SIGBUS, POSIX::SIGFPE, POSIX::SIGSEGV;
for my $keeper (@keepers) {
    my ($caught) = WordSocket::Server::slurp("/proc/$keeper/status") =~ /^SigCgt:\s*[0-9a-f]{8}([0-9a-f]{8})$/m;
    is hex($caught) & $deadly, 0, 'a crash is not for a handler of httpd';
}
$_->hang_up for @sockets;
ok $server->wait_for(10 * $slow, sub { !$server->keepers }), 'they end with the connections';
is counter($server, 'slots_reaped'), 0, 'no process died';
ok status_of($server, '?check')->{segment}{whole}, 'the segment is whole';

done_testing();
