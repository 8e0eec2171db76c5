#!/usr/bin/env perl
# SPDX-License-Identifier: Apache-2.0
# The plugin's PHP: parses, keeps the coding standard as far as phpcs.xml.dist
# expresses it, and does nothing that WordPress's security sniffs look for
# (wordpress-php.php). The checks are first shown what they must not let pass.
use v5.30;
use warnings;
use File::Temp qw(tempdir);
use Test::More;

my @files = grep { !m{^wordpress/(?:tests|node_modules|assets)/} }
    map { s/\n//r } `find wordpress -name '*.php' | sort`;
cmp_ok scalar @files, '>', 20, 'there is a plugin to look at';
my ($php)   = grep { -x } map { ("$_/php8.2", "$_/php") } split /:/, $ENV{PATH};
my ($phpcs) = grep { -x } map { "$_/phpcs" } split /:/, $ENV{PATH};

my $dir = tempdir(CLEANUP => 1);
my %bad = (
    output => ['<?php ' . "defined( 'ABSPATH' ) || exit;\necho '<b>' . \$name . '</b>';", qr/\$name is printed and not escaped/],
    print  => ['<?php ' . "defined( 'ABSPATH' ) || exit;\nprintf( '%s', __( 'a', 'wordsocket' ) );", qr/__ is printed and not escaped/],
    input  => ['<?php ' . "defined( 'ABSPATH' ) || exit;\n\$a = \$_GET['x'];", qr/\$_GET is taken as it came/],
    sql    => ['<?php ' . "defined( 'ABSPATH' ) || exit;\n\$wpdb->query( \"DELETE FROM \$wpdb->posts WHERE ID = \$id\" );", qr/\$id is in a query/],
    domain => ['<?php ' . "defined( 'ABSPATH' ) || exit;\n\$a = __( 'word' );", qr/not of our text domain/],
    words  => ['<?php ' . "defined( 'ABSPATH' ) || exit;\n\$a = __( \$word, 'wordsocket' );", qr/are not literal/],
    direct => ['<?php ' . "\$a = 1;", qr/asked for directly/],
    excuse => ['<?php ' . "defined( 'ABSPATH' ) || exit;\n\$a = \$_GET['x']; // phpcs:ignore WordPress.Security", qr/\$_GET is taken as it came/],
);
for my $name (sort keys %bad) {
    my ($code, $want) = $bad{$name}->@*;
    $code =~ s/^<\?php /<?php\n/;
    spew("$dir/$name.php", $code);
    like said($php, 't/guard/wordpress-php.php', "$dir/$name.php"), $want, "a fault is seen: $name";
}
spew("$dir/good.php", <<'END');
<?php
defined( 'ABSPATH' ) || exit;
echo '<b>' . esc_html( $name ) . ( $fixed ? 'a' : 'b' ) . (int) $count . '</b>';
$a = sanitize_key( wp_unslash( $_GET['x'] ?? '' ) );
$wpdb->query( $wpdb->prepare( "DELETE FROM $wpdb->posts WHERE ID = %d", $id ) );
$b = $_GET['y']; // phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- compared alone.
END
is said($php, 't/guard/wordpress-php.php', "$dir/good.php"), '', 'and what is right passes';

is said($php, 't/guard/wordpress-php.php', @files), '', 'escaped, cleaned, prepared, in our text domain';

SKIP: {
    skip 'phpcs is not installed', 2 if !$phpcs;
    spew("$dir/style.php", "<?php\n\$a = [ 1 ];\nif( \$a ){\n    var_dump(\$a);\n}\n");
    my $faults = said($phpcs, '--standard=phpcs.xml.dist', '--report=emacs', "$dir/style.php");
    is scalar(grep { $faults =~ $_ } qr/Short array syntax/, qr/var_dump\(\) is forbidden/, qr/ControlSignature/, qr/DisallowSpaceIndent/), 4,
        'phpcs sees a fault';
    is said($phpcs, '--standard=phpcs.xml.dist', '--report=emacs', @files), '', 'phpcs';
}
done_testing;

sub said {
    my @command = @_;
    open my $out, '-|', @command or die "$command[0]: $!\n";
    local $/;
    return <$out> // '';
}

sub spew {
    my ($file, $text) = @_;
    open my $out, '>', $file or die "$file: $!\n";
    print {$out} $text;
    close $out or die "$file: $!\n";
}
