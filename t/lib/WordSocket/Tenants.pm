# SPDX-License-Identifier: Apache-2.0
# Sites side by side, and what the server says of them.
#
#   my @sites = (tenant('alpha', limits => { connections => 3 }), tenant('beta'));
#   my $status = status_of($server);              # /status, as JSON
#   site_status($server, $sites[0])->{connections};
package WordSocket::Tenants;
use v5.30;
use warnings;
use Exporter qw(import);
use HTTP::Tiny;
use JSON::PP ();

our @EXPORT = qw(tenant status_of site_status counter connections_are median percentile);

# A site with a key and secrets of its own, changed as told.
sub tenant {
    my ($name, %change) = @_;
    return {
        site_key => "site-of-$name", publish_secret => "publish-secret-of-$name",
        jwt_secret => "jwt-secret-of-$name", site_url => "https://$name.example", %change,
    };
}

sub status_of {
    my ($server, $query) = @_;
    my $url = 'http://' . $server->address . '/status' . ($query // '');
    my $answer = HTTP::Tiny->new(timeout => 20)->get($url, { headers => { Accept => 'application/json' } });
    $answer->{success} or die "$url: $answer->{status} $answer->{content}\n";
    return JSON::PP::decode_json($answer->{content});
}

sub site_status {
    my ($server, $site) = @_;
    return (grep { $_->{site_key} eq $site->{site_key} } @{ status_of($server)->{sites} })[0];
}

sub counter { my ($server, $name) = @_; status_of($server)->{counters}{$name} }

# Whether the server counts so many connections in time, of a site or of all.
sub connections_are {
    my ($server, $count, $site) = @_;
    return $server->wait_for(10, sub {
        $count == ($site ? site_status($server, $site) : status_of($server))->{connections};
    });
}

sub percentile {
    my ($part, @values) = @_;
    @values = sort { $a <=> $b } @values;
    return $values[ int($part * $#values) ];
}

sub median { percentile(0.5, @_) }

1;
