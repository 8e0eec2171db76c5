# SPDX-License-Identifier: Apache-2.0
# A relay, and nginx before it: by the examples, as cPanel ships it, and one that
# holds every stream back. Then fronts.mjs, which finds them in its env file.
use v5.30;
use warnings;
use lib 't/lib';
use JSON::PP ();
use WordSocket::Client;
use WordSocket::Front qw(cpanel example shortened);
use WordSocket::Server;

system 'bash', '-c', 'set -eu; . build/lib/say.sh; . build/lib/sources.sh; LOG=/dev/stderr; need_bundle >&2';
exit 1 if $?;

my $relay = WordSocket::Server->new(lines => "WordSocketPing 1s\nAddType text/javascript .js\n" . example('relay-remoteip.conf', FRONT => '127.0.0.1'))->start;
$relay->write_file('htdocs/client.js', WordSocket::Server::slurp('client/dist/index.js'));
$relay->write_file('htdocs/favicon.ico', '');
my $to = "127.0.0.1:$relay->{port}";
my $include = sub { shortened(example('nginx-cpanel.conf', ADDRESS_HEADER => 'X-Forwarded-For', LOG => "$_[0]/error_log"), '65s', '2s') };
my %front = (
    'nginx' => WordSocket::Front->nginx(sub {
        shortened(example('nginx.conf', LISTEN => $_[0], LOG => "$_[2]/error_log", RELAY => $to), '65s', '2s');
    }),
    'cPanel and our file' => cpanel("http://$to", include => $include),
    'cPanel' => cpanel("http://$to"),
    'a front that keeps streams for itself' => cpanel("http://$to", more => 'proxy_ignore_headers X-Accel-Buffering;'),
);

# Waiting for it, rather than exec: leaving ends what was started here.
my $env = $relay->write_file('env', "HTTPD_CONF=$relay->{conf}\nPAGE=http://$to/index.html\n"
    . 'TOKEN=' . WordSocket::Client->new($relay)->token . "\n"
    . "FRONTS='" . JSON::PP->new->canonical->encode({ directly => $relay->base, map { $_ => $front{$_}->base } keys %front }) . "'\n");
$ENV{DEMO_ENV} = $env;
my $status = system 'node', 't/browser/fronts.mjs';
$relay->signal('TERM');
$relay->wait_gone(10);
exit($status ? 1 : 0);
