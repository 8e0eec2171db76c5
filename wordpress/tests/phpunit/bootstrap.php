<?php
/**
 * Loads the WordPress that `run` laid out, with the plugin active in it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

// PHPUnit includes this file within a function; these must be globals.
global $wpdb, $wp, $wp_rewrite, $wp_query, $wp_the_query, $wp_theme_directories,
	$wp_version, $wp_db_version, $tinymce_version, $required_php_version,
	$required_mysql_version, $current_site, $current_blog, $table_prefix,
	$shortcode_tags, $phpmailer, $pagenow, $wp_locale, $wp_locale_switcher;

if ( ! getenv( 'WSK_SITE' ) ) {
	fwrite( STDERR, "Run wordpress/tests/phpunit/run instead.\n" );
	exit( 1 );
}
require __DIR__ . '/config.php';

// A notice, warning or deprecation of the plugin while it is loaded; those of
// WordPress are not ours. WordPress switches all of them on.
set_error_handler(
	static function ( $level, $text, $file, $line ) {
		if ( str_starts_with( $file, WP_CONTENT_DIR . '/plugins/' ) ) {
			echo "1..1\nnot ok 1 - the plugin loads without a word\n# $text in $file:$line\n";
			exit( 1 );
		}
		return true;
	}
);
require ABSPATH . 'wp-settings.php';
restore_error_handler();

// PHPUnit as Debian has it is older than PHP 8.4; Test_Case listens to all.
error_reporting( E_ALL & ~E_DEPRECATED & ~E_USER_DEPRECATED );

add_filter( 'wp_hash_password_options', static fn() => array( 'cost' => 4 ) );
add_filter( 'pre_wp_mail', '__return_true' );

require __DIR__ . '/includes/class-plugin-state.php';
require __DIR__ . '/includes/class-relay-double.php';
require __DIR__ . '/includes/class-test-case.php';
