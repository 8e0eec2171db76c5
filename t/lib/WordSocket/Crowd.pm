# SPDX-License-Identifier: Apache-2.0
# What the tests with thousands of subscribers have in common: a server with
# room for them, and questions about which child did what.
package WordSocket::Crowd;
use v5.30;
use warnings;
use Exporter qw(import);
use WordSocket::Client;
use WordSocket::Server;
use WordSocket::Swarm qw(is_clean);

our @EXPORT = qw(crowd_server crowd_client swarm is_clean publishing_children is_long);

# A host for thousands: limits out of the way, history for a whole test.
use constant ROOM => <<'END';
WordSocketSharedMemory 128M
WordSocketMaxConnections 40000
WordSocketSiteConnections 40000
WordSocketAddressConnections 40000
WordSocketPublishRate 100000 1000000
WordSocketHistory 32M 100000 10m
END

sub crowd_server {
    my (%option) = @_;
    my $lines = ROOM . (delete $option{lines} // '');
    my $server = WordSocket::Server->new(children => 4, threads => 16, lines => $lines, %option)->start;
    # The handshakes of a crowd keep every worker busy, for a moment.
    $server->announce(qr/AH\d+: server reached MaxRequestWorkers/, maybe => 1);
    # httpd says so after three seconds; on a machine that stands still for a
    # moment, or under a sanitizer, a crowd takes that long to tell. Tests of the
    # end have deadlines of their own, before httpd kills.
    $server->announce(qr/AH00045: child process \d+ still did not exit, sending a SIGTERM/, maybe => 1);
    return $server;
}

sub crowd_client { WordSocket::Client->new(@_) }

sub swarm {
    my ($server, %option) = @_;
    return WordSocket::Swarm->new(crowd_client($server), %option);
}

# The children that answered publishes, by the access log.
sub publishing_children {
    my ($server) = @_;
    open my $log, '<', "$server->{root}/logs/access_log" or die $!;
    my %count;
    while (<$log>) {
        $count{$1}++ if m{^\[.*?\] (\d+) .*"POST \S+/publish };
    }
    return \%count;
}

sub is_long { $ENV{WSK_LONG} ? 1 : 0 }

1;
