# SPDX-License-Identifier: Apache-2.0
# The module is replaced and httpd reloads: a build that lays the segment out as
# before goes on with it, another one makes its own; nobody is lost either way.
use v5.30;
use warnings;
use lib 't/lib';
use File::Copy qw(copy);
use File::Temp qw(tempdir);
use Test::More;
use Time::HiRes qw(time sleep);
use WordSocket::Relay;
use WordSocket::Sanitizer;
use WordSocket::Server;
use WordSocket::Tenants qw(status_of);

plan skip_all => 'a build with a sanitizer is linked otherwise' if WordSocket::Sanitizer::kind();

my $top = $ENV{WSK_BUILDDIR} // '.';
my $dir = tempdir(CLEANUP => 1);
my %build = qx{make -s -C '$top' guard-environment} =~ /(\w+)='([^']*)'/g;

sub run { my ($command) = @_; my $said = qx{$command 2>&1}; is $?, 0, (split ' ', $command)[-1] or diag substr($said, -2000); return }

# All of the room that knows the layout, with one field more in a site.
my $cc = $build{CC} || 'cc';
my @changed = map {
    my $object = "$dir/" . s{.*/}{}r =~ s/\.c$/.o/r;
    run("$cc $build{WSK_BARE_FLAGS} -fPIC -DWSK_TEST_LAYOUT -Isrc -c $_ -o $object");
    $object;
} glob 'src/store/*.c';
my ($libs) = WordSocket::Server::slurp("$top/.libs/mod_wordsocket.lai") =~ /^dependency_libs='([^']*)'/m;
run("$cc -shared $top/.libs/mod_wordsocket_la-mod_wordsocket.o @changed $top/.libs/librooms.a $top/.libs/libbare.a $libs -o $dir/another.so");

# As an installer does: the old file is not written to.
sub install {
    my ($from) = @_;
    copy($from, "$dir/new.so") or die "$from: $!\n";
    chmod 0755, "$dir/new.so";
    rename "$dir/new.so", "$dir/mod.so" or die "$dir/mod.so: $!\n";
    return;
}

chmod 0755, $dir;
install("$top/.libs/mod_wordsocket.so");
my $server;
{
    local $ENV{WSK_SO} = "$dir/mod.so";
    $server = WordSocket::Relay->new(children => 2)->start;
}
my $registered = $server->register($server->api_key('ann'), 'https://a.example')->{json};
my @sites = ($registered, $server->site);

sub published { my ($event) = @_; return join ' ', map { my $site = $_; keys %{ { map { $server->client($site)->publish('events', $event, {})->{status} => 1 } 1 .. 8 } } } @sites }
sub reloaded {
    my ($what) = @_;
    local $ENV{WSK_SO} = "$dir/mod.so";
    ok $server->graceful, $what;
    ok $server->wait_for(10, sub { published('there') eq '200 200' }), 'all sites are served by all children';
    return status_of($server);
}
my $as_file = $server->client($server->site);
my @held = map { $as_file->socket(channels => ['events']) } 1 .. 10;
is published('before'), '200 200', 'two sites publish';
my $before = status_of($server);

install("$top/.libs/mod_wordsocket.so");
my $same = reloaded('the same build, in another file');
is $same->{since_ms}, $before->{since_ms}, 'goes on with the segment';
is scalar(grep { $_->send_json({ type => 'unsubscribe', channels => [] }); $_->message(5, 'unsubscribed') } @held), 10, 'who was connected goes on';

$_->hang_up for @held;
@held = map { $as_file->socket(channels => ['events']) } 1 .. 10;
my $since = $as_file->publish('events', 'last', {})->{json}{id};
install("$dir/another.so");
my $other = reloaded('a build that has another layout');
cmp_ok $other->{since_ms}, '>', $before->{since_ms}, 'makes a segment of its own';
like $server->log_text, qr/WSK0313 another version of the module/, 'which is said';
is_deeply { map { ($_->close_code(10) // 'none') => 1 } @held }, { 1012 => 1 }, 'who was connected is told to come back';
my $back = $as_file->socket(channels => ['events'], since => $since);
is +($back->message(5) // {})->{type}, 'gap', 'and that messages are lost';
is published('after'), '200 200', 'new ones';
my $heard = '';
while (my $message = $back->message(5)) { last if ($heard = $message->{event}) eq 'after' }
is $heard, 'after', 'are delivered';
ok status_of($server, '?check')->{segment}{whole}, 'the segment is whole';
ok $server->wait_for(15, sub { $server->children == 2 }), 'the children of before are gone';
my $again = reloaded('and another reload');
is $again->{since_ms}, $other->{since_ms}, 'keeps that one';

install("$top/.libs/mod_wordsocket.so");
my $first = reloaded('back to the first build');
cmp_ok $first->{since_ms}, '>', $again->{since_ms}, 'does not take up what it had: that is out of date';
$server->stop;
done_testing;
