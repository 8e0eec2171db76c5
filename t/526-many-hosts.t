# SPDX-License-Identifier: Apache-2.0
# A graceful reload of a server with so many hosts that the next generation takes
# its time to come: each host has a log and, over TLS, a certificate that is read
# anew. No subscriber notices, and no request of another host waits longer than for
# the configuration. With build/check --long it is 3,000 hosts, 4,000 subscribers
# and twenty reloads, and the same httpd without us is asked before.
use v5.30;
use warnings;
use lib 't/lib';
use HTTP::Tiny;
use JSON::PP ();
use List::Util qw(max);
use POSIX qw(fmod);
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Crowd;
use WordSocket::Tenants qw(status_of counter);

# The last is the seconds a reload may take, for which messages are published.
my ($hosts, $each, $reloads, $rate, $lasts) = is_long() ? (3_000, 2_000, 20, 20, 7) : (100, 100, 2, 50, 3);
my $slow = WordSocket::Sanitizer::slowness();

# httpd stops accepting before it reads its configuration, with or without us: a
# request made then waits in the kernel. The MPM would sleep for a second more.
use constant MORE_S => 0.6;

sub blocks {
    my $blocks = '';
    for my $n (1 .. $hosts) {
        for my $tls ('', 'tls_') {
            my $port = $tls ? '@wsk_tls_port@' : '@Port@';
            $blocks .= "<VirtualHost 127.0.0.1:$port>\nServerName host$n.test\n";
            $blocks .= "DocumentRoot \"\@DocumentRoot\@\"\nCustomLog \"\@t_logs\@/host$n.log\" test\n";
            $blocks .= "SSLEngine On\nSSLCertificateFile \"\@wsk_certificate\@\"\n" if $tls;
            $blocks .= "</VirtualHost>\n";
        }
    }
    return $blocks;
}

sub many_hosts {
    my $server = crowd_server(children => 2, more_vhosts => blocks(), @_);
    $server->write_file('htdocs/there.html', "there\n");
    $server->announce(qr/AH01909: host\d+[.]test:443:0 server certificate does NOT include an ID/);
    return $server;
}

# The longest time that httpd itself was away, by its log: from a reload's beginning
# until it serves again.
sub away {
    my ($server) = @_;
    my ($longest, $from) = (0);
    for my $line (split /\n/, $server->log_text) {
        my $at = $line =~ /^\[\w+ \w+ +\d+ (\d+):(\d+):(\d+[.]\d+) / ? ($1 * 60 + $2) * 60 + $3 : next;
        $from = $at if $line =~ /AH00493/;
        $longest = max($longest, fmod($at - $from + 86_400, 86_400)) if $from && $line =~ /AH00489/;
    }
    return $longest;
}

# Asks one host after the other, each over a connection of its own, until told.
sub visitor {
    my ($server) = @_;
    my $stop = "$server->{root}/stop";
    my $pid = fork // die "fork: $!\n";
    return sub {
        open my $touch, '>', $stop or die $!;
        waitpid $pid, 0;
        unlink $stop;
        return JSON::PP::decode_json(WordSocket::Server::slurp("$server->{root}/visits"));
    } if $pid;
    my ($n, %seen) = (0, longest => 0, asked => 0);
    my $http = HTTP::Tiny->new(keep_alive => 0, timeout => 60);
    until (-e $stop) {
        $n = $n % $hosts + 1;
        my $at = time;
        my $answer = $http->get("http://host$n.test:$server->{port}/there.html", { peer => '127.0.0.1' });
        $seen{longest} = time - $at if time - $at > $seen{longest};
        $seen{asked}++;
        $seen{failed}{"$answer->{status} $answer->{content}"}++ if $answer->{status} != 200;
        sleep 0.01;
    }
    $server->write_file('visits', JSON::PP::encode_json(\%seen));
    POSIX::_exit(0);
}

# How long httpd lets a request wait when we are not there.
sub alone {
    my $server = many_hosts(without => ['wordsocket']);
    my $visits = visitor($server);
    for my $time (1 .. 5) {
        sleep 0.7;
        ok $server->renew(60), "reload $time without us";
    }
    my $seen = $visits->();
    $server->stop;
    return $seen->{longest};
}

my $alone = is_long() && alone();
my $server = many_hosts();
my $swarm = swarm($server, ws => $each, sse => $each, publish => $lasts * $rate * $reloads, rate => $rate,
    fresh => 1, wait => 1, seconds => 60 + 30 * $reloads, settle => 20);
ok $swarm->ready(60), 2 * $each . ' are subscribed';
my $visits = visitor($server);
$swarm->command('publish');
my $longest = 0;
for my $time (1 .. $reloads) {
    sleep 0.7;
    my $at = time;
    ok $server->renew(60 * $slow), "reload $time: the old children are gone";
    $longest = max($longest, time - $at);
}
my $seen = $visits->();
my $report = $swarm->report(60 + 30 * $reloads);
my $away = away($server);
note sprintf '%d hosts: httpd is away for %.2f s, the old children are gone after %.2f s at most; one of %d requests took %.2f s',
    $hosts, $away, $longest, $seen->{asked}, $seen->{longest};
is_clean($report, "$reloads reloads");
is_deeply [ $report->{reconnects}, $report->{codes}, $report->{ready} ], [ 0, {}, 2 * $each ],
    'nobody was closed, or had to come back';
is counter($server, 'taken_over'), counter($server, 'handed'), 'who was handed over was received';
is counter($server, 'handed'), 2 * $each * $reloads, 'everybody, each time';
is_deeply $seen->{failed}, undef, 'every request of another host was answered';
cmp_ok $seen->{longest}, '<', $away + MORE_S * $slow, 'none later than the configuration allows';
if ($alone) {
    note sprintf 'without us one took %.2f s', $alone;
    cmp_ok $seen->{longest}, '<', $alone + MORE_S, '... or than without us';
}
ok status_of($server, '?check')->{segment}{whole}, 'the segment is whole';

$server->stop;
done_testing;
