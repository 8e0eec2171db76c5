# SPDX-License-Identifier: Apache-2.0
# Behind nginx: by the examples nginx.conf and nginx-cpanel.conf, and behind
# nginx as cPanel ships it, without any help.
use v5.30;
use warnings;
use lib 't/lib';
use Test::More;
use WordSocket::Client;
use WordSocket::Front qw(cpanel example shortened);
use WordSocket::Fronts;
use WordSocket::Tenants;

my ($relay, $mute) = relays();

# nginx by the example.
sub plain {
    my ($to) = @_;
    return WordSocket::Front->nginx(sub {
        my ($at, undef, $root) = @_;
        return shortened(example('nginx.conf', LISTEN => $at, LOG => "$root/error_log", RELAY => "127.0.0.1:$to->{port}"), '65s', '2s');
    });
}

# nginx as cPanel has it, with the example as one of its server-includes or
# without; to Apache's plain port, or to that for TLS.
sub include {
    my ($root) = @_;
    return shortened(example('nginx-cpanel.conf', ADDRESS_HEADER => 'X-Forwarded-For', LOG => "$root/error_log"), '65s', '2s');
}
sub http  { "http://127.0.0.1:$_[0]{port}" }
sub https { "https://127.0.0.1:$_[0]{tls_port}" }

sub client { WordSocket::Client->new($_[0], site => $relay->site) }

my (@fronts, @held, @ended);
for my $case (
    ['nginx',                     1, \&plain],
    ['cPanel',                    0, sub { cpanel(http(@_)) }],
    ['cPanel, TLS to Apache',     0, sub { cpanel(https(@_)) }],
    ['cPanel and our file',       1, sub { cpanel(http(@_), include => \&include) }],
    ['cPanel and our file, TLS',  1, sub { cpanel(https(@_), include => \&include) }],
) {
    my ($what, $socket, $start) = @$case;
    my ($front, $deaf) = ($start->($relay), $start->($mute));
    push @fronts, $front, $deaf;
    $_->{leaks} = !$socket for $front, $deaf;
    addresses($what, $relay, client($front), socket => $socket);
    lets_no_socket_through($what, client($front)) if !$socket;
    push @held,  hold($what, client($front), socket => $socket);
    push @ended, hold($what, client($deaf), socket => $socket, mute => 1);
}

# It is the relay's header that keeps cPanel's nginx from buffering.
{
    my $front  = cpanel(http($relay), more => 'proxy_ignore_headers X-Accel-Buffering;');
    my $client = client($front);
    my $stream = eval { $client->events(patience => 1, from => '127.0.7.3') };
    ok !$stream, 'a nginx that does not listen to X-Accel-Buffering keeps a stream for itself';
    is $client->poll->{status}, 200, 'a poll comes through even there';
    $front->end;
}

# The same URL again, while the first is open: a cache that locks must not hold
# the second back.
{
    my $client = client($fronts[2]);
    my $token  = $client->token;
    my @same = map { $client->events(token => $token, from => "127.0.7.$_") } 1, 2;
    is $same[1]->next_data(1, 'wps.open')->{event}, 'wps.open', 'cPanel: the same stream twice';
    $_->hang_up for @same;
    my $polled = $client->poll;
    is $polled->{status}, 200, 'cPanel: a poll';
    client($fronts[2])->publish('events', 'said', 'not from a cache');
    is $client->poll(since => $polled->{json}{cursor})->{json}{messages}[0]{data}, 'not from a cache', 'cPanel: and what is new';
}

silence(@held, @ended);
ended_by_front($_) for @ended;
ok connections_are($mute, 0), 'and the relay knows';
woken($_) for @held;
ok connections_are($relay, 0), 'who leaves a front leaves the relay';

# What is not by an example may log what it likes.
$_->stop for grep { !$_->{leaks} } @fronts;
$_->end for @fronts;
$_->stop for $relay, $mute;
done_testing;
