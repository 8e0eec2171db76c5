# SPDX-License-Identifier: Apache-2.0
# A front as cPanel ships it, HTTP/1.0 to the demo's relay and no WebSocket, and
# typing.mjs, which finds it in its environment.
use v5.30;
use warnings;
use lib 't/lib';
use WordSocket::Front qw(cpanel);

open my $in, '-|', 'bash', '-c', 'set -a; . "$1"; printf %s "$WORDSOCKET_URL"', '-', $ENV{DEMO_ENV} // '.demo/env' or die "the demo's env: $!\n";
my $relay = do { local $/; <$in> };
my ($to) = $relay =~ m{\A(http://[^/]+)} or die "no relay in the demo's env\n";
my $front = cpanel($to, patient => 1);
$ENV{FRONT} = $front->base;
exit(system('node', 't/browser/typing.mjs') ? 1 : 0);
