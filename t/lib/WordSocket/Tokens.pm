# SPDX-License-Identifier: Apache-2.0
# Makes the tokens of t/vectors/tokens.json, as the README beside it says.
#
#   my $book = WordSocket::Tokens->new;
#   for my $case ($book->cases) {
#       my $token = $book->token($case);         # made for now
#   }
#
# A recipe with a word that is not known ends the test.
package WordSocket::Tokens;
use v5.30;
use warnings;
use Digest::SHA qw(hmac_sha256 hmac_sha512 sha256);
use Encode qw(encode);
use JSON::PP ();
use MIME::Base64 qw(encode_base64url encode_base64);

use constant ALPHABET => join '', 'A' .. 'Z', 'a' .. 'z', 0 .. 9, '-', '_';

sub new {
    my ($class, $file) = @_;
    open my $in, '<:raw', $file // 't/vectors/tokens.json' or die "tokens.json: $!\n";
    my $text = do { local $/; <$in> };
    my $self = bless JSON::PP->new->utf8->decode($text), $class;
    my $example = $self->{example};
    my ($case) = grep { $_->{name} eq $example->{name} } $self->cases;
    $self->token($case, $self->{now}) eq $example->{token}
        or die "the example of tokens.json comes out otherwise\n";
    return $self;
}

sub cases { @{ $_[0]{cases} } }

# The site the tokens are made for.
sub site {
    my ($self) = @_;
    return { site_key => $self->{site_key}, publish_secret => 'publish-secret', jwt_secret => $self->{jwt_secret} };
}

sub token {
    my ($self, $case, $now) = @_;
    my ($header, $claims) = map { $self->filled($case->{$_}, $now // time) } qw(header claims);
    my $form = $case->{form};
    my $h = segment($header, $form eq 'padded' ? 'padded' : $form eq 'headerbits' ? 'bits' : '');
    my $c = segment($claims, $form eq 'padded' || $form eq 'standard' ? $form : $form eq 'claimsbits' ? 'bits' : '');
    return put_together($form, $h, $c, $self->signature($case->{sign}, "$h.$c"));
}

sub filled {
    my ($self, $text, $now) = @_;
    my %id = (SITE_ID => $self->{site_id}, TENANT_ID => $self->{tenant_id});
    return encode('UTF-8', $text) =~ s{
        \{ (?: NOW ([+-]\d+)? | (SITE_ID|TENANT_ID) | BYTE:([0-9a-f]{2}) | REPEAT:(.+?):(\d+) ) \}
    }{
        defined $2 ? $id{$2} : defined $3 ? chr hex $3 : defined $4 ? $4 x $5 : $now + ($1 // 0)
    }gesrx;
}

sub segment {
    my ($bytes, $how) = @_;
    my $text = encode_base64url($bytes);
    return next_of($text) if $how eq 'bits';
    $text =~ tr{-_}{+/} if $how eq 'standard';
    $text .= '=' x (-length($text) % 4) if $how eq 'padded';
    return $text;
}

# With its last character the next one of the alphabet.
sub next_of {
    my ($text) = @_;
    return substr($text, 0, -1) . substr ALPHABET, 1 + index(ALPHABET, substr $text, -1), 1;
}

sub signature {
    my ($self, $how, $signed) = @_;
    my $secret = $self->{jwt_secret};
    my $made   = hmac_sha256($signed, $secret);
    my %keyed  = (
        empty => '', blank => ' ', otherkey => $self->{other_secret}, sitekey => $self->{site_key},
        hashed => sha256($secret), 'rs-as-hs' => $self->{public_key},
        'rs-as-hs-chomp' => $self->{public_key} =~ s/\n\z//r,
    );
    return encode_base64url(hmac_sha256($signed, $keyed{$how})) if exists $keyed{$how};
    my %other = (
        hs256        => sub { encode_base64url($made) },
        none         => sub { '' },
        hs512        => sub { encode_base64url(hmac_sha512($signed, $secret)) },
        otherclaims  => sub { encode_base64url(hmac_sha256("${signed}x", $secret)) },
        flip         => sub { encode_base64url($made ^. ("\0" x 31 . "\x01")) },
        flipfirst    => sub { encode_base64url($made ^. ("\x80" . "\0" x 31)) },
        longer       => sub { encode_base64url("$made\0") },
        hex          => sub { unpack 'H*', $made },
        truncated    => sub { substr encode_base64url($made), 0, 42 },
        half         => sub { substr encode_base64url($made), 0, 21 },
        trailingbits => sub { next_of(encode_base64url($made)) },
        huge         => sub { encode_base64url("\0" x 49152) },
    );
    return ($other{$how} // die "a recipe with an unknown sign: $how\n")->();
}

sub put_together {
    my ($form, $h, $c, $s) = @_;
    my $compact = "$h.$c.$s";
    my %whole = (
        (map { $_ => $compact } qw(compact padded standard headerbits claimsbits)),
        '1seg' => $h, '2seg' => "$h.$c", '4seg' => "$compact.$s", '5seg' => "$compact.$s.$s",
        json     => qq({"payload":"$c","protected":"$h","signature":"$s"}),
        jwe      => "$h..AAAAAAAAAAAAAAAA.$c.AAAAAAAAAAAAAAAAAAAAAA",
        noheader => ".$c.$s", noclaims => "$h..$s", nothing => '',
        dot => "$compact.", space => "$compact ", newline => "$compact\n", bearer => "Bearer $compact",
    );
    return $whole{$form} // die "a recipe with an unknown form: $form\n";
}

1;
