# SPDX-License-Identifier: Apache-2.0
# A private httpd on free ports of the loopback, with the module loaded.
#
#   my $server = WordSocket::Server->new(
#       mpm => 'worker', children => 4, threads => 16,
#       lines => 'WordSocketPing 1s', vhost_lines => '...',
#       modules => ['http2'], sites => [ {...} ],
#       open_files => '256:400');   # its soft and its hard limit
#   $server->start;
#   $server->graceful;              # a graceful restart
#   $server->stop;                  # and judge the error log, by Log.pm
#
# Promise   What was started is stopped, at the latest when the test ends, by
#           the pids that carry this server's configuration on their command
#           line. Ports are found by trying.
package WordSocket::Server;
use v5.30;
use warnings;
use Cwd qw(abs_path);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use JSON::PP ();
use POSIX qw(:sys_wait_h);
use Test::More ();
use Time::HiRes qw(sleep time);
use WordSocket::Crash;
use WordSocket::Log;
use WordSocket::Sanitizer;

use constant START_ATTEMPTS => 10;

my %alive;    # started by this process, not stopped yet

# Signals end a test by way of END, which stops what was started.
$SIG{$_} //= sub { exit 1 } for qw(INT TERM HUP);

# The site every server knows unless told otherwise; the wire document's own.
sub default_site {
    return {
        site_key       => '0123456789abcdef0123456789abcdef',
        publish_secret => 'publish-secret',
        jwt_secret     => 'jwt-secret',
        site_url       => 'http://127.0.0.1',
    };
}

my @always = qw(
    authn_core authz_core authz_host alias deflate dir env filter headers
    log_config mime proxy proxy_http proxy_wstunnel remoteip reqtimeout
    rewrite setenvif socache_shmcb ssl status unixd http2
);

sub new {
    my ($class, %option) = @_;
    my $self = bless {
        mpm => $ENV{WSK_MPM} || 'event', children => 2, threads => 16,
        lines => '', vhost_lines => '', more_vhosts => '', modules => [],
        without => [], tls_protocols => 'http/1.1', path => '/wordsocket',
        sites => [ default_site() ], environment => {}, %option,
    }, $class;
    $self->{server_limit} //= 4 * $self->{children};
    $self->{top} = abs_path($ENV{WSK_TOP} // '.');
    $self->{log} = WordSocket::Log->new($self);
    return $self;
}

# The server of t/TEST if there is one, else a private one of the same kind.
sub shared {
    my ($class) = @_;
    state $shared;
    return $shared if $shared;
    my $self = $class->new;
    if (my $port = $ENV{WSK_SHARED_PORT}) {
        @$self{qw(port tls_port root is_shared)} =
            ($port, $ENV{WSK_SHARED_TLS_PORT}, $ENV{WSK_SHARED_ROOT}, 1);
        $self->{log}->begin($self->error_log);
        $self->{found} = WordSocket::Sanitizer::mark($self->{root});
    }
    else {
        $self->start;
    }
    return $shared = $self;
}

sub httpd { $ENV{HTTPD} // '/usr/sbin/apache2' }

sub module_file {
    my ($self) = @_;
    return abs_path($ENV{WSK_SO} // "$self->{top}/.libs/mod_wordsocket.so")
        // die "the module is not built\n";
}

sub modules_dir {
    my $apxs = $ENV{APXS} // 'apxs';
    state $dir = qx{$apxs -q LIBEXECDIR} =~ s/\s+\z//r;
    return $dir;
}

# --- configuration -----------------------------------------------------------

sub load_lines {
    my ($self) = @_;
    my $dir = modules_dir();
    my %gone = map { $_ => 1 } @{ $self->{without} };
    # mod_http2 does not work with prefork and says so.
    $gone{http2} = 1 if $self->{mpm} eq 'prefork';
    my @names = ("mpm_$self->{mpm}", @always, @{ $self->{modules} });
    my @there = grep { -e "$dir/mod_$_.so" && !$gone{$_} } @names;
    return join '', (map { qq{LoadModule ${_}_module "$dir/mod_$_.so"\n} } @there),
        $gone{wordsocket} ? () : qq{LoadModule wordsocket_module "@{[$self->module_file]}"\n};
}

sub prepare {
    my ($self) = @_;
    $self->{root} //= tempdir('wordsocket-XXXXXX', TMPDIR => 1, CLEANUP => !$ENV{WSK_KEEP});
    my $root = $self->{root};
    chmod 0755, $root;
    make_path("$root/logs", "$root/cores", "$root/htdocs");
    chmod 0777, "$root/cores";    # of children, who run as another user
    chmod 0777, "$root/logs" if WordSocket::Sanitizer::kind();
    $self->write_file('htdocs/index.html', "an ordinary page\n");
    $self->write_file('sites.json', JSON::PP->new->canonical->pretty->encode($self->{sites}));
    $self->certificate;
    return $self;
}

sub write_file {
    my ($self, $name, $text) = @_;
    open my $out, '>', "$self->{root}/$name" or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
    return "$self->{root}/$name";
}

sub certificate {
    my ($self) = @_;
    my $pem = "$self->{root}/server.pem";
    return $pem if -e $pem;
    my $said = qx{openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1 -addext basicConstraints=critical,CA:FALSE -keyout '$pem.key' -out '$pem.crt' 2>&1};
    die "openssl: $said\n" if $?;
    open my $out, '>', $pem or die "$pem: $!\n";
    print $out map { my $f = "$pem.$_"; open my $in, '<', $f or die $!; <$in> } qw(crt key);
    close $out;
    return $pem;
}

sub values_of {
    my ($self) = @_;
    my $root = $self->{root};
    my $user = $> == 0 ? "User www-data\nGroup www-data\n" : '';
    return (
        ServerRoot => $root, DocumentRoot => "$root/htdocs",
        t_logs => "$root/logs", t_pid_file => "$root/logs/httpd.pid",
        Port => $self->{port}, wsk_tls_port => $self->{tls_port},
        wsk_modules => $self->load_lines, wsk_user => $user,
        wsk_children => $self->{children}, wsk_threads => $self->{threads},
        wsk_workers => $self->{children} * $self->{threads},
        wsk_server_limit => $self->{server_limit},
        wsk_site_file => "$root/sites.json",
        wsk_lines => $self->{lines}, wsk_vhost_lines => $self->{vhost_lines},
        wsk_more_vhosts => $self->{more_vhosts},
        wsk_tls_protocols => $self->{tls_protocols},
        wsk_certificate => "$root/server.pem",
    );
}

sub write_config {
    my ($self, $name) = @_;
    my %value = $self->values_of;
    $value{wsk_modules} = '' if $self->{loaded};
    open my $in, '<', "$self->{top}/t/conf/server.conf.template" or die "server.conf.template: $!\n";
    my $text = do { local $/; <$in> };
    # Twice: what is filled in may hold a port of its own.
    for (1, 2) {
        $text =~ s{\@(\w+)\@}{$value{$1} // die "server.conf.template: no $1\n"}eg;
    }
    $text = join '', map { s/ wordsocket:debug//r } grep { !/^\s*WordSocket/ } split /^/, $text
        if grep { $_ eq 'wordsocket' } @{ $self->{without} };
    return $self->{conf} = $self->write_file($name // 'httpd.conf', $text);
}

# What httpd -t says of the configuration as it is now.
sub verdict {
    my ($self) = @_;
    $self->prepare;
    ($self->{port}, $self->{tls_port}) = free_ports();
    $self->write_config;
    return $self->config_test;
}

# What httpd -t says of the file as it is; $? has the status.
sub config_test {
    my ($self) = @_;
    local %ENV = (%ENV, WordSocket::Sanitizer::environment(@$self{qw(top root)}));
    return scalar qx{@{[httpd()]} -t -f '$self->{conf}' 2>&1};
}

# --- start and stop ----------------------------------------------------------

sub free_port {
    my $socket = IO::Socket::INET->new(
        LocalAddr => '127.0.0.1', LocalPort => 0, Proto => 'tcp', Listen => 1)
        or die "no free port: $!\n";
    return $socket->sockport;
}

# Two, which are not the same.
sub free_ports {
    my ($one, $other) = (free_port(), free_port());
    $other = free_port() while $other == $one;
    return ($one, $other);
}

sub start {
    my ($self) = @_;
    $self->prepare;
    for (1 .. START_ATTEMPTS) {
        ($self->{port}, $self->{tls_port}) = free_ports();
        $self->write_config;
        return $self if $self->try_start;
        last if $self->startup_text !~ /could not bind|no listening sockets|multiple Listeners/;
    }
    die "httpd does not start:\n", $self->startup_text, $self->log_text, "\n";
}

sub try_start {
    my ($self) = @_;
    my $before = $self->starts;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', "$self->{root}/logs/startup" or die $!;
        open STDERR, '>&', \*STDOUT;
        my %more = (WordSocket::Sanitizer::environment(@$self{qw(top root)}), %{ $self->{environment} });
        @ENV{ keys %more } = values %more;
        # A group of its own, since prefork ends by a signal to all of its
        # group; and told to stop should this test be killed.
        POSIX::setpgid(0, 0);
        exec(WordSocket::Crash::allowing_cores('setpriv', '--pdeathsig', 'TERM',
            $self->{open_files} ? ('prlimit', "--nofile=$self->{open_files}") : (),
            WordSocket::Sanitizer::prefix(@$self{qw(top root)}),
            httpd(), $self->{one_process} ? '-X' : '-DFOREGROUND', '-f', $self->{conf}))
            or POSIX::_exit(127);
    }
    @$self{qw(pid owner)} = ($pid, $$);
    $self->{log}->begin($self->error_log);
    $alive{$pid} = $self;
    return 1 if $self->wait_until_up(30 * WordSocket::Sanitizer::slowness(), $before);
    $self->kill_all;
    return 0;
}

sub wait_until_up {
    my ($self, $seconds, $before) = @_;
    my $end = time + $seconds;
    while (time < $end) {
        return 0 if waitpid($self->{pid}, WNOHANG) == $self->{pid};
        # The log has it once the ports are bound; with one process only (httpd -X)
        # it never has.
        if ($self->{one_process} || $self->starts > $before && $self->children_are_up) {
            my $socket = IO::Socket::INET->new(
                PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Timeout => 5);
            return 1 if $socket;
        }
        sleep 0.05;
    }
    return 0;
}

# A child makes its threads last: one that has them has its slot and its loop (which is
# the one thread more in prefork).
sub children_are_up {
    my ($self, %but) = @_;
    my $threads = $self->{mpm} eq 'prefork' ? 1 + 1 : $self->{threads};
    my @up = grep { !$but{$_} && $threads <= (() = glob "/proc/$_/task/*") } $self->children;
    return @up >= $self->{children};
}

sub startup_text { slurp("$_[0]{root}/logs/startup") }
sub error_log    { "$_[0]{root}/logs/error_log" }
sub log_text     { slurp($_[0]->error_log) }

# How often httpd said that it serves, also before it was stopped and started.
sub starts {
    my ($self) = @_;
    return scalar(() = $self->log_text =~ /resuming normal operations/g);
}

sub announce     { my $self = shift; $self->{log}->announce(@_) }

sub slurp {
    my ($file) = @_;
    open my $in, '<', $file or return '';
    local $/;
    return <$in> // '';
}

# Send the parent a signal: USR1 graceful, HUP restart, WINCH graceful-stop,
# TERM stop.
sub signal {
    my ($self, $name) = @_;
    $self->{log}->stopping if $name =~ /^(?:TERM|HUP)$/;
    return kill $name, $self->{pid};
}

# A graceful restart, and wait until the new generation serves.
sub graceful {
    my ($self, $seconds) = @_;
    my $before = $self->starts;
    my %old = map { $_ => 1 } $self->children;
    $self->signal('USR1');
    return $self->wait_for($seconds // 20 * WordSocket::Sanitizer::slowness(), sub {
        $self->starts > $before && $self->children_are_up(%old);
    });
}

# The same, and until the children of before are gone. A keeper is none of them.
sub renew {
    my ($self, $seconds) = @_;
    $seconds //= 30 * WordSocket::Sanitizer::slowness();
    my %old = map { $_ => 1 } $self->children;
    return $self->graceful($seconds) && $self->wait_for($seconds, sub { !grep { $old{$_} } $self->children });
}

sub wait_for {
    my (undef, $seconds, $check) = @_;
    my $end = time + $seconds;
    while (time < $end) {
        return 1 if $check->();
        sleep 0.05;
    }
    return 0;
}

sub wait_gone {
    my ($self, $seconds) = @_;
    return $self->wait_for($seconds, sub { waitpid($self->{pid}, WNOHANG) != 0 });
}

# Stop, by TERM or another signal, and judge: the parent goes in time, leaves
# nobody behind, and wrote nothing into its log that was not announced.
sub stop {
    my ($self, %option) = @_;
    return $self->judge if $self->{is_shared};
    return if !$self->{pid};
    $self->signal($option{signal} // 'TERM');
    my $seconds = $option{seconds} // 15 * WordSocket::Sanitizer::slowness();
    Test::More::ok($self->wait_gone($seconds), "httpd stops within $seconds s");
    $self->wait_for(5, sub { !$self->pids });
    my @left = map { "$_ " . command_line($_) } $self->pids;
    Test::More::is("@left", '', 'and leaves no process behind');
    $self->kill_all;
    $self->judge;
    return;
}

sub judge {
    my ($self) = @_;
    $self->{log}->judge;
    WordSocket::Sanitizer::judge(@$self{qw(root found)});
    return;
}

sub kill_all {
    my ($self) = @_;
    kill 'KILL', $self->{pid}, $self->pids;
    $self->wait_gone(5);
    kill 'KILL', $self->pids;
    delete $alive{ delete $self->{pid} };
    return;
}

# --- processes ---------------------------------------------------------------

sub command_line { slurp("/proc/$_[0]/cmdline") =~ tr/\0/ /r }

# Every process that carries our configuration, the parent too.
sub pids {
    my ($self) = @_;
    opendir my $proc, '/proc' or die "/proc: $!\n";
    return grep {
        /^\d+$/ && index(slurp("/proc/$_/cmdline"), "\0$self->{conf}\0") >= 0
            && (stat_of($_))[0] !~ /[ZX]/
    } readdir $proc;
}

# State and parent of a process.
sub stat_of {
    my ($state, $ppid) = slurp("/proc/$_[0]/stat") =~ /\) (\S) (\d+)/;
    return ($state // 'X', $ppid // 0);
}

# httpd's children; with a mask of modules, mod_cgid's daemon would be one too.
sub children {
    my ($self) = @_;
    my @children = sort { $a <=> $b } grep { (stat_of($_))[1] == $self->{pid} } $self->pids;
    return @children;    # a sort has no value as a scalar
}

# Those of ours that are neither the parent nor its children: keepers.
sub keepers {
    my ($self) = @_;
    return grep { $_ != $self->{pid} && (stat_of($_))[1] != $self->{pid} } $self->pids;
}

# Memory of all children in KiB, by smaps_rollup.
sub memory_kib {
    my ($self, $field) = @_;
    my $sum = 0;
    for my $pid ($self->children) {
        $sum += $1 if slurp("/proc/$pid/smaps_rollup") =~ /^\Q$field\E:\s+(\d+) kB/m;
    }
    return $sum;
}

# --- addresses ---------------------------------------------------------------

sub address { my ($self, $tls) = @_; '127.0.0.1:' . ($tls ? $self->{tls_port} : $self->{port}) }
sub root_url { my ($self, $tls) = @_; ($tls ? 'https' : 'http') . '://' . $self->address($tls) }
sub base    { my ($self, $tls) = @_; $self->root_url($tls) . $self->{path} }
sub site    { $_[0]{sites}[ $_[1] // 0 ] }

END {
    my $status = $?;
    for my $self (values %alive) {
        $self->kill_all if $self->{owner} == $$;
    }
    $? = $status;
}

1;
