# SPDX-License-Identifier: Apache-2.0
# What shows figures is cheap on a host of 3,000 sites, so that it may be asked
# every few seconds: no lock of all sites, no walk through the segment.
use v5.30;
use warnings;
use lib 't/lib';
use HTTP::Tiny;
use Test::More;
use Time::HiRes qw(time);
use WordSocket::Client;
use WordSocket::Server;

use constant { SITES => 3000, ASKED => 40, WORTH_MS => 15 };

my @sites = map { { site_key => "site-$_", publish_secret => "p$_", jwt_secret => "j$_" } } 1 .. SITES;
my $server = WordSocket::Server->new(sites => \@sites, without => ['ssl'],
    lines => 'WordSocketSharedMemory 256M', vhost_lines => <<'END');
<Location "/metrics">
    SetHandler wordsocket-metrics
</Location>
END
$server->prepare;
$server->start;
my $client = WordSocket::Client->new($server, site => $sites[2345]);
my $http = HTTP::Tiny->new;
my $held = $client->socket(channels => ['events']);
$client->publish('events', 'e', $_) for 1 .. 3;

sub page { $http->get('http://' . $server->address . $_[0])->{content} }

# The middle one of many: others use the machine, too.
sub middle_ms {
    my ($path) = @_;
    my @ms = sort { $a <=> $b } map { my $at = time; page($path); 1000 * (time - $at) } 1 .. ASKED;
    return $ms[ @ms / 2 ];
}

for my $path ('/status?auto', '/status?json&top=10', '/metrics', '/metrics?sites=10', '/server-status?auto') {
    my $ms = middle_ms($path);
    cmp_ok $ms, '<', WORTH_MS * WordSocket::Sanitizer::slowness(), sprintf '%s: %.1f ms', $path, $ms;
}
my $whole = middle_ms('/status?json');
note sprintf '/status?json, with 1000 sites: %.1f ms', $whole;
my $at = time;
my $status = WordSocket::Client->decode(page('/status?json&check'));
note sprintf '/status?json&check: %.1f ms', 1000 * (time - $at);
is $status->{segment}{whole}, JSON::PP::true, 'the check is there for who asks';
is scalar @{ $status->{sites} }, 1000, 'JSON names the first 1,000';

$status = WordSocket::Client->decode(page('/status?json&top=3'));
is $status->{sites}[0]{site_key}, 'site-2346', 'the busiest of them all is found';
is_deeply [ @{ $status->{sites}[0] }{qw(connections published delivered)} ], [ 1, 3, 3 ], 'with its figures';
like page('/metrics'), qr/^wordsocket_sites 3000$/m, 'all are counted';

$server->stop;
done_testing;
