# SPDX-License-Identifier: Apache-2.0
# Service mode, a registry that does not open at a full start: nobody is told
# that a site is not known, no worker waits for it, and when it opens again the
# sites are there without anybody's doing.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(sleep time);
use WordSocket::Relay;
use WordSocket::Sanitizer;

my $relay = WordSocket::Relay->new(children => 2, threads => 8)->start;
my $slow = WordSocket::Sanitizer::slowness();
my $ann = $relay->api_key('ann');
my $site = $relay->register($ann, 'https://a.example')->{json};
my $gone = $relay->register($ann, 'https://gone.example')->{json};
is $relay->unregister($gone)->{status}, 200, 'a site, and one that is gone';
$relay->stop;

sub said { my ($answer) = @_; "$answer->{status} " . ($answer->{json}{error} // '') . ($answer->{headers}{'retry-after'} ? ' later' : '') }
sub everywhere { my ($what) = @_; join ', ', sort keys %{ { map { $what->() => 1 } 1 .. 12 } } }
sub published { my ($as) = @_; said($relay->client($as)->publish('events', 'e', {})) }

sub not_known_yet {
    my ($why) = @_;
    for my $one ([ 'a site' => $site ], [ 'one that is gone' => $gone ]) {
        my ($what, $as) = @$one;
        is everywhere(sub { published($as) }), '503 unavailable later', "$why: $what publishes later";
    }
    my $client = $relay->client($site);
    is $relay->probe($site), 'unavailable', 'no plugin thinks it is disconnected';
    is said($client->stats), '503 unavailable later', 'stats are for later';
    is $client->socket->close_code(5), 1013, 'a socket is to come again';
    my $token = $client->token(channels => ['events']);
    is said($client->get("/$_?channels=events&token=$token")), '503 unavailable later', "and so is /$_" for qw(sse poll);
    is said($relay->register($ann, 'https://b.example')), '503 unavailable later', 'and who registers';
    is $relay->page('ann', '/dashboard')->{status}, 503, 'and the dashboard';
    return;
}

sub comes_back {
    my ($how) = @_;
    my $from = time;
    ok $relay->wait_for(10 * $slow, sub { published($site) eq '200 ' }), "$how, the sites are there" or diag published($site);
    note sprintf 'after %.1f s', time - $from;
    is everywhere(sub { published($site) }), '200 ', 'in all children';
    is everywhere(sub { $relay->probe($gone) }), 'unknown_site_key', 'and now it is known who is gone';
    ok $relay->wait_for(10 * $slow, sub { everywhere(sub { $relay->register($ann, 'https://b.example')->{status} }) eq '200' }), 'who registers may';
    return;
}

# Strangers ask for codes, more of them than there are workers. How long does
# somebody else wait, at worst?
sub flooded {
    my ($seconds) = @_;
    my $end = time + $seconds;
    my @pids = map {
        my $pid = fork // die $!;
        if (!$pid) {
            my $n = 0;
            while (time < $end) { $relay->exchange(code => sprintf '%064x', $n++); sleep 0.02 }
            POSIX::_exit(0);
        }
        $pid;
    } 1 .. 24;
    my $worst = 0;
    while (time < $end) {
        my $at = time;
        $relay->client($site)->get('/healthz');
        $worst = time - $at if $worst < time - $at;
        sleep 0.1;
    }
    waitpid $_, 0 for @pids;
    return $worst;
}

# --- locked by another process ---------------------------------------------------------

my $lock = $relay->lock_registry;
my $from = time;
$relay->announce(qr/WSK0403 the registry \S+ does not open: another process locks it/);
$relay->start;
cmp_ok time - $from, '<', 5 * $slow, sprintf 'locked: httpd starts all the same (%.1f s)', time - $from;
not_known_yet('locked');
my $worst = flooded(3);
cmp_ok $worst, '<', 1.5 * $slow, sprintf 'strangers with codes hold no worker (%.2f s at worst)', $worst;
$relay->wait_for(15 * $slow, sub { () = $relay->log_text =~ /WSK0403/g });
cmp_ok scalar(() = $relay->log_text =~ /WSK0403/g), '<=', $relay->children, 'each child says it once';
close $lock;
comes_back('given back');

# --- locked when it is open --------------------------------------------------------------

$lock = $relay->lock_registry;
$worst = flooded(5);
cmp_ok $worst, '<', 3 * $slow, sprintf 'locked while it is open, others are served (%.2f s at worst)', $worst;
is published($site), '200 ', 'sites, too';
close $lock;
ok $relay->wait_for(10 * $slow, sub { $relay->register($ann, 'https://c.example')->{status} == 200 }), 'given back, it takes more';
$relay->announce(qr/server reached MaxRequestWorkers/) if $relay->log_text =~ /server reached MaxRequestWorkers/; # as they were to
$relay->stop;

# --- damaged --------------------------------------------------------------------------------

my $good = WordSocket::Server::slurp($relay->registry);
$relay->write_file('registry/sites', 'x' x 8192);
$relay->announce(qr/WSK0403 the registry \S+ does not open: file is not a database/);
$relay->start;
not_known_yet('damaged');
$relay->write_file('registry/sites', $good);
comes_back('replaced by a copy');
$relay->stop;
substr $good, 4096, 512, 'x' x 512;
my $before = WordSocket::Server::slurp($relay->registry);
$relay->write_file('registry/sites', $good);
$relay->announce(qr/WSK0403 the registry \S+ does not open: damaged/);
$relay->start;
is everywhere(sub { published($site) }), '503 unavailable later', 'a page of rubbish in it: later';
$relay->stop;
$relay->write_file('registry/sites', $before);

# --- out of reach ----------------------------------------------------------------------------

SKIP: {
    skip 'only root starts httpd as somebody else', 4 if $>;
    sub refused {
        my ($what, $like) = @_;
        local %ENV = (%ENV, WordSocket::Sanitizer::environment(@$relay{qw(top root)}));
        qx{timeout 60 @{[ $relay->httpd ]} -DFOREGROUND -f '$relay->{conf}' 2>&1};
        is $? >> 8, 1, "$what keeps httpd from starting";
        like $relay->log_text, $like, 'and it says why';
        return;
    }
    my $folder = $relay->registry =~ s{/[^/]+\z}{}r;
    chmod 0700, $folder;
    $relay->announce(qr/WSK0306 WordSocketRegistry \S+: the User of httpd cannot/);
    refused('a folder that is closed to its User', qr/WSK0306 WordSocketRegistry \S+: the User of httpd cannot open it: Permission denied/);
    chmod 0755, $folder;
    $relay->start;
    is published($site), '200 ', 'open, it starts';
    chmod 0700, $folder;
    $relay->announce(qr/WSK0311 WordSocketRegistry \S+: the User of httpd cannot/);
    $relay->announce(qr/WSK0403 the registry \S+ does not open: unable to open/);
    ok $relay->graceful, 'a reload goes on';
    is everywhere(sub { published($site) }), '200 ', 'with the sites it had';
    chmod 0755, $folder;
    $relay->stop;
}
done_testing;
