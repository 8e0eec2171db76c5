# SPDX-License-Identifier: Apache-2.0
# Starts what is measured, on one core and a free port of the loopback.
#
#   my $side = Bench::Servers::start('us', { dir => .., cpu => 0, .. }, %how);
#   $side->{pid}, ->{port}, ->{tls_port}
#   Bench::Servers::stop($side);
#
# %how      pings, keeps   what floor does only when asked: as often as ours, and
#                          the newest message for those who come
#           sites          so many others beside ours, called other0, ..
#           history        as the directive has it
#
# Promise   Ends only what it started: every process is in a group of its own
#           whose leader is $side->{pid}, and the kernel tells the leader to
#           end should this process be killed.
package Bench::Servers;
use v5.30;
use warnings;
use File::Path qw(make_path);
use IO::Socket::INET;
use JSON::PP ();
use POSIX qw(:sys_wait_h);
use Time::HiRes qw(sleep time);

use constant {
    SITE_KEY => 'bench-site', PUBLISH_SECRET => 'bench-publish', JWT_SECRET => 'bench-jwt',
    PATIENCE => 20,    # seconds until a server answers
    PING => 20,        # seconds from ping to ping
};

my %alive;
my $runs = 0;

my %command = (us => \&httpd, floor => \&bare_loop, nchan => \&nginx, ws => \&node, socketio => \&node, hocuspocus => \&node, pushpin => \&pushpin);

sub start {
    my ($kind, $at, %how) = @_;
    for (1 .. 3) {
        my $side = { kind => $kind, dir => "$at->{dir}/$kind-" . ++$runs, port => free_port(), tls_port => free_port() };
        make_path($side->{dir});
        chmod 0755, $side->{dir};
        launch($side, $at->{cpu}, $command{$kind}->($side, $at, %how));
        return $side if answers($side);
        stop($side);
    }
    die "$kind does not start; see $at->{dir}\n";
}

sub launch {
    my ($side, $cpu, @words) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        POSIX::setpgid(0, 0);
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$side->{dir}/said" or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT;
        exec 'setpriv', '--pdeathsig', 'TERM', 'taskset', '-c', $cpu, @words or POSIX::_exit(127);
    }
    $side->{pid} = $pid;
    $alive{$pid} = $side;
    return;
}

sub answers {
    my ($side) = @_;
    my $end = time + PATIENCE;
    while (time < $end) {
        return 0 if waitpid($side->{pid}, WNOHANG) == $side->{pid};
        if (my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $side->{port}, Timeout => 2)) {
            print $socket "GET /20.txt HTTP/1.0\r\n\r\n";
            return 1 if defined readline $socket;
        }
        sleep 0.05;
    }
    return 0;
}

# The whole group: the leader first, who tells its children.
sub stop {
    my ($side) = @_;
    my $pid = $side->{pid};
    kill 'TERM', $pid;
    my $end = time + 8;
    sleep 0.02 while waitpid($pid, WNOHANG) == 0 && time < $end;
    kill 'KILL', -$pid;
    waitpid $pid, WNOHANG;
    delete $alive{$pid};
    stop(delete $side->{behind}) if $side->{behind};
    return;
}

sub stop_all { stop($_) for values %alive; return }

sub free_port {
    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => 0, Listen => 1)
        or die "no free port: $!\n";
    return $socket->sockport;
}

sub write_file {
    my ($side, $name, $text) = @_;
    open my $out, '>', "$side->{dir}/$name" or die "$name: $!\n";
    print $out $text;
    close $out or die "$name: $!\n";
    return "$side->{dir}/$name";
}

# --- how each is started -------------------------------------------------------

sub bare_loop {
    my ($side, $at, %how) = @_;
    return ("$at->{bin}/floor", $how{pings} ? ('-p', PING) : (), $how{keeps} ? '-k' : (), $side->{port});
}

sub node {
    my ($side, $at) = @_;
    return ('node', "$at->{peers}/relay.mjs", $side->{kind}, $side->{port});
}

sub nginx {
    my ($side) = @_;
    my $user = $> == 0 ? 'user www-data;' : '';
    my $conf = write_file($side, 'nginx.conf', <<"END");
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
$user
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
pid $side->{dir}/pid;
error_log $side->{dir}/error.log warn;
events { worker_connections 19900; }
http {
    access_log off;
    client_body_temp_path $side->{dir}/body;
    keepalive_requests 1000000000;
    nchan_max_reserved_memory 256m;
    server {
        listen 127.0.0.1:$side->{port} backlog=4096;
        location ~ ^/(?:ws|sse)/(\\w+)\$ {
            nchan_subscriber websocket eventsource;
            nchan_channel_id \$1;
            nchan_subscriber_first_message newest;
        }
        location ~ ^/pub/(\\w+)\$ {
            nchan_publisher http;
            nchan_channel_id \$1;
            nchan_message_buffer_length 10;
            nchan_message_timeout 60s;
        }
    }
}
END
    return ('nginx', '-p', $side->{dir}, '-c', $conf, '-e', "$side->{dir}/error.log");
}

# Whoever comes is asked for behind, where the answer says that they stay and on which
# channel. That is on the generator's core, and not counted.
sub pushpin {
    my ($side, $at) = @_;
    my $behind = $side->{behind} = { kind => 'grip', dir => "$side->{dir}/behind", port => free_port() };
    make_path($behind->{dir});
    launch($behind, $at->{load_cpu}, node($behind, $at));
    $side->{push_port} = free_port();
    open my $in, '<', '/usr/lib/pushpin/internal.conf' or die "pushpin: $!\n";
    my $internal = do { local $/; readline $in };
    write_file($side, 'internal.conf', $internal =~ s{/var/run/zurl/}{{rundir}/{ipc_prefix}}gr);
    write_file($side, 'routes', "* 127.0.0.1:$behind->{port}\n");
    my $conf = write_file($side, 'pushpin.conf', <<"END");
[global]
include=$side->{dir}/internal.conf
rundir=$side->{dir}
ipc_prefix=
port_offset=0
[runner]
services=condure,zurl,pushpin-proxy,pushpin-handler
http_port=127.0.0.1:$side->{port}
logdir=$side->{dir}
log_level=1
client_maxconn=19000
[proxy]
routesfile=$side->{dir}/routes
updates_check=off
[handler]
push_in_http_addr=127.0.0.1
push_in_http_port=$side->{push_port}
command_spec=ipc://{rundir}/command
message_rate=1000000
message_hwm=1000000
END
    return ('pushpin', '--config', $conf);
}

my @modules = qw(
    mpm_event authn_core authz_core authz_host alias deflate dir env filter
    headers log_config mime reqtimeout setenvif socache_shmcb ssl status unixd
);

# As Debian sets httpd up, with an access log, but with one child, since there
# is one core, and with the caps and rates out of the way.
sub httpd {
    my ($side, $at, %how) = @_;
    my $dir = $side->{dir};
    my $folder = $ENV{WSK_HTTPD_MODULES} // '/usr/lib/apache2/modules';
    my $load = join '', map { "LoadModule ${_}_module $folder/mod_$_.so\n" } grep { -e "$folder/mod_$_.so" } @modules;
    my $user = $> == 0 ? "User www-data\nGroup www-data\n" : '';
    my $pem  = certificate($at);
    make_path("$dir/htdocs");
    write_file($side, 'htdocs/20.txt', "twenty bytes, no more");
    truncate "$dir/htdocs/20.txt", 20;
    write_file($side, 'sites.json', JSON::PP->new->canonical->encode([ map { {
        site_key => $_, publish_secret => PUBLISH_SECRET, jwt_secret => JWT_SECRET,
        site_url => 'http://127.0.0.1', signature => 2,
        limits => { map { $_ => 1_000_000 } map { ("${_}_rate", "${_}_burst") } qw(user_browser browser connection) } } } SITE_KEY, map { "other$_" } 0 .. ($how{sites} // 0) - 1 ]));
    my $history = $how{history} ? "WordSocketHistory $how{history}" : '';
    my $ping = PING;
    my $conf = write_file($side, 'httpd.conf', <<"END");
ServerRoot "$dir"
DefaultRuntimeDir "$dir"
PidFile "$dir/pid"
ErrorLog "$dir/error.log"
LogLevel warn
ServerName 127.0.0.1
Listen 127.0.0.1:$side->{port}
Listen 127.0.0.1:$side->{tls_port}
$load
LoadModule wordsocket_module "$at->{module}"
$user
TypesConfig /etc/mime.types
Timeout 60
KeepAlive On
KeepAliveTimeout 5
MaxKeepAliveRequests 0
ListenBacklog 4096
StartServers 1
ServerLimit 2
ThreadsPerChild 64
ThreadLimit 64
MaxRequestWorkers 64
MinSpareThreads 1
MaxSpareThreads 64
LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
CustomLog "$dir/access.log" combined
DocumentRoot "$dir/htdocs"
<Directory "$dir/htdocs">
    AllowOverride None
    Require all granted
</Directory>
SSLSessionCache "shmcb:$dir/tls(512000)"
WordSocket On
WordSocketSiteFile "$dir/sites.json"
WordSocketPing ${ping}s
$history
WordSocketSharedMemory 256M
WordSocketMaxConnections 100000
WordSocketSiteConnections 100000
WordSocketAddressConnections 100000
WordSocketUserConnections 100000
WordSocketPublishRate 1000000 1000000
WordSocketUserPublishRate 1000000 1000000
<VirtualHost 127.0.0.1:$side->{tls_port}>
    SSLEngine On
    SSLCertificateFile "$pem"
</VirtualHost>
END
    return ($ENV{HTTPD} // '/usr/sbin/apache2', '-DFOREGROUND', '-f', $conf);
}

sub certificate {
    my ($at) = @_;
    my $pem = "$at->{dir}/server.pem";
    return $pem if -e $pem;
    my $said = qx{openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=127.0.0.1 -keyout '$at->{dir}/key' -out '$at->{dir}/crt' 2>&1 && cat '$at->{dir}/crt' '$at->{dir}/key' >'$pem'};
    die "openssl: $said\n" if $?;
    return $pem;
}

1;
