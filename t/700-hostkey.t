# SPDX-License-Identifier: Apache-2.0
# The file of the host key: made once, for one reader, and refused where others
# could read it.
use v5.30;
use warnings;
no warnings 'portable';    # addresses have 64 bits
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Server;

my $line = 'WordSocketHostKey host.key';
sub server { WordSocket::Server->new(lines => $line, @_) }
sub mode { sprintf '%o', (stat $_[0])[2] & 07777 }

# All that a process can write to, the segment included.
sub memory_of {
    my ($pid) = @_;
    my $all = '';
    open my $mem, '<:raw', "/proc/$pid/mem" or die "/proc/$pid/mem: $!\n";
    for (split /\n/, WordSocket::Server::slurp("/proc/$pid/maps")) {
        my ($from, $to) = /^(\w+)-(\w+) rw/ or next;
        sysseek $mem, hex $from, 0 or next;
        my $want = hex($to) - hex $from;
        while ($want > 0) {
            my $got = sysread $mem, my $bytes, $want > 1 << 20 ? 1 << 20 : $want or last;
            $all .= $bytes;
            $want -= $got;
        }
    }
    return $all;
}

my $server = server();
like $server->verdict, qr/Syntax OK/, 'httpd -t takes a host key that is not there yet';
my ($key, $ledger) = map { "$server->{root}/$_" } 'host.key', 'host.key.sites';
ok !-e $key && !-e $ledger, 'and makes nothing';

$server->start;
like WordSocket::Server::slurp($key), qr/\A[0-9a-f]{64}\n\z/, 'the first start makes one';
is mode($key), '600', 'for its owner alone';
is mode($ledger), '600', 'the file of the sites beside it, too';
my $made = WordSocket::Server::slurp($key);
ok $server->graceful, 'a reload';
is WordSocket::Server::slurp($key), $made, 'keeps it';
for my $child ($server->children) {
    my $memory = memory_of($child);
    cmp_ok length $memory, '>', 1e6, "the memory of child $child can be read";
    ok index($memory, pack 'H64', $made) < 0 && index($memory, substr $made, 0, 64) < 0, 'and the host key is not in it';
}
is(WordSocket::Client->new($server)->request(POST => '/site/whoami', content => '{}')->{json}{error},
    'invalid_json', 'whoami wants a question');
$server->stop;

# What it must not be, each seen before a start.
my %fault = (
    'readable by the group'   => [ sub { chmod 0640, $key }, qr/can be read or changed by others/ ],
    'readable by everybody'   => [ sub { chmod 0604, $key }, qr/can be read or changed by others/ ],
    'a link'                  => [ sub { rename $key, "$key.real"; symlink "$key.real", $key }, qr/cannot be opened/ ],
    'a folder'                => [ sub { unlink $key; mkdir $key }, qr/is not a plain file/ ],
    'empty'                   => [ sub { $server->write_file('host.key', '') }, qr/is empty/ ],
    'no hex'                  => [ sub { $server->write_file('host.key', 'x' x 64) }, qr/not 64 hex digits/ ],
    'too short'               => [ sub { $server->write_file('host.key', 'a' x 62) }, qr/not 64 hex digits/ ],
    'three keys'              => [ sub { $server->write_file('host.key', "$made$made$made") }, qr/more than two keys/ ],
);
for my $name (sort keys %fault) {
    my ($spoil, $says) = @{ $fault{$name} };
    rmdir $key if -d $key;
    unlink $key;
    $server->write_file('host.key', $made);
    chmod 0600, $key;
    $spoil->();
    chmod 0600, $key if $name =~ /empty|hex|short|three/;
    like $server->verdict, $says, "refused: $name";
}
rmdir $key if -d $key;
unlink $key;
$server->write_file('host.key', $made . 'b' x 64 . "\n");
chmod 0600, $key;
like $server->verdict, qr/Syntax OK/, 'two keys are taken';

# A module that is called as PHP's is; there is no other here.
{
    my $with = server();
    $with->prepare;
    my $file = $with->write_file('mod_php.c', <<'END_C');
#include "httpd.h"
#include "http_config.h"
module AP_MODULE_DECLARE_DATA php_module = { STANDARD20_MODULE_STUFF, NULL, NULL, NULL, NULL, NULL, NULL };
END_C
    my $apxs = $ENV{APXS} // 'apxs';
    my $flags = join ' ', map { s/\s+\z//r } '-I' . qx{$apxs -q INCLUDEDIR}, qx{apr-1-config --cppflags --includes};
    system("cd $with->{root} && gcc -shared -fPIC $flags -o php.so mod_php.c") == 0 or die "mod_php.c does not compile\n";
    $with->{lines} = "LoadModule php_module \@ServerRoot\@/php.so\n$with->{lines}";
    $with->announce(qr/WSK0504 PHP may run inside of httpd \(mod_php\.c\)/);
    $with->start;
    like $with->log_text, qr/WSK0504/, 'PHP inside of httpd is warned of';
    $with->stop;
}

like server(lines => '', vhost_lines => $line)->verdict, qr/WordSocketHostKey .*(?:not allowed|cannot occur)/i,
    'a virtual host has none of its own';
like server(vhost_lines => 'WordSocketPublisherUser On')->verdict, qr/Syntax OK/,
    'where the user counts and nobody knows the owner, it is that host\'s matter';
like server(vhost_lines => 'WordSocketKeyEpoch 3')->verdict, qr/Syntax OK/, 'but an epoch';
done_testing;
