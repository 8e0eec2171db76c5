# SPDX-License-Identifier: Apache-2.0
# Apache::TestRun with our configuration: a template made of server.conf.template, our
# list of modules for a base, and build/lib/run-tap for a harness where
# build/check wants to count. It runs in a copy of the tree (see t/TEST).
package WordSocket::TestRun;
use v5.30;
use warnings;
use Cwd qw(abs_path);
use POSIX ();
use WordSocket::Sanitizer;
use WordSocket::Server;

# Apache::Test looks for these when it is loaded.
BEGIN {
    $ENV{APACHE_TEST_NO_STICKY_PREFERENCES} = 1;
    $ENV{APACHE_TEST_ULIMIT_SET}            = 1;
}
use parent 'Apache::TestRun';

my $server;

# The options of Apache::Test that everybody would give.
sub defaults {
    $server = WordSocket::Server->new(root => abs_path('t'));
    (my $port, my $tls_port) = WordSocket::Server::free_ports();
    @$server{qw(port tls_port)} = ($port, $tls_port);
    return (
        -apxs        => $ENV{APXS} // abs_path_of('apxs'),
        -httpd       => WordSocket::Sanitizer::wrapper(@$server{qw(top root)}, $server->httpd),
        -httpd_conf  => base_conf(),
        -servername  => '127.0.0.1',
        -port        => $port,
    );
}

sub abs_path_of {
    my ($name) = @_;
    return (grep { -x } map { "$_/$name" } split /:/, $ENV{PATH})[0]
        // die "$name not found\n";
}

# need_module() knows the modules this file loads, by their names.
sub base_conf {
    return $server->write_file('conf/base.conf', $server->load_lines);
}

# Apache::Test writes an httpd.conf of its own, in which it gives other ports to
# virtual hosts; what it includes it leaves alone.
sub pre_configure {
    my ($self) = @_;
    $server->{loaded} = 1;
    $server->prepare->write_config('conf/server.conf');
    $server->write_file('conf/httpd.conf.in', qq{Include "\@ServerRoot@/conf/server.conf"\n});
    return;
}

sub start {
    my ($self) = @_;
    $self->SUPER::start;
    @ENV{qw(WSK_SHARED_PORT WSK_SHARED_TLS_PORT WSK_SHARED_ROOT)} =
        @$server{qw(port tls_port root)};
    return;
}

sub run_tests {
    my ($self) = @_;
    return $self->SUPER::run_tests if !$ENV{WSK_RESULTS};
    my @tests = @{ $self->{tests} // [] };
    @tests = glob 't/[0-9]*.t' if !@tests;
    my @run = ('build/lib/run-tap', '--timeout', $ENV{WSK_TIMEOUT} // 180,
        '--results', $ENV{WSK_RESULTS}, '--logs', $ENV{WSK_LOGS});
    my @one   = grep { is_one_by_one($_) } @tests;
    my @some  = grep { !is_one_by_one($_) } @tests;
    my $beside = fork // die "fork: $!\n";
    if (!$beside) {
        system @run, @one if @one;
        POSIX::_exit(0);
    }
    system @run, '--jobs', $ENV{WSK_JOBS} // 1, @some if @some;
    waitpid $beside, 0;
    return;
}

# Those that share a server read its log, each the part that is its own; and of
# crowds one at a time is enough. The others mostly wait, and run beside them.
sub is_one_by_one {
    my ($test) = @_;
    return WordSocket::Server::slurp($test) =~ /Server->shared\b|WordSocket::(?:Echo|Crowd|Swarm)\b/;
}

# What the last of the shared server's processes finds when it ends, above all
# leaks, comes too late for any test.
sub stop {
    my ($self) = @_;
    my $stopped = $self->SUPER::stop;
    return $stopped if !WordSocket::Sanitizer::kind();
    local $server->{conf} = "$server->{root}/conf/httpd.conf";
    $server->wait_for(30, sub { !$server->pids });
    my $found = WordSocket::Sanitizer::findings($server->{root});
    print "the shared server ended with findings:\n$found\n" if $found;
    if (my $results = $ENV{WSK_RESULTS}) {
        open my $out, '>>', $results or die "$results: $!\n";
        say $out $found ? '0 1 0' : '1 0 0';
    }
    elsif ($found) {
        exit 1;
    }
    return $stopped;
}

1;
