# SPDX-License-Identifier: Apache-2.0
# A httpd in service mode: a registry, users with passwords, and what a browser
# and a site's server say to it.
#
#   my $relay = WordSocket::Relay->new(children => 4)->start;
#   my $ann   = $relay->api_key('ann');
#   my $site  = $relay->register($ann, 'https://a.example')->{json};
#   my $form  = $relay->page('ann', '/dashboard');
#   $relay->post('ann', '/dashboard', action => 'disconnect', site => $key);
#
# The users are ann, bob and cy, and those of `users`; their password is their
# name with a 1.
package WordSocket::Relay;
use v5.30;
use warnings;
use parent 'WordSocket::Server';
use Digest::SHA qw(sha1_base64);
use Fcntl qw(F_SETLK F_WRLCK SEEK_SET);
use HTTP::Tiny;
use MIME::Base64 qw(encode_base64);
use WordSocket::Client;
use WordSocket::Events;

my @users = qw(ann bob cy);

sub new {
    my ($class, %option) = @_;
    my $vhost = delete $option{vhost_lines} // '';
    return $class->SUPER::new(
        modules => [qw(auth_basic authn_file authz_user)],
        vhost_lines => <<"END" . $vhost, %option);
WordSocketRegistry "\@ServerRoot\@/registry/sites"
<Location "/wordsocket/dashboard">
    AuthType Basic
    AuthName "WordSocket"
    AuthUserFile "\@ServerRoot\@/users"
    Require valid-user
</Location>
END
}

sub prepare {
    my ($self) = @_;
    $self->SUPER::prepare;
    mkdir "$self->{root}/registry";
    $self->write_file('users', join '', map { "$_:{SHA}" . sha1_base64("${_}1") . "=\n" } @users, @{ $self->{users} // [] });
    return $self;
}

sub registry { "$_[0]{root}/registry/sites" }

# Take the registry for oneself, as another SQLite would: until the handle is
# closed. The bytes are those of sqlite3's os_unix.c, the struct is that of 64-bit
# Linux.
sub lock_registry {
    my ($self) = @_;
    open my $file, '+<', $self->registry or die $self->registry . ": $!\n";
    my $bytes = pack 's s x4 q q l x4', F_WRLCK, SEEK_SET, 0x40000000, 512, 0;
    fcntl $file, F_SETLK, $bytes or die "lock: $!\n";
    return $file;
}

# Change it behind everybody's back, as one who died before he told of it. Not by
# way of a journal that is taken away: httpd's folder is not httpd's.
sub behind {
    my ($self, $sql) = @_;
    open my $php, '|-', 'php', '-r', '$db = new SQLite3($argv[1]); $db->busyTimeout(5000);'
        . '$db->exec("PRAGMA journal_mode = TRUNCATE"); $db->exec(stream_get_contents(STDIN)) or exit(1);', $self->registry or die "php: $!\n";
    print $php $sql;
    return close $php;
}

# --- a site's server ------------------------------------------------------------

# On a connection of its own, so that any child may answer.
sub call {
    my ($self, $path, $body, %headers) = @_;
    my $answer = HTTP::Tiny->new(timeout => 20, keep_alive => 0)->post($self->base . $path, {
        headers => { 'Content-Type' => 'application/json', %headers },
        content => ref $body ? WordSocket::Client->encode($body) : $body });
    $answer->{json} = eval { WordSocket::Client->decode($answer->{content}) };
    return $answer;
}

sub bearer { defined $_[0] ? (Authorization => "Bearer $_[0]") : () }

sub register {
    my ($self, $key, $url, $name) = @_;
    return $self->call('/api/sites/register', { site_url => $url, site_name => $name // 'A site' }, bearer($key));
}

sub unregister {
    my ($self, $site, %option) = @_;
    return $self->call('/api/sites/unregister',
        { site_key => $site->{site_key}, publish_secret => $option{secret} // $site->{publish_secret} }, bearer($option{key}));
}

sub exchange { my ($self, %body) = @_; $self->call('/api/connect/exchange', \%body) }

sub client { my ($self, $site, %option) = @_; WordSocket::Client->new($self, site => $site, keep_alive => 0, %option) }

# What the plugin sends when its settings are opened.
sub probe {
    my ($self, $site) = @_;
    return $self->client($site)->publish_body('{}', sign => 'dummy')->{json}{error};
}

# --- a browser --------------------------------------------------------------------

sub browse {
    my ($self, $method, $user, $path, %option) = @_;
    my %headers = %{ $option{headers} // {} };
    $headers{Authorization} = 'Basic ' . encode_base64("$user:${user}1", '') if $user;
    return HTTP::Tiny->new(timeout => 20, keep_alive => 0, max_redirect => 0)->request(
        $method, $self->base . $path, { %option, headers => \%headers });
}

sub page { my ($self, $user, $path, %option) = @_; $self->browse(GET => $user, $path, %option) }

# The dashboard's event stream of a site.
sub feed {
    my ($self, $user, $site, %option) = @_;
    return WordSocket::Events->connect(%option, path => "/dashboard/feed?site=$site->{site_key}",
        headers => { Authorization => 'Basic ' . encode_base64("$user:${user}1", '') },
        host => '127.0.0.1', port => $self->{port}, base => $self->{path});
}

# The value of a hidden field, as the browser would send it.
sub field {
    my ($page, $name) = @_;
    my ($value) = $page->{content} =~ /name="\Q$name\E" value="([^"]*)"/;
    return if !defined $value;
    my %of = (amp => '&', lt => '<', gt => '>', quot => '"');
    return $value =~ s/&(\w+);/$of{$1}/gr;
}

sub post {
    my ($self, $user, $path, %field) = @_;
    $field{guard} //= field($self->page($user, '/dashboard'), 'guard');
    return $self->browse(POST => $user, $path,
        headers => { 'Content-Type' => 'application/x-www-form-urlencoded' },
        content => WordSocket::Client::query(%field));
}

sub api_key {
    my ($self, $user) = @_;
    my $page = $self->post($user, '/dashboard', action => 'key');
    return ($page->{content} =~ m{<code id="api-key">([0-9a-f]{64})</code>})[0]
        // die "no API key: $page->{status} $page->{content}\n";
}

1;
