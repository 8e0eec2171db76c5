# SPDX-License-Identifier: Apache-2.0
# The handler wordsocket-metrics, in both formats a scraper may ask for, and the
# module's section in server-status.
use v5.30;
use warnings;
use lib 't/lib';
use HTTP::Tiny;
use Test::More;
use WordSocket::Client;
use WordSocket::Server;

my @sites = map { { site_key => "site-$_", publish_secret => "MARK-p$_", jwt_secret => "MARK-j$_" } } 1 .. 12;
my $server = WordSocket::Server->new(sites => \@sites, vhost_lines => <<'END');
<Location "/metrics">
    SetHandler wordsocket-metrics
</Location>
<Directory "@DocumentRoot@/directory">
    SetHandler wordsocket-metrics
</Directory>
END
$server->prepare;
mkdir "$server->{root}/htdocs/$_" or die $! for qw(directory tenant);
$server->write_file("htdocs/$_/x.html", "a page\n") for qw(directory tenant);
$server->start;
my $client = WordSocket::Client->new($server, site => $sites[4]);
my $other  = WordSocket::Client->new($server, site => $sites[7]);

use constant OPENMETRICS => 'application/openmetrics-text';

sub page {
    my ($path, %option) = @_;
    return HTTP::Tiny->new->request($option{method} // 'GET', 'http://' . $server->address . $path,
        { headers => $option{accept} ? { Accept => $option{accept} } : {} });
}
sub status { WordSocket::Client->decode(page('/status?json')->{content}) }

# Read a page by the rules of its format: samples by their name and labels, or
# the line that breaks a rule.
sub read_metrics {
    my ($text, $open) = @_;
    my (%type, %help, %sample, $family);
    my @lines = split /\n/, $text, -1;
    return 'the last line does not end' if pop @lines ne '';
    return 'no # EOF' if $open && pop @lines ne '# EOF';
    for my $line (@lines) {
        if ($line =~ /^# TYPE ([a-z_]+) (counter|gauge|info)$/) {
            return "again: $line" if $type{$1};
            return "of the other format: $line" if $open ? $1 =~ /_(?:total|info)$/ : $2 eq 'info';
            ($family, $type{$1}) = ($1, $2);
        }
        elsif ($line =~ /^# HELP ([a-z_]+) (\S.*\S)$/) {
            return "out of place: $line" if $1 ne $family || $help{$1}++;
        }
        elsif ($line =~ /^([a-z_]+)((?:\{[a-z_]+="[^"\\]*"\})?) (\d+)$/) {
            my ($name, $labels, $value) = ($1, $2, $3);
            my $end = !$open ? '' : { counter => '_total', info => '_info', gauge => '' }->{ $type{$family} };
            return "out of place: $line" if $name ne "$family$end" || !$help{$family};
            return "a counter's name: $line" if $type{$family} eq 'counter' && $name !~ /_total$/;
            return "again: $line" if exists $sample{"$name$labels"};
            $sample{"$name$labels"} = $value;
        }
        else {
            return "not understood: $line";
        }
    }
    return \%sample;
}

sub metrics {
    my ($path, $accept) = @_;
    my $read = read_metrics(page($path // '/metrics', accept => $accept // OPENMETRICS)->{content}, 1);
    return ref $read ? $read : die "$read\n";
}

# --- two formats --------------------------------------------------------------------

my %prometheus = (accept => OPENMETRICS . ';version=1.0.0,' . OPENMETRICS . ';version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1');
for ([ 'asked for', 1, accept => OPENMETRICS ], [ 'as Prometheus asks', 1, %prometheus ],
    [ 'nothing said', 0 ], [ 'anything', 0, accept => '*/*' ], [ 'not wanted', 0, accept => OPENMETRICS . ';q=0' ],
    [ 'less than text', 0, accept => OPENMETRICS . ';q=0.2, text/plain;q=0.9' ]) {
    my ($name, $open, %option) = @$_;
    my $page = page('/metrics', %option);
    is $page->{status}, 200, $name;
    is $page->{headers}{'content-type'}, $open ? OPENMETRICS . '; version=1.0.0; charset=utf-8'
        : 'text/plain; version=0.0.4; charset=utf-8', '... the type';
    is $page->{headers}{'cache-control'}, 'no-store', '... not stored';
    my $read = read_metrics($page->{content}, $open);
    ok ref $read, '... every line by the rules' or diag $read;
    unlike $page->{content}, qr/MARK|site-\d|# EOF./, '... no secret, and no site unless asked';
    unlike $page->{content}, qr/# EOF/, '... no end mark' if !$open;
}
is page('/metrics', method => $_)->{status}, 405, "$_ is refused" for qw(POST PUT DELETE);

# The parsers of Prometheus' own library, Debian's package of it, read both formats.
sub parsed {
    my ($module, $text) = @_;
    my ($script, $input) = map { "$server->{root}/$_" } 'parse.py', 'metrics';
    $server->write_file('metrics', $text);
    $server->write_file('parse.py', <<'PY');
import importlib, sys
module = importlib.import_module(sys.argv[1])
with open(sys.argv[2], encoding='utf-8') as text:
    for family in module.text_string_to_metric_families(text.read()):
        for sample in family.samples:
            print(sample.name, family.type, len(family.documentation) > 0)
PY
    my @said = qx{/usr/bin/python3 '$script' '$module' '$input' 2>&1};
    return $? ? die "$module: @said\n" : map { chomp; $_ } @said;
}
for my $path ('/metrics', '/metrics?sites=12') {
    my @open = parsed('prometheus_client.openmetrics.parser', page($path, accept => OPENMETRICS)->{content});
    my @text = parsed('prometheus_client.parser', page($path)->{content});
    is scalar @open, scalar @text, "$path: the Prometheus client parses both formats";
    is_deeply [ grep { !/^wordsocket_\S+ (?:counter|gauge|info) True$/ } @open ], [], '... each with a type and a help';
    is scalar(grep { / counter / && !/_total / } @open), 0, '... counters are totals';
}
ok !eval { parsed('prometheus_client.openmetrics.parser', "wordsocket_x_total 1\n") }, 'which does not take everything';
like $@, qr/Missing # EOF/, '... such as what has no end';

# --- the names ------------------------------------------------------------------------

my $version = status()->{version};
is metrics()->{qq(wordsocket_build_info{version="$version"})}, 1, 'the version';
ok exists metrics()->{$_}, $_ for qw(
    wordsocket_connections{transport="websocket"} wordsocket_connections{transport="event_stream"}
    wordsocket_connections_opened_total{transport="websocket"} wordsocket_handshakes_rejected_total{reason="token"}
    wordsocket_messages_published_total{source="publisher"} wordsocket_messages_delivered_total{kind="text"}
    wordsocket_messages_dropped_total{reason="gap"} wordsocket_publish_rejected_total{reason="publisher"}
    wordsocket_sent_bytes_total wordsocket_shm_used_bytes wordsocket_shm_size_bytes wordsocket_sites);
is metrics()->{wordsocket_shm_size_bytes}, 32 * 1024 * 1024, 'the size of the segment';
cmp_ok abs(metrics()->{wordsocket_start_time_seconds} - time), '<', 60, 'the start';
is scalar(grep { /_total/ } keys %{ metrics() }), scalar keys %{ status()->{counters} }, 'a sample for each counter';

# --- the figures ------------------------------------------------------------------------

my @open = ((map { $client->socket(channels => ['events']) } 1 .. 3), (map { $client->events } 1 .. 2), $other->events);
$client->publish('events', 'e', $_) for 1 .. 4;
$client->socket(token => 'x')->close_code;
ok $server->wait_for(10, sub { my $n = status()->{counters}; $n->{delivered} == 20 && $n->{opened_sse} == 3 }), 'something goes on';

my $now = metrics();
my %of = (
    'wordsocket_connections{transport="websocket"}' => 3, 'wordsocket_connections{transport="event_stream"}' => 3,
    'wordsocket_messages_published_total{source="publisher"}' => 4, 'wordsocket_messages_delivered_total{kind="text"}' => 20,
    'wordsocket_handshakes_rejected_total{reason="token"}' => 1, 'wordsocket_children{state="live"}' => 2,
);
is $now->{$_}, $of{$_}, "$_ is $of{$_}" for sort keys %of;
$open[3]->hang_up;
ok $server->wait_for(10, sub { metrics()->{'wordsocket_connections{transport="event_stream"}'} == 2 }), 'one event stream ends';
is metrics()->{'wordsocket_connections{transport="websocket"}'}, 3, 'the WebSockets stay';

my $top = metrics('/metrics?sites=1');
is $top->{'wordsocket_site_connections{site="site-5"}'}, 4, 'the site with the most connections';
is $top->{'wordsocket_site_messages_published_total{site="site-5"}'}, 4, 'what it published';
is $top->{'wordsocket_site_messages_delivered_total{site="site-5"}'}, 20, 'and what was delivered';
is scalar(grep { /^wordsocket_site_connections/ } keys %$top), 1, 'and no other';
$other->publish('elsewhere', 'e', $_) for 1 .. 60;
ok exists metrics('/metrics?sites=1')->{'wordsocket_site_connections{site="site-8"}'}, 'also the one with the most messages';
is scalar(grep { /^wordsocket_site_connections/ } keys %{ metrics("/metrics?sites=$_") }), 12, "?sites=$_: all of them" for 12, 99999;
is_deeply [ sort keys %{ metrics("/metrics?$_") } ], [ sort keys %$now ], "?$_: none" for 'sites=0', 'sites=-1', 'sites=x', 'mysites=3';

# --- server-status ------------------------------------------------------------------------

my %auto = page('/server-status?auto')->{content} =~ /^(WordSocket\w+): (\d+)$/mg;
is $auto{WordSocketConnections}, 5, 'server-status?auto: connections';
is_deeply [ @auto{qw(WordSocketConnectionsWebSocket WordSocketConnectionsEventStream)} ], [ 3, 2 ], '... by transport';
is $auto{WordSocketMessagesDelivered}, 20, '... delivered';
is $auto{WordSocketSites}, 12, '... sites';
my $counters = status()->{counters};
is_deeply { map { $_ => $auto{ 'WordSocket' . join '', map { ucfirst } split /_/ } } grep { $_ ne 'sends' && $_ !~ /_bytes|wakeups/ } keys %$counters },
    { map { $_ => $counters->{$_} } grep { $_ ne 'sends' && $_ !~ /_bytes|wakeups/ } keys %$counters }, '... every counter';
my $html = page('/server-status')->{content};
like $html, qr{<h2>WordSocket</h2>}, 'server-status has a section';
like $html, qr{<th align="left">Connections</th><td>5</td>}, '... with the connections';
like $html, qr{<td>site-5</td><td>4</td><td>4</td><td>20</td>}, '... and the sites';
my $plain = page('/server-status?notable')->{content};
like $plain, qr{^Connections: 5<br}m, 'without tables if so asked';
unlike $plain =~ s/.*<h2>WordSocket(.*?)<hr>.*/$1/sr, qr/<table/, '... none at all';
unlike page($_)->{content}, qr/MARK/, "$_: no secret" for '/server-status', '/server-status?auto', '/metrics?sites=12';

# --- where --------------------------------------------------------------------------------

is page('/directory/x.html')->{status}, 403, 'not in a <Directory>';
for my $line ('SetHandler wordsocket-metrics', 'AddHandler wordsocket-metrics .html', 'SetHandler "wordsocket-%{tolower:METRICS}"') {
    $server->write_file('htdocs/tenant/.htaccess', "$line\n");
    is page('/tenant/x.html')->{status}, 403, "nor by $line in .htaccess";
}
$server->write_file('htdocs/tenant/.htaccess', "SetHandler server-status\n");
my $tenant = page('/tenant/x.html');
like $tenant->{content}, qr{<h2>WordSocket</h2>}, 'a tenant\'s own server-status';
unlike $tenant->{content}, qr/site-\d/, '... names no sites';

$server->stop;
done_testing;
