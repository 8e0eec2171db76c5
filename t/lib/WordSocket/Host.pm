# SPDX-License-Identifier: Apache-2.0
# A site of host mode as its plugin and its administrator's browser are.
#
#   my $blog = WordSocket::Host->new($server, home => $server->root_url);
#   my $keys = $blog->enroll;                       # what PHP found, or undef
#   my $said = $blog->whoami($keys);                # connects it
#   my $client = $blog->client($keys);              # a WordSocket::Client
#   $blog->disconnect($keys);
#
# PHP is write_scripts' index.php, which answers with every variable it has that
# looks like one of ours, so that a leak under any name shows.
package WordSocket::Host;
use v5.30;
use warnings;
use Digest::SHA qw(hmac_sha256_hex);
use HTTP::Tiny;
use IO::Socket::INET;
use WordSocket::Client;

use constant ROUTE => '/wp-json/wpsignal/v1/enroll';

my $SHOW = <<'END_PHP';
<?php
header( 'Content-Type: application/json' );
$seen = array( 'script' => $_SERVER['SCRIPT_FILENAME'] );
foreach ( $_SERVER + getenv() as $name => $value ) {
	if ( is_string( $value ) && preg_match( '/ENROLL|secret/i', $name . ( 'REQUEST_URI' === $name ? '' : $value ) ) && ! preg_match( '/URI|URL|QUERY|PATH|PHP_SELF/', $name ) ) {
		$seen['found'][ $name ] = $value;
	}
}
echo json_encode( $seen );
END_PHP

my $HTACCESS = <<'END_RULES';
RewriteEngine On
RewriteRule .* - [E=HTTP_AUTHORIZATION:%{HTTP:Authorization}]
RewriteBase /
RewriteRule ^index\.php$ - [L]
RewriteCond %{REQUEST_FILENAME} !-f
RewriteCond %{REQUEST_FILENAME} !-d
RewriteRule . /index.php [L]
END_RULES

# The rules of WordPress, and scripts that show what they get.
sub write_scripts {
    my ($folder, @more) = @_;
    for ([ 'index.php', $SHOW ], [ '.htaccess', $HTACCESS ], map { [ $_, $SHOW ] } @more) {
        my ($name, $text) = @$_;
        open my $out, '>', "$folder/$name" or die "$folder/$name: $!\n";
        print $out $text;
        close $out;
    }
    return;
}

sub new {
    my ($class, $server, %option) = @_;
    return bless { server => $server, home => $server->root_url, host => '127.0.0.1', %option }, $class;
}

sub post {
    my ($self, $path, %option) = @_;
    my $url = 'http://' . ($option{address} // $self->{host}) . ":$self->{server}{port}$path";
    my %headers = ('X-WordSocket-Home' => $self->{home}, %{ $option{headers} // {} });
    delete $headers{$_} for grep { !defined $headers{$_} } keys %headers;
    my $answer = exists $headers{Host} ? as_written($self, $path, \%option, \%headers) : HTTP::Tiny->new(timeout => 20, max_redirect => 0, verify_SSL => 0)->request(
        $option{method} // 'POST', $url,
        { headers => \%headers, content => '' });
    $answer->{json} = eval { WordSocket::Client->decode($answer->{content}) };
    return $answer;
}

# A request of another Host than the one that is connected to, which HTTP::Tiny
# does not send.
sub as_written {
    my ($self, $path, $option, $headers) = @_;
    my $socket = IO::Socket::INET->new(
        PeerAddr => $option->{address} // $self->{host}, PeerPort => $self->{server}{port},
        $option->{from} ? (LocalAddr => $option->{from}) : (), Timeout => 20) or die "connect: $!\n";
    print $socket join "\r\n", ($option->{method} // 'POST') . " $path HTTP/1.0",
        (map { "$_: $headers->{$_}" } sort keys %$headers), 'Content-Length: 0', '', '';
    my ($head, $body) = split /\r\n\r\n/, do { local $/; <$socket> // '' }, 2;
    my ($status, @fields) = split /\r\n/, $head // '';
    return { status => ($status // '') =~ /^HTTP\S+ (\d+)/ ? $1 : 599, content => $body // '',
        headers => { map { /^([^:]+):\s*(.*)/ ? (lc $1 => $2) : () } @fields } };
}

# What PHP found of ours: names and values.
sub found { my ($self, @with) = @_; $self->post(@with)->{json}{found} }

sub enroll {
    my ($self, %option) = @_;
    my $found = $self->found($option{path} // ROUTE, %option) // return;
    return WordSocket::Client->decode($found->{WORDSOCKET_ENROLL} // return);
}

sub client {
    my ($self, $keys, %option) = @_;
    return WordSocket::Client->new($self->{server}, host => $self->{host}, site => $keys, version => 2, %option);
}

sub whoami {
    my ($self, $keys, %change) = @_;
    my $body = WordSocket::Client->encode({
        home => $self->{home}, generation => $keys->{generation}, challenge => 'c' x 32, %change });
    return $self->client($keys)->publish_body($body, path => '/site/whoami');
}

sub proof { my ($self, $keys) = @_; hmac_sha256_hex("wordsocket-whoami-v1\n" . 'c' x 32, $keys->{publish_secret}) }

# Enrolled and connected; the keys.
sub connect {
    my ($self) = @_;
    my $keys = $self->enroll // die "no keys for $self->{home}\n";
    my $said = $self->whoami($keys);
    $said->{status} == 200 or die "whoami: $said->{status} $said->{content}\n";
    return $keys;
}

sub disconnect {
    my ($self, $keys, %change) = @_;
    return $self->client($keys)->publish_body(
        WordSocket::Client->encode({ action => 'disconnect', %change }), path => '/site/disconnect');
}

1;
