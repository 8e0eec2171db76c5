# SPDX-License-Identifier: Apache-2.0
# The public plugin's calls against a relay, without WordPress: at a base with a
# path, and at one without, behind a proxy that has the root for us.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Relay;

my ($php) = grep { -x } map { ("$_/php8.2", "$_/php") } split /:/, $ENV{PATH};
die "no php\n" if !$php;

my $relay = WordSocket::Relay->new(children => 2)->start;
my $front = WordSocket::Server->new(without => ['wordsocket'], lines => <<"END")->start;
ProxyPass "/deep/down/" "http://127.0.0.1:$relay->{port}$relay->{path}/" upgrade=websocket
ProxyPass "/" "http://127.0.0.1:$relay->{port}$relay->{path}/"
END
my %base = (
    'its own path'     => $relay->base,
    'no path'          => $front->root_url,
    'another path'     => $front->root_url . '/deep/down',
    'a slash at the end' => $relay->base . '/',
);
local @ENV{qw(DASHBOARD_USER DASHBOARD_PASSWORD)} = qw(ann ann1);
for my $what (sort keys %base) {
    local $ENV{API_KEY} = $relay->api_key('ann');
    my @said = qx{timeout 60 $php -d display_errors=stderr t/replay/plugin.php $base{$what}};
    my $status = $? >> 8;
    subtest "at $what" => sub {
        for (@said) {
            if    (/^(not )?ok \d+ - (.*)$/) { ok !$1, $2 }
            elsif (/^# (.*)/)                { diag $1 }
        }
        is $status, 0, 'it ends well';
        like $said[-1] // '', qr/^1\.\.([4-9]\d)$/, 'and said all of it';
    };
}
$_->stop for $front, $relay;
done_testing;
