# SPDX-License-Identifier: Apache-2.0
# PHP-FPM of a test: one master, a pool for each name, each on a socket.
#
#   my $php = WordSocket::Php->start($server->{root}, alice => 'alice', bob => 'bob');
#   $php->handler('alice');    # lines for httpd's configuration
#
# A pool is a name and the user it runs as, '' for that of httpd's children; where
# httpd is not started by root, all run as whoever starts them. It has two
# processes: an error page runs while the request that failed still has one.
package WordSocket::Php;
use v5.30;
use warnings;
use Time::HiRes qw(sleep);

my %alive;

sub start {
    my ($class, $root, %pools) = @_;
    my $self = bless { root => $root, pools => \%pools }, $class;
    my $text = "[global]\nerror_log = $root/logs/php-fpm.log\ndaemonize = no\n";
    for my $name (sort keys %pools) {
        my $runs = $pools{$name} || 'www-data';
        my $user = $> == 0 ? "user = $runs\nlisten.owner = www-data\nlisten.mode = 0600\n" : '';
        $text .= "[$name]\nlisten = $root/$name.sock\n${user}pm = static\npm.max_children = 2\n"
            . "catch_workers_output = yes\n";
    }
    open my $out, '>', "$root/fpm.conf" or die "fpm.conf: $!\n";
    print $out $text;
    close $out;
    $self->{pid} = fork // die "fork: $!\n";
    if (!$self->{pid}) {
        open STDIN,  '<', '/dev/null';
        open STDOUT, '>', "$root/logs/php-fpm.out" or die $!;
        open STDERR, '>&', \*STDOUT;
        exec('setpriv', '--pdeathsig', 'TERM', $ENV{PHP_FPM} // 'php-fpm8.2', '--fpm-config', "$root/fpm.conf")
            or POSIX::_exit(127);
    }
    $alive{ $self->{pid} } = $$;
    for (1 .. 200) {
        return $self if !grep { !-S "$root/$_.sock" } keys %pools;
        sleep 0.05;
    }
    die "php-fpm does not start: ", WordSocket::Server::slurp("$root/logs/php-fpm.log"), "\n";
}

sub handler {
    my ($self, $name) = @_;
    return qq{<FilesMatch "\\.php\$">\nSetHandler "proxy:unix:$self->{root}/$name.sock|fcgi://$name"\n</FilesMatch>\n};
}

sub stop {
    my ($self) = @_;
    kill 'TERM', $self->{pid};
    waitpid $self->{pid}, 0;
    delete $alive{ $self->{pid} };
    return;
}

END {
    my $status = $?;
    kill 'TERM', grep { $alive{$_} == $$ } keys %alive;
    $? = $status;
}

1;
