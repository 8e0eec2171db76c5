# SPDX-License-Identifier: Apache-2.0
# A child of prefork is stopped between the answer and the hand-over: its loop
# has ended, and the connection it would be given is dropped, not missed.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep);
use WordSocket::Client;
use WordSocket::Echo;
use WordSocket::Server;

# Between the two, httpd writes its log; a log program that reads nothing holds
# a child there as soon as the pipe is full, and prefork ends on a signal
# wherever it is.
my $server = WordSocket::Server->new(mpm => 'prefork', children => 4, vhost_lines => <<'END')->start;
CustomLog "|/bin/sleep 600" "%{X-Fill}i" env=fill
SetEnvIf X-Fill . fill
END

# Until one gets its 101 and no more: 64 KiB of the pipe, by lines of 4,000.
my @held;
for (1 .. 20) {
    my $ws = echo_connect($server, headers => { 'X-Fill' => 'x' x 4000 });
    push @held, $ws;
    $ws->send_text('there?');
    last if !$ws->receive(1);
}
cmp_ok scalar(@held), '<', 20, 'a child is held between its answer and the hand-over';
my $tls = echo_connect($server, tls => 1, headers => { 'X-Fill' => 'x' x 4000 });
$server->signal('TERM');
ok $server->wait_gone(9), 'httpd stops';
unlike $server->log_text, qr/exit signal/, 'and no child crashed';
ok $held[-1]->ends(1), 'the connection that was on its way is closed';
ok $tls->ends(1), 'one over TLS too';

$server->stop(seconds => 1);
done_testing;
