# SPDX-License-Identifier: Apache-2.0
# How a figure is taken of one side: what wsload is told, and which number of
# its report is the value.
#
#   my ($value, $report) = measure($figure, $side_name, $at);
#
# A run in which something got lost or was refused, or a latency on a machine
# that others use, has no value; $report->{why}
# says so.
package Bench::Recipes;
use v5.30;
use warnings;
use Digest::SHA qw(hmac_sha256 sha256_hex hmac_sha256_hex);
use Exporter qw(import);
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use POSIX ();
use Time::HiRes qw(time);
use Bench::Servers;

our @EXPORT_OK = qw(measure stop_load);

my $load;    # the generator that runs

my %value_of = (
    deliver   => sub { my ($r, $f) = @_; $r->{cpu}{server_us_per_delivery} / ($f->{list} // 1) },
    latency   => sub { $_[0]{deliver}{latency_us}{p99} / 1000 },
    memory    => sub { $_[0]{memory}{per_conn}{pss} },
    handshake => sub { $_[0]{connect}{server_cpu_us} },
    publish   => sub { my ($r, $f) = @_; $r->{cpu}{server_us_per_publish} / ($f->{list} // 1) },
    idle      => sub { my ($r, $f) = @_; $r->{idle}{server_cpu_s} * 1e6 / $r->{idle}{seconds} / $f->{subs} },
);

sub measure {
    my ($figure, $name, $at) = @_;
    my %figure = (%$figure);
    my ($kind, $how) = $name =~ /^(\w+)(?:-(\w+))?$/;
    $figure{subs} = $figure{few} if ($how // '') eq 'few';
    $figure{tls} = ($how // '') eq 'tls';
    if ($kind eq 'static') {
        $kind = 'us';
        $figure{static} = 1;
    }
    # Only ours knows lists and the publish socket.
    delete @figure{qw(list socket)} if $kind ne 'us';
    my $side = Bench::Servers::start($kind, $at);
    warm_up(\%figure, $side, $at) if $figure{kind} eq 'memory';
    my $report = run_load($at, $side, words(\%figure, $side, $at));
    Bench::Servers::stop($side);
    $report->{why} //= spoiled($report, \%figure);
    my $value = $report->{why} ? undef : $value_of{ $figure{kind} }->($report, \%figure);
    return ($value, $report);
}

sub spoiled {
    my ($report, $figure) = @_;
    my ($connect, $publish, $deliver) = @$report{qw(connect publish deliver)};
    return "$connect->{failed} connections failed: $connect->{sample_error}" if $connect->{failed};
    return "$connect->{dropped_later} connections dropped" if $connect->{dropped_later};
    return "$publish->{failed} publishes failed: " . JSON::PP->new->canonical->encode($publish->{statuses}) if $publish->{failed};
    return "$deliver->{lost} messages lost" if $figure->{subs} && $deliver->{lost};
    return 'nothing was published' if $figure->{kind} =~ /^(?:deliver|publish|latency)$/ && !$publish->{ok};
    # Who else runs decides a latency, not the server.
    return 'the machine was not quiet' if $figure->{kind} eq 'latency' && $report->{cpu}{others_s} > 0.35 * $report->{cpu}{wall_s};
    return 'no latency was seen' if $figure->{kind} eq 'latency' && !$deliver->{latency_us}{n};
    return undef;
}

# --- what wsload is told -----------------------------------------------------------

sub words {
    my ($figure, $side, $at) = @_;
    my $kind = $figure->{kind};
    my @words = ('--server-pid', $side->{pid}, '--settle', $kind eq 'memory' ? 2 : 0.3, '-q', '--limit', 150);
    push @words, subscribers($figure, $side, $at) if $figure->{subs};
    push @words, '--hold', $figure->{hold} if $kind eq 'idle';
    push @words, publisher($figure, $side), '-d', $at->{seconds} if $kind =~ /^(?:deliver|publish|latency)$/;
    push @words, '--mode', 'window', '--window', 2 if $kind eq 'deliver';
    push @words, '--mode', 'rate', '-r', $figure->{rate}, '--warmup', 0.3 if $kind eq 'latency';
    push @words, '--mode', 'closed', $figure->{socket} ? ('-c', 1, '--depth', 8) : ('-c', 8) if $kind eq 'publish';
    push @words, '--no-keepalive' if $figure->{fresh};
    # Frames of ours carry names and an id: the others' are made as long.
    push @words, '--size', $side->{kind} eq 'us' ? 150 : $figure->{wire} eq 'sse' ? 269 : 260
        if $kind =~ /^(?:deliver|latency)$/;
    return @words;
}

# What every thread of a server takes once is not what a connection takes: 200
# come and go first, beside publishes over 64 connections.
sub warm_up {
    my ($figure, $side, $at) = @_;
    my %few = (%$figure, subs => 200);
    run_load($at, $side, '--server-pid', $side->{pid}, '-q', '--clean-close', subscribers(\%few, $side, $at),
        publisher({}, $side), '--mode', 'closed', '-c', 64, '-d', 0.3, '--drain', 1);
    sleep 1;
    return;
}

sub subscribers {
    my ($figure, $side, $at) = @_;
    my $tls = $figure->{tls};
    my $host = '127.0.0.1:' . ($tls ? $side->{tls_port} : $side->{port});
    my $scheme = ($figure->{wire} eq 'ws' ? 'ws' : 'http') . ($tls ? 's' : '');
    my @words = ('-n', $figure->{subs});
    if ($side->{kind} eq 'us') {
        my @channels = $figure->{kind} eq 'memory' ? qw(ch0 second third) : 'ch0';
        push @words, '--tokens', tokens($figure, $at);
        return (@words, '-s', "$scheme://$host/wordsocket/sse?token={token}&channels=" . join ',', @channels)
            if $figure->{wire} eq 'sse';
        push @words, '-s', "$scheme://$host/wordsocket/ws?token={token}";
        return @words if $figure->{kind} eq 'handshake';
        my $list = join ',', map { qq{"$_"} } @channels;
        return (@words, '--send-open', qq({"type":"subscribe","channels":[$list]}), '--ready', '"subscribed"');
    }
    if ($side->{kind} eq 'socketio') {
        return (@words, '-s', "$scheme://$host/socket.io/?EIO=4&transport=websocket&channel={channel}",
            '--send-open', '40', '--ready', '40{', '--reply', '2=>3');
    }
    return (@words, '-s', "$scheme://$host/$figure->{wire}/{channel}");
}

# Tokens of as many users, good for an hour.
sub tokens {
    my ($figure, $at) = @_;
    my $file = "$at->{dir}/tokens-$figure->{subs}";
    return $file if -e $file && -M _ < 0.02;
    my $json = JSON::PP->new->canonical;
    my $site = sha256_hex('site:' . Bench::Servers::SITE_KEY);
    my $now  = int time;
    open my $out, '>', $file or die "$file: $!\n";
    for my $user (1 .. $figure->{subs}) {
        my $signed = join '.', map { encode_base64url($json->encode($_)) } { alg => 'HS256', typ => 'JWT' }, {
            v => 2, site_id => $site, user_id => "$user", iat => $now, exp => $now + 3600,
            allowed_channel_prefixes => ["site:$site:"], allowed_publish_prefixes => [] };
        print $out "$signed.", encode_base64url(hmac_sha256($signed, Bench::Servers::JWT_SECRET)), "\n";
    }
    close $out or die "$file: $!\n";
    return $file;
}

sub publisher {
    my ($figure, $side) = @_;
    my $host = "127.0.0.1:$side->{port}";
    return ('-p', "http://$host/20.txt", '--pub-method', 'GET', '--pub-body', '') if $figure->{static};
    return ('-p', "http://$host/pub/{channel}") if $side->{kind} ne 'us';
    my $one  = '{"channel":"ch0","event":"e","data":"{payload}"}';
    my $rest = '{"channel":"ch0","event":"e","data":"' . 'x' x 150 . '"}';
    my $body = $figure->{list} ? '[' . join(',', $one, ($rest) x ($figure->{list} - 1)) . ']' : $one;
    my ($key, $secret) = (Bench::Servers::SITE_KEY, Bench::Servers::PUBLISH_SECRET);
    return ('-p', "ws://$host/wordsocket/publisher", '--pub-body', $body,
        '--pub-ack', '"ok":true', signed_upgrade($key, $secret)) if $figure->{socket};
    return ('-p', "http://$host/wordsocket/publish", '--pub-body', $body,
        '--pub-header', 'Content-Type: application/json',
        '--pub-header', "X-WordSocket-Key: $key",
        '--pub-header', 'X-WordSocket-Timestamp: {unix_ms}',
        '--pub-header', 'X-WordSocket-Nonce: {nonce}',
        '--pub-header', 'X-WordSocket-Signature: v2={sig}',
        '--sign-key', $secret,
        '--sign-string', "v2{nl}POST{nl}/publish{nl}${key}{nl}{unix_ms}{nl}{nonce}{nl}{body_sha256}");
}

sub signed_upgrade {
    my ($key, $secret) = @_;
    my ($ts, $nonce) = (int(time * 1000), 'bench-' . int(time * 1e6));
    my $sign = hmac_sha256_hex(join("\n", 'v2', 'GET', '/publisher', $key, $ts, $nonce, sha256_hex('')), $secret);
    return map { ('--pub-header', $_) } "X-WordSocket-Key: $key", "X-WordSocket-Timestamp: $ts",
        "X-WordSocket-Nonce: $nonce", "X-WordSocket-Signature: v2=$sign";
}

# --- the generator -----------------------------------------------------------------

sub run_load {
    my ($at, $side, @words) = @_;
    my $file = "$side->{dir}/report.json";
    $load = fork // die "fork: $!\n";
    if (!$load) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$side->{dir}/load" or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT;
        exec 'setpriv', '--pdeathsig', 'TERM', 'taskset', '-c', $at->{load_cpu},
            "$at->{bin}/wsload", '--json', $file, @words or POSIX::_exit(127);
    }
    waitpid $load, 0;
    undef $load;
    open my $in, '<', $file or return { why => 'the generator gave up: ' . last_line("$side->{dir}/load") };
    local $/;
    return JSON::PP::decode_json(<$in>);
}

sub last_line {
    open my $in, '<', $_[0] or return '?';
    my @lines = <$in>;
    return ($lines[-1] // '?') =~ s/\s+\z//r;
}

sub stop_load {
    kill 'TERM', $load if $load;
    return;
}

1;
