# SPDX-License-Identifier: Apache-2.0
# How a figure is taken of one side: what wsload is told, and which number of
# its report is the value.
#
#   my ($value, $report) = measure($figure, $side_name, $at);
#
#   $report->{frame}    bytes of a message on the wire, where that was seen
#
# Of a figure:
#   subs, wire    subscribers, and over what
#   share         so many on each channel; without it all are on one
#   list          messages in one request, of ours only
#   socket, fresh, static   publishes: over the publish socket, each over a new
#                 connection, GETs of a file instead
#   few           subs of the side -few
#   others, apart who else is there, each with a channel or a site; not at -few
#   hold, rate    seconds idle; messages a second
#   yjs           updates of Yjs, as binary frames
#
# A run in which something got lost or was refused, or a time on a machine that
# others use, has no value; $report->{why} says so.
package Bench::Recipes;
use v5.30;
use warnings;
use Digest::SHA qw(hmac_sha256 sha256_hex hmac_sha256_hex);
use Exporter qw(import);
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64url);
use POSIX ();
use Time::HiRes qw(sleep time);
use Bench::Servers;

our @EXPORT_OK = qw(measure stop_load);

my %loads;    # the generators that run
my $missed = 'the message they missed';

my %value_of = (
    deliver   => sub { my ($r, $f) = @_; $r->{cpu}{server_us_per_delivery} / ($f->{list} // 1) },
    latency   => sub { $_[0]{deliver}{latency_us}{p99} / 1000 },
    memory    => sub { $_[0]{memory}{per_conn}{pss} },
    handshake => sub { $_[0]{connect}{server_cpu_us} },
    publish   => sub { my ($r, $f) = @_; $r->{cpu}{server_us_per_publish} / ($f->{list} // 1) },
    spread    => sub { $_[0]{cpu}{server_us_per_publish} },
    storm     => sub { $_[0]{connect}{seconds} * 1000 },
    idle      => sub { my ($r, $f) = @_; $r->{idle}{server_cpu_s} * 1e6 / $r->{idle}{seconds} / $f->{subs} },
);

sub measure {
    my ($figure, $name, $at) = @_;
    my %figure = (%$figure);
    my ($kind, $how) = $name =~ /^(\w+)(?:-(\w+))?$/;
    if (($how // '') eq 'few') {
        $figure{subs} = $figure{few} // $figure{subs};
        delete $figure{others};
    }
    $figure{tls} = ($how // '') eq 'tls';
    if ($kind eq 'static') {
        $kind = 'us';
        $figure{static} = 1;
    }
    # Only ours knows lists and the publish socket.
    delete @figure{qw(list socket)} if $kind ne 'us';
    my $side = Bench::Servers::start($kind, $at, server_of(\%figure));
    my $report = eval { take(\%figure, $side, $at) };
    my $error = $@;
    stop_load();
    Bench::Servers::stop($side);
    die $error if !$report;
    $report->{why} //= spoiled($report, \%figure, $at);
    my $each = $report->{deliver}{bytes_each};
    $report->{frame} = $each / ($figure{share} ? 1 : $figure{list} // 1) if $each;
    my $value = $report->{why} ? undef : $value_of{ $figure{kind} }->($report, \%figure);
    return ($value, $report);
}

sub server_of {
    my ($figure) = @_;
    return (
        pings => $figure->{kind} eq 'idle', keeps => $figure->{kind} eq 'storm',
        # Without others the server is the same: its history and its number of sites
        # must not be the difference.
        ($figure->{apart} // '') eq 'channels' ? (history => '16M 100000') : (),
        ($figure->{apart} // '') eq 'sites' ? (sites => $figure->{others}) : (),
    );
}

sub take {
    my ($figure, $side, $at) = @_;
    warm_up($figure, $side, $at) if $figure->{kind} eq 'memory';
    my $why = $figure->{others} ? crowd($figure, $side, $at) : undef;
    return { why => $why } if $why;
    $figure->{since} = leave_behind($side) if $figure->{kind} eq 'storm';
    return run_load($at, $side, words($figure, $side, $at));
}

sub spoiled {
    my ($report, $figure, $at) = @_;
    my ($connect, $publish, $deliver) = @$report{qw(connect publish deliver)};
    return "$connect->{failed} connections failed: $connect->{sample_error}" if $connect->{failed};
    return "$connect->{dropped_later} connections dropped" if $connect->{dropped_later};
    return "$publish->{failed} publishes failed: " . JSON::PP->new->canonical->encode($publish->{statuses}) if $publish->{failed};
    return "$deliver->{lost} messages lost" if $figure->{subs} && $deliver->{lost};
    return 'nothing was published' if $figure->{kind} =~ /^(?:deliver|publish|latency|spread)$/ && !$publish->{ok};
    # Who else runs decides a time, not the server.
    my ($others, $seconds) = $figure->{kind} eq 'latency' ? @{ $report->{cpu} }{qw(others_s wall_s)}
        : $figure->{kind} eq 'storm' ? @$connect{qw(others_s seconds)} : (0, 1);
    return 'the machine was not quiet' if $others > 0.35 * $seconds && !$at->{smoke};
    if ($figure->{kind} eq 'idle') {
        my $due = $figure->{subs} * int $figure->{hold} / Bench::Servers::PING;
        return "$report->{idle}{pings} pings of $due came" if abs($report->{idle}{pings} - $due) > 0.02 * $due;
    }
    return 'no latency was seen' if $figure->{kind} eq 'latency' && !$deliver->{latency_us}{n};
    return undef;
}

# --- what wsload is told -----------------------------------------------------------

sub words {
    my ($figure, $side, $at) = @_;
    my $kind = $figure->{kind};
    # Pings are told by the second: a second more, and all fall into the time that is held.
    my $settle = $kind eq 'memory' ? 2 : $kind eq 'idle' ? 1.5 : 0.3;
    my @words = ('--server-pid', $side->{pid}, '--settle', $settle, '-q', '--limit', 150);
    push @words, subscribers($figure, $side, $at) if $figure->{subs};
    push @words, '--hold', $figure->{hold}, '--reply', '{"type":"ping"=>{"type":"pong"}' if $kind eq 'idle';
    push @words, '--inflight', 10000 if $kind eq 'storm';
    push @words, '--inflight', 16 if $side->{kind} eq 'pushpin';    # more, and it answers 502 to some
    push @words, publisher($figure, $side), '-d', $at->{seconds} if $kind =~ /^(?:deliver|publish|latency|spread)$/;
    push @words, '--mode', 'window', '--window', 2 if $kind eq 'deliver';
    push @words, '--mode', 'rate', '-r', $figure->{rate}, '--warmup', 0.3 if $kind eq 'latency';
    push @words, '--mode', 'closed', $figure->{socket} ? ('-c', 1, '--depth', 8) : ('-c', 8) if $kind eq 'publish';
    # The others answer when they have sent; ours when it has noted: so its eight
    # lists are done when they have come.
    push @words, $figure->{list} ? ('--mode', 'window', '--window', 8 * $figure->{list}) : ('--mode', 'closed'), '-c', 8
        if $kind eq 'spread';
    push @words, '--no-keepalive' if $figure->{fresh};
    push @words, '--size', size($figure, $side) if $kind =~ /^(?:deliver|latency|spread)$/;
    return @words;
}

# Frames of ours carry names and an id: the others' are made as long. Found by hand;
# run.pl refuses a bare loop that is off by more than 8 bytes.
sub size {
    my ($figure, $side) = @_;
    return 150 if $side->{kind} eq 'us';
    return $side->{kind} eq 'hocuspocus' ? 151 : 150 if $figure->{yjs};
    return $figure->{share} ? 235 : $figure->{wire} eq 'sse' ? 234 : 230;
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
    my @words = ('-n', $figure->{subs}, '-m', channels($figure));
    if ($side->{kind} eq 'us') {
        my @channels = ('{channel}', $figure->{kind} eq 'memory' ? qw(second third) : ());
        push @words, '--tokens', tokens($figure, $at);
        return (@words, '-s', "$scheme://$host/wordsocket/sse?token={token}&channels=" . join ',', @channels)
            if $figure->{wire} eq 'sse';
        push @words, '-s', "$scheme://$host/wordsocket/ws?token={token}";
        return @words if $figure->{kind} eq 'handshake';
        return (@words, subscribe($figure, @channels));
    }
    if ($side->{kind} eq 'socketio') {
        return (@words, '-s', "$scheme://$host/socket.io/?EIO=4&transport=websocket&channel={channel}",
            '--send-open', '40', '--ready', '40{', '--reply', '2=>3');
    }
    return (@words, '-s', "$scheme://$host/", '--send-binary', '--send-open', hocuspocus_enters(), '--ready', 'read-write')
        if $side->{kind} eq 'hocuspocus';
    push @words, subscribe($figure, '{channel}') if $figure->{kind} eq 'storm';
    return (@words, '-s', "$scheme://$host/$figure->{wire}/{channel}");
}

# Only those of a storm are there when they have what they missed.
sub subscribe {
    my ($figure, @channels) = @_;
    my $list = join ',', map { qq{"$_"} } @channels;
    return ('--send-open', qq({"type":"subscribe","channels":[$list]}), '--ready', '"subscribed"') if !defined $figure->{since};
    return ('--send-open', qq({"type":"subscribe","channels":[$list],"since":"$figure->{since}"}), '--ready', $missed);
}

sub channels { my ($figure) = @_; return $figure->{share} ? $figure->{subs} / $figure->{share} : 1 }

# Tokens of as many users, or of one user of each other site, good for an hour.
sub tokens {
    my ($figure, $at) = @_;
    my $file = "$at->{dir}/tokens-" . join('', map { $figure->{$_} ? "$_-" : '' } qw(site yjs)) . $figure->{subs};
    return $file if -e $file && -M _ < 0.02;
    my $json = JSON::PP->new->canonical;
    my $now  = int time;
    open my $out, '>', $file or die "$file: $!\n";
    for my $user (1 .. $figure->{subs}) {
        my $site = sha256_hex('site:' . ($figure->{site} ? 'other' . ($user - 1) : Bench::Servers::SITE_KEY));
        my $signed = join '.', map { encode_base64url($json->encode($_)) } { alg => 'HS256', typ => 'JWT' }, {
            v => 2, site_id => $site, user_id => "$user", iat => $now, exp => $now + 3600,
            allowed_channel_prefixes => ["site:$site:"], allowed_publish_prefixes => [ $figure->{yjs} ? "site:$site:" : () ] };
        print $out "$signed.", encode_base64url(hmac_sha256($signed, Bench::Servers::JWT_SECRET)), "\n";
    }
    close $out or die "$file: $!\n";
    return $file;
}

sub publisher {
    my ($figure, $side) = @_;
    my $host = "127.0.0.1:$side->{port}";
    return ('-p', "http://$host/20.txt", '--pub-method', 'GET', '--pub-body', '') if $figure->{static};
    return yjs_publisher($side, $host) if $figure->{yjs};
    return ('-p', "http://127.0.0.1:$side->{push_port}/publish/", '--pub-header', 'Content-Type: application/json', '--pub-body',
        '{"items":[{"channel":"{channel}","formats":{"http-stream":{"content":"data: {payload}\n\n"}}}]}') if $side->{kind} eq 'pushpin';
    return ('-p', "http://$host/pub/{channel}") if $side->{kind} ne 'us';
    my $one  = '{"channel":"{channel}","event":"e","data":"{payload}"}';
    my $rest = '{"channel":"{channel}","event":"e","data":"' . 'x' x 150 . '"}';
    # Of a list for many channels each message is looked for, of another the first.
    my $many = $figure->{share} && $figure->{list};
    my $body = $figure->{list} && !$many ? '[' . join(',', $one, ($rest) x ($figure->{list} - 1)) . ']' : $one;
    my ($key, $secret) = ($figure->{site} // Bench::Servers::SITE_KEY, Bench::Servers::PUBLISH_SECRET);
    return ('-p', "ws://$host/wordsocket/publisher", '--pub-body', $body,
        '--pub-ack', '"ok":true', signed_upgrade()) if $figure->{socket};
    return ('-p', "http://$host/wordsocket/publish", '--pub-body', $body,
        '--pub-header', 'Content-Type: application/json',
        '--pub-header', "X-WordSocket-Key: $key",
        '--pub-header', 'X-WordSocket-Timestamp: {unix_ms}',
        '--pub-header', 'X-WordSocket-Nonce: {nonce}',
        '--pub-header', 'X-WordSocket-Signature: v2={sig}',
        $many ? ('--batch', $figure->{list}) : (),
        '--sign-key', $secret,
        '--sign-string', "v2{nl}POST{nl}/publish{nl}${key}{nl}{unix_ms}{nl}{nonce}{nl}{body_sha256}");
}

# One client of the room says again and again where its cursor is: an awareness
# update of client 5, its clock counting. The bare loop gets the bytes of ours.
sub yjs_publisher {
    my ($side, $host) = @_;
    my $update = '{x:01}{lp}{x:01}{x:05}{varint:seq}{lp}{"user":"{payload}"}{/lp}{/lp}';
    return ('-p', "ws://$host/", '--pub-binary', '--pub-body', "{lp}{channel}{/lp}$update",
        '--pub-send-open', hocuspocus_enters(), '--pub-ready', 'read-write') if $side->{kind} eq 'hocuspocus';
    return ('-p', "ws://$host/" . ($side->{kind} eq 'us' ? 'wordsocket/ws?token={token}' : 'ws/{channel}'),
        '--pub-binary', '--pub-body', "{lp2}{channel}{/lp2}$update");
}

# The name of the document, and an empty token.
sub hocuspocus_enters { return '{lp}{channel}{/lp}{x:02}{x:00}{lp}{/lp}' }

sub signed_upgrade { return map { ('--pub-header', $_) } signed('GET', '/publisher', '') }

# Headers of a request of our site.
sub signed {
    my ($method, $path, $body) = @_;
    my ($key, $secret) = (Bench::Servers::SITE_KEY, Bench::Servers::PUBLISH_SECRET);
    my ($ts, $nonce) = (int(time * 1000), 'bench-' . int(time * 1e6));
    my $sign = hmac_sha256_hex(join("\n", 'v2', $method, $path, $key, $ts, $nonce, sha256_hex($body)), $secret);
    return ("X-WordSocket-Key: $key", "X-WordSocket-Timestamp: $ts",
        "X-WordSocket-Nonce: $nonce", "X-WordSocket-Signature: v2=$sign");
}

# --- what is there before ----------------------------------------------------------

# Others, each on a channel or at a site of its own, who stay until the load is
# stopped; and the messages they got.
#
# @return undef, or why they are not all there
sub crowd {
    my ($figure, $side, $at) = @_;
    my $sites = $figure->{apart} eq 'sites';
    my %others = (%$figure, subs => $figure->{others}, share => 1, list => $side->{kind} eq 'us' && !$sites ? 20 : 0,
        $sites ? (site => 'other{c}') : ());
    my $file = "$side->{dir}/crowd.json";
    my $pid = start_load($at, $side, $file, '-q', '--settle', 0.3, '--limit', 150, '--linger', 140,
        subscribers(\%others, $side, $at), '--channel-name', 'other{c}', publisher(\%others, $side), '-c', 1,
        '--mode', 'closed', '-d', 60, '--max-msgs', $figure->{others} * ($sites ? 5 : 1), '--size', size($figure, $side));
    while (waitpid($pid, POSIX::WNOHANG()) == 0) {
        sleep 0.05;
        my $report = read_report($file) or next;
        return spoiled($report, \%others, $at);
    }
    delete $loads{$pid};
    return 'the generator of the others gave up: ' . last_line("$file.said");
}

# Two messages: a cursor that stands at the first, and the second to be caught up
# with. A server that does not know cursors has only the second.
#
# @return the cursor
sub leave_behind {
    my ($side) = @_;
    my $id = say_once($side, 'what they have');
    say_once($side, $missed);
    return $id;
}

sub say_once {
    my ($side, $text) = @_;
    my $ours = $side->{kind} eq 'us';
    my $pad  = size({ wire => 'ws' }, $side) - length $text;
    my $body = $text . ' ' . 'x' x ($pad - 1);
    $body = qq({"channel":"ch0","event":"e","data":"$body"}) if $ours;
    my @head = ($ours ? ('POST /wordsocket/publish HTTP/1.1', 'Content-Type: application/json', signed('POST', '/publish', $body))
        : 'POST /pub/ch0 HTTP/1.1', 'Host: 127.0.0.1', 'Connection: close', 'Content-Length: ' . length $body);
    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $side->{port}, Timeout => 5) or die "connect: $!\n";
    print $socket join("\r\n", @head, '', $body);
    my $answer = do { local $/; readline $socket } // '';
    $answer =~ /^HTTP\S+ 20[04] / or die 'a publish failed: ' . substr($answer, 0, 60) . "\n";
    return '0' x 12 . '-1' if !$ours;
    my ($id) = $answer =~ /"id":"([^"]+)"/ or die "no id in the answer to a publish\n";
    return $id;
}

# --- the generator -----------------------------------------------------------------

sub start_load {
    my ($at, $side, $file, @words) = @_;
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$file.said" or POSIX::_exit(127);
        open STDERR, '>&', \*STDOUT;
        exec 'setpriv', '--pdeathsig', 'TERM', 'taskset', '-c', $at->{load_cpu},
            "$at->{bin}/wsload", '--json', $file, @words or POSIX::_exit(127);
    }
    $loads{$pid} = 1;
    return $pid;
}

sub run_load {
    my ($at, $side, @words) = @_;
    my $file = "$side->{dir}/report.json";
    my $pid = start_load($at, $side, $file, @words);
    waitpid $pid, 0;
    delete $loads{$pid};
    return read_report($file) // { why => 'the generator gave up: ' . last_line("$file.said") };
}

# @return undef while it is not whole
sub read_report {
    my ($file) = @_;
    open my $in, '<', $file or return undef;
    local $/;
    return scalar eval { JSON::PP::decode_json(<$in>) };
}

sub last_line {
    open my $in, '<', $_[0] or return '?';
    my @lines = <$in>;
    return ($lines[-1] // '?') =~ s/\s+\z//r;
}

sub stop_load {
    for my $pid (keys %loads) {
        kill 'TERM', $pid;
        waitpid $pid, 0;
        delete $loads{$pid};
    }
    return;
}

1;
