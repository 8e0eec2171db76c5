# SPDX-License-Identifier: Apache-2.0
# What stands before a relay: nginx and HAProxy, unprivileged, on free ports of
# the loopback; and the files of conf/examples/, filled in.
#
#   my $text  = example('nginx.conf', RELAY => '127.0.0.1:8080', LISTEN => $at);
#   my $front = WordSocket::Front->nginx(sub { my ($at) = @_; "server { .. }" });
#   my $client = WordSocket::Client->new($front, site => $relay->site);
#
# The sub gets the addresses to listen on, plain and for TLS, and makes the
# configuration: nginx's for its http block, HAProxy's whole.
#
# Promise   What was started is stopped, at the latest when the test ends.
package WordSocket::Front;
use v5.30;
use warnings;
use Exporter qw(import);
use File::Path qw(make_path);
use File::Temp qw(tempdir);
use IO::Socket::INET;
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep time);
use WordSocket::Server;

our @EXPORT_OK = qw(cpanel example shortened);
use constant START_ATTEMPTS => 5;

my %alive;

# --- examples ----------------------------------------------------------------

# The very file, with every placeholder filled in; a placeholder without a value
# and a value without a placeholder are mistakes.
sub example {
    my ($name, %value) = @_;
    my $top  = $ENV{WSK_TOP} // '.';
    my $text = WordSocket::Server::slurp("$top/conf/examples/$name") or die "no example $name\n";
    my %used;
    $text =~ s{\@([A-Z_0-9]+)\@}{$used{$1}++; $value{$1} // die "$name: no value for \@$1\@\n"}eg;
    $used{$_} or die "$name: has no \@$_\@\n" for keys %value;
    return $text;
}

# The same text with one of its times cut down, so that a test can wait for it.
sub shortened {
    my ($text, $time, $short) = @_;
    $text =~ s/\b\Q$time\E(?=;?$)/$short/mg or die "there is no $time to shorten\n";
    return $text;
}

# nginx as cPanel has it, before an Apache at this URL. include: a sub that gets
# the front's folder and makes one of its server-includes; more: a line beside
# cPanel's own; patient: as long as cPanel's, where a test does not wait for its end.
sub cpanel {
    my ($apache, %option) = @_;
    my $top = $ENV{WSK_TOP} // '.';
    my $template = WordSocket::Server::slurp("$top/t/conf/ea-nginx.conf.template") or die "no template\n";
    return WordSocket::Front->nginx(sub {
        my ($at, undef, $root) = @_;
        my %value = (LISTEN => $at, ROOT => $root, APACHE => $apache, MORE => $option{more} // '',
            INCLUDE => $option{include} ? $option{include}->($root) : '');
        my $text = $template =~ s{\@([A-Z]+)\@}{$value{$1} // die "no $1\n"}egr;
        $text =~ s/(proxy_read_timeout) 2s/$1 300s/ or die "no patience to restore\n" if $option{patient};
        return $text;
    });
}

# --- starting ----------------------------------------------------------------

sub nginx {
    my ($class, $http) = @_;
    return $class->begin('nginx', sub {
        my ($self, @at) = @_;
        my $root = $self->{root};
        my @temporary = map { "    ${_}_temp_path $root/$_;\n" } qw(client_body proxy fastcgi uwsgi scgi);
        return <<"CONF";
worker_processes 1;
pid $root/pid;
error_log $root/error_log notice;
events { worker_connections 512; }
http {
@temporary    log_format test '\$remote_addr "\$request" \$status';
    access_log $root/access_log test;
@{[ $http->(@at, $root) ]}
}
CONF
    }, sub { ('nginx', '-p', $_[0]{root}, '-c', $_[0]{conf}, '-g', 'daemon off;') });
}

sub haproxy {
    my ($class, $conf) = @_;
    return $class->begin('haproxy', sub {
        my ($self, @at) = @_;
        return <<"CONF" . $conf->(@at, $self->{root});
global
    maxconn 500
    log stdout format raw local0

defaults
    log global
    option httplog

CONF
    }, sub { ('haproxy', '-db', '-f', $_[0]{conf}) });
}

sub begin {
    my ($class, $name, $conf, $command) = @_;
    my $self = bless {
        name => $name, path => '/wordsocket', owner => $$,
        root => tempdir("wordsocket-$name-XXXXXX", TMPDIR => 1, CLEANUP => !$ENV{WSK_KEEP}),
    }, $class;
    for (1 .. START_ATTEMPTS) {
        @$self{qw(port tls_port)} = WordSocket::Server::free_ports();
        $self->{conf} = "$self->{root}/$name.conf";
        open my $out, '>', $self->{conf} or die "$self->{conf}: $!\n";
        print $out $conf->($self, map { "127.0.0.1:$self->{$_}" } qw(port tls_port));
        close $out or die "$self->{conf}: $!\n";
        return $self if $self->try_start($command->($self));
        last if $self->said !~ /in use|cannot bind/i;
    }
    die "$name does not start:\n", $self->said, "\n";
}

# Nothing here needs rights that a user has not; root gives its own away.
sub try_start {
    my ($self, @command) = @_;
    my @as = ('setpriv', '--pdeathsig', 'TERM');
    if ($> == 0) {
        my (undef, undef, $uid, $gid) = getpwnam 'www-data' or die "no user www-data\n";
        chown $uid, $gid, $self->{root};
        push @as, "--reuid=$uid", "--regid=$gid", '--clear-groups';
    }
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN,  '<',  '/dev/null';
        open STDOUT, '>>', "$self->{root}/said" or die $!;
        open STDERR, '>&', \*STDOUT;
        local $ENV{PATH} = "$ENV{PATH}:/usr/sbin";
        exec(@as, @command) or POSIX::_exit(127);
    }
    $self->{pid} = $pid;
    $alive{$pid} = $self;
    my $end = time + 10;
    while (time < $end && waitpid($pid, POSIX::WNOHANG()) == 0) {
        return 1 if IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Timeout => 1);
        sleep 0.02;
    }
    $self->end;
    return 0;
}

# What it said and logged.
sub said {
    my ($self) = @_;
    return join '', map { WordSocket::Server::slurp("$self->{root}/$_") } qw(said error_log access_log);
}

# Stop, and see that no log has a token.
sub stop {
    my ($self) = @_;
    $self->end;
    Test::More::ok($self->said !~ /token=/, "$self->{name} logged no token");
    return;
}

# TERM is a fast stop for both.
sub end {
    my ($self) = @_;
    my $pid = delete $self->{pid} // return;
    kill 'TERM', $pid;
    my $end = time + 5;
    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        kill 'KILL', $pid if time > $end;
        sleep 0.02;
    }
    delete $alive{$pid};
    return;
}

# --- as a server, for WordSocket::Client ---------------------------------------

sub site     { WordSocket::Server::default_site() }
sub root_url { my ($self, $tls) = @_; ($tls ? 'https' : 'http') . "://127.0.0.1:" . ($tls ? $self->{tls_port} : $self->{port}) }
sub base     { my ($self, $tls) = @_; $self->root_url($tls) . $self->{path} }

END {
    my $status = $?;
    for my $self (values %alive) {
        $self->end if $self->{owner} == $$;
    }
    $? = $status;
}

1;
