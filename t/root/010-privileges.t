# SPDX-License-Identifier: Apache-2.0
# An httpd started by root: children that are nobody, and secrets that only the
# parent could read from their file.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Server;

$> == 0 or die "this test is about an httpd started by root\n";

my $server = WordSocket::Server->new(children => 2);
$server->prepare;
chmod 0600, "$server->{root}/sites.json" or die "$!\n";
# What prepare writes again keeps its mode.
$server->start;

my $nobody = getpwnam 'www-data';
for my $child ($server->children) {
    my $uid;
    # A child is root for the moment between its fork and its first request.
    $server->wait_for(5, sub {
        ($uid) = WordSocket::Server::slurp("/proc/$child/status") =~ /^Uid:\s+(\d+)/m;
        ($uid // 0) == $nobody;
    });
    is $uid, $nobody, "child $child is not root";
}
is sprintf('%o', (stat "$server->{root}/sites.json")[2] & 0777), '600', 'its site file is closed to it';

my $client = WordSocket::Client->new($server);
my $ws = $client->socket(channels => ['events']);
is $client->publish('events', 'demo', { n => 1 })->{status}, 200, 'a signed publish is taken';
is(($ws->message(5, 'message') // {})->{data}{n}, 1, 'and delivered');

ok $server->graceful, 'a graceful restart reads the file again';
is $client->publish('events', 'demo', { n => 2 })->{status}, 200, 'and publishes are taken';

my $site = $server->site;
my @public = grep { -f } glob "$server->{root}/logs/*";
for my $file (@public) {
    my $text = WordSocket::Server::slurp($file);
    ok index($text, $site->{publish_secret}) < 0 && index($text, $site->{jwt_secret}) < 0,
        "$file holds no secret";
    unlike $text, qr/token=[\w-]+\.[\w-]+\.[\w-]+/, "$file holds no token";
}
# Nor does a child's command line or environment, which others on the host see.
for my $child ($server->children) {
    my $seen = WordSocket::Server::slurp("/proc/$child/cmdline") . WordSocket::Server::slurp("/proc/$child/environ");
    ok index($seen, $site->{publish_secret}) < 0, "child $child shows no secret";
}

$ws->hang_up;
$server->stop;
done_testing;
