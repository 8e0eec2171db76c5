# SPDX-License-Identifier: Apache-2.0
# What a reload makes of a changed site file and of changed directives, with
# people connected.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use Time::HiRes qw(time);
use WordSocket::Client;
use WordSocket::Server;

sub site { my ($name, %more) = @_; return { site_key => $name, publish_secret => "$name-p", jwt_secret => "$name-j", %more } }

my $server = WordSocket::Server->new(sites => [ site('stays'), site('goes') ], lines => 'WordSocketDrain 500ms')->start;
sub client { my ($name, %more) = @_; WordSocket::Client->new($server, site => site($name, %more)) }

sub said {
    my ($answer) = @_;
    return "$answer->{status} " . ($answer->{json}{error} // '');
}

sub write_sites {
    my (@sites) = @_;
    $server->write_file('sites.json', WordSocket::Client->encode(\@sites));
    return;
}

# Reload with these sites and, if told, these directives.
sub reload {
    my ($name, $sites, $lines) = @_;
    write_sites(@$sites);
    if (defined $lines) {
        $server->{lines} = "WordSocketDrain 500ms\n$lines";
        $server->write_config;
    }
    ok $server->graceful, "reload: $name";
    return;
}

# --- a site goes, and comes again ---------------------------------------------------

my ($stays, $goes) = map { client($_) } qw(stays goes);
my %ws  = map { $_->{site}{site_key} => $_->socket(channels => ['events']) } $stays, $goes;
my $sse = $goes->events;
my $id  = $stays->publish('events', 'before', {})->{json}{id};
$goes->publish('events', 'before', {});
reload('a site is taken out', [ site('stays') ]);
is $ws{goes}->close_code(10), 4003, 'its WebSocket is closed with 4003';
ok $sse->ends(10), 'its event stream ends';
(delete $ws{goes})->hang_up;
undef $sse; # a connection counts until its peer has gone, too
$ws{stays}->send_json({ type => 'unsubscribe', channels => [] });
ok $ws{stays}->message(10, 'unsubscribed'), 'the other site\'s goes on';
is said($goes->publish('events', 'e', {})), '401 unknown_site_key', 'its publishes are refused';
is said($goes->stats), '401 unknown_site_key', 'its counts, too';
is said($goes->poll), '401 invalid_token', 'its polls';
is $goes->socket->close_code(10), 4003, 'a new WebSocket is told that the site is gone';
is_deeply [ map { $_->{event} } @{ $stays->poll(since => $id =~ s/-\d+$/-0/r)->{json}{messages} } ], ['before'],
    'the other site kept its log';
is $stays->socket(channels => ['events'], since => $id)->{subscribed}{id}, $id, 'and its ids';

reload('it comes again, and a third', [ site('stays'), site('goes'), site('third') ]);
my $again = $goes->socket(channels => ['events']);
is said($goes->publish('events', 'again', {})), '200 ', 'it publishes';
is(($again->messages(1))[0]{event}, 'again', 'and delivers');
$server->wait_for(10, sub { $goes->stats->{json}{active_connections} == 1 });
is_deeply $goes->stats->{json}, { active_connections => 1, max_connections => 5000 }, 'with none of its old connections'
    or diag explain $goes->stats->{json};
is said(client('third')->publish('events', 'e', {})), '200 ', 'so does the third';

# --- secrets ------------------------------------------------------------------------

my $old = client('stays');
my $new = client('stays', publish_secret => 'new-p', jwt_secret => 'new-j');
sub both {
    my ($by) = @_;
    return join ', ', said($by->publish('events', 'e', time)), said($by->poll);
}
my ($yes, $no) = ('200 , 200 ', '401 invalid_signature, 401 invalid_token');
is_deeply [ both($old), both($new) ], [ $yes, $no ], 'before: the old secrets';
my $kept = $old->socket(channels => ['events']);
my $two = site('stays', publish_secret => [ 'new-p', 'stays-p' ], jwt_secret => [ 'new-j', 'stays-j' ]);
reload('two secrets', [$two]);
is_deeply [ both($old), both($new) ], [ $yes, $yes ], 'both are good';
$kept->send_json({ type => 'unsubscribe', channels => [] });
ok $kept->message(10, 'unsubscribed'), 'nobody is refused for it';
is said($new->publish('events', 'by-new', {})), '200 ', 'the new one publishes';
my $heard;
1 while ($heard = $kept->message(10, 'message')) && $heard->{event} ne 'by-new';
ok $heard, 'to one who came with the old one';
my $renewed = $new->socket(channels => ['events']);
reload('the new ones alone', [ site('stays', publish_secret => 'new-p', jwt_secret => ['new-j']) ]);
is $kept->close_code(10), 1012, 'who came with the old one has to come back';
$renewed->send_json({ type => 'unsubscribe', channels => [] });
ok $renewed->message(10, 'unsubscribed'), 'who came with the new one goes on';
$renewed->hang_up;
is_deeply [ both($old), both($new) ], [ $no, $yes ], 'the old ones are no good any more';
is $old->socket->close_code(10), 4001, 'nor over a WebSocket';

# --- limits -------------------------------------------------------------------------

my @new = (publish_secret => 'new-p', jwt_secret => 'new-j');
sub with_limits { my (%limit) = @_; site('stays', @new, limits => \%limit) }
reload('limits', [ with_limits(connections => 2, max_publish => 1024, max_channels => 1) ]);
ok $server->wait_for(10, sub { $new->stats->{json}{active_connections} == 0 }), 'nobody of before is left';
my @open = map { $new->socket } 1, 2;
is $new->socket->close_code(10), 4029, 'a third connection is one too many';
is $new->stats->{json}{max_connections}, 2, 'stats say so';
is said($new->publish('events', 'e', 'x' x 1100)), '413 too_large', 'a publish is too large';
$open[0]->send_json({ type => 'subscribe', channels => [ 'a', 'b' ] });
is $open[0]->message(5, 'error')->{code}, 'too_many_channels', 'and two channels too many';
reload('other limits', [ with_limits(connections => 3) ], 'WordSocketMaxPublish 64K');
is said($new->publish('events', 'e', 'x' x 1100)), '200 ', 'the publish fits';
is said($new->publish('events', 'e', 'x' x 66_000)), '413 too_large', 'in what the directive says';
for my $ws (@open) {
    $ws->close_code(10);
    $ws->hang_up;
}
ok $server->wait_for(10, sub { $new->stats->{json}{active_connections} == 0 }), 'those of before have gone';
@open = map { $new->socket } 1 .. 3;
is $new->socket->close_code(10), 4029, 'the fourth is one too many now';
$_->hang_up for @open;

# --- directives ---------------------------------------------------------------------

my $head = $new->poll->{json}{cursor};
$new->publish('events', 'kept', $_) for 1, 2;
reload('without a history', [ site('stays', @new) ], 'WordSocketHistory Off');
my $live = $new->socket(channels => ['events']);
$new->publish('events', 'live', $_) for 1 .. 3;
is scalar(my @got = $live->messages(3)), 3, 'who is connected gets everything';
is_deeply [ map { $_->{type} // $_->{event} } @{ $new->poll(since => $head)->{json}{messages} } ], ['gap'],
    'who missed something is told of a gap, and no more';
my $here = $new->poll->{json}{cursor};
is_deeply $new->poll(since => $here)->{json}{messages}, [], 'who missed nothing is not';
# Nothing goes that a process has not read yet, and one that takes over may be late.
$live->hang_up;
ok $server->wait_for(10, sub { $new->stats->{json}{active_connections} == 0 }), 'who was connected has left';
reload('with a history of two', [ site('stays', @new) ], 'WordSocketHistory 64K 2');
$new->publish('events', 'e', $_) for 1 .. 4;
is_deeply [ map { $_->{type} // $_->{data} } @{ $new->poll(since => $here)->{json}{messages} } ], [ 'gap', 3, 4 ],
    'the last two are there';
reload('another path', [ site('stays', @new) ], 'WordSocketPath /elsewhere');
is $new->get('/healthz')->{status}, 404, 'nothing is left at the old one';
$server->{path} = '/elsewhere';
is said($new->publish('events', 'e', {})), '200 ', 'it is at the new one';
reload('switched off', [ site('stays', @new) ], "WordSocketPath /elsewhere\nWordSocket Off");
is $new->get('/healthz')->{status}, 404, 'nothing is served';
reload('switched on', [ site('stays', @new) ], 'WordSocketPath /elsewhere');
is said($new->publish('events', 'e', {})), '200 ', 'and it is there again';

# --- a broken file ------------------------------------------------------------------

my %broken = ('no JSON' => '{"site_key":', 'a limit nobody knows' => WordSocket::Client->encode(with_limits(connection => 5)),
    'a member twice' => '{"site_key":"a","site_key":"b","publish_secret":"p","jwt_secret":"j"}',
    'a comma too few' => '{"site_key":"a","publish_secret":"new-p" "jwt_secret":"new-j"}',
    'a secret that is not closed' => '{"site_key":"a","publish_secret":"new-p,
    "jwt_secret":"new-j"}',
    'a limit below nothing' => WordSocket::Client->encode(with_limits(connections => -1)));
for my $what (sort keys %broken) {
    $server->write_file('sites.json', $broken{$what});
    my $said = $server->config_test;
    isnt $?, 0, "httpd -t finds a broken site file: $what";
    like $said, qr/WSK0306 WordSocketSiteFile \S+sites\.json: /, '... and says which';
    unlike $said, qr/new-p|new-j/, '... without a secret';
}
write_sites(site('stays', @new));
like $server->config_test, qr/^Syntax OK/m, 'and lets a good one pass';
is said($new->publish('events', 'e', {})), '200 ', 'which changes nothing for those that run';


# --- a broken file at a reload ----------------------------------------------------------

# Another host with a file of its own: a fault in one file is not the other's.
$server->write_file('other.json', WordSocket::Client->encode(site('other')));
$server->{more_vhosts} = <<'END';
Listen 127.0.0.2:@Port@
<VirtualHost 127.0.0.2:@Port@>
    ServerName other.test
    WordSocketSiteFile other.json
</VirtualHost>
END
sub refused_files { WordSocket::Client->decode($new->{http}->get($server->root_url . '/status?json')->{content})->{refused_site_files} }
sub other { my ($name) = @_; WordSocket::Client->new($server, site => site($name), host => '127.0.0.2') }
reload('another host', [ site('stays', @new), site('goes') ], 'WordSocketPath /elsewhere');
is said($_->publish('events', 'e', {})), '200 ', 'both hosts serve' for $new, other('other');
is refused_files(), 0, 'no file is refused';

my $named = WordSocket::Client->encode([ site('fresh'), with_limits(connection => 5) ]);
for my $what ('a good site, then a bad one', sort keys %broken) {
    my $held = $new->socket(channels => ['events']);
    $id = $new->publish('events', 'held', $what)->{json}{id};
    $server->write_file('sites.json', $broken{$what} // $named);
    ok $server->graceful, "reload with $what: httpd goes on" or last;
    $held->send_json({ type => 'unsubscribe', channels => [] });
    ok $held->message(10, 'unsubscribed'), '... who is connected goes on';
    is $new->socket(channels => ['events'], since => $id)->{subscribed}{id}, $id, '... who comes back is where it was';
    is said($_->publish('events', 'e', {})), '200 ', "... $_->{site}{site_key} is served as before" for $new, $goes, other('other');
    is said(client('fresh')->publish('events', 'e', {})), '401 unknown_site_key', '... nothing of the file is in force';
    is refused_files(), 1, '... the status page shows one';
    like $new->{http}->get($server->root_url . '/status')->{content}, qr/^site files +1 refused/m, '... in text, too';
}
$server->announce(qr/WSK0308 WordSocketSiteFile \S+sites\.json: .*; its sites stay as they were\b.*httpd -t/);
unlike $server->log_text, qr/new-p|new-j|stays-p/, 'no secret was logged';

$server->write_file('other.json', WordSocket::Client->encode(site('changed')));
ok $server->graceful, 'another file changes while this one is broken';
is said(other('changed')->publish('events', 'e', {})), '200 ', 'which is in force';
is said(other('other')->publish('events', 'e', {})), '401 unknown_site_key', 'with what is gone from it';
is said($new->publish('events', 'e', {})), '200 ', 'and the broken one is as it was';

# `httpd -k` reads the configuration, too, before it tells the one that runs.
sub resumed { my $n = () = $server->log_text =~ /resuming normal operations/g; return $n }
{
    my $times = resumed();
    my %old = map { $_ => 1 } $server->children;
    local %ENV = (%ENV, WordSocket::Sanitizer::environment(@$server{qw(top root)}));
    my $words = qx{@{[ $server->httpd ]} -k graceful -f '$server->{conf}' 2>&1};
    is $?, 0, 'httpd -k graceful is not refused for a broken file' or diag $words;
    like $words, qr/WSK0306 WordSocketSiteFile \S+sites\.json: .*; correct it/, 'and tells of it';
    ok $server->wait_for(20, sub { resumed() > $times && $server->children_are_up(%old) }), 'httpd reloads';
    is said($new->publish('events', 'e', {})), '200 ', 'and its sites are served';
}

unlink "$server->{root}/sites.json";
ok $server->graceful, 'reload without the file';
is said($new->publish('events', 'e', {})), '200 ', 'its sites are served';
reload('a good file', [ site('stays', @new) ]);
is said($new->publish('events', 'e', {})), '200 ', 'is in force';
is said($goes->publish('events', 'e', {})), '401 unknown_site_key', 'with what is gone from it';
is refused_files(), 0, 'no file is refused any more';

# A host that comes with a broken file has no sites; the others have theirs.
$server->write_file('third.json', '{');
$server->{more_vhosts} .= <<'END';
<VirtualHost 127.0.0.2:@Port@>
    ServerName third.test
    WordSocketSiteFile third.json
</VirtualHost>
END
reload('a new host with a broken file', [ site('stays', @new) ], 'WordSocketPath /elsewhere');
is said($new->publish('events', 'e', {})), '200 ', 'the others are served';
is refused_files(), 1, 'and the status page shows it';
$server->announce(qr/WSK0308 WordSocketSiteFile \S+third\.json: /);

$server->stop;
my $first = WordSocket::Server->new(sites => [ site('stays', limits => { connection => 1 }) ]);
like $first->verdict, qr/WSK0306 /, 'the first start refuses a broken file';
done_testing;
