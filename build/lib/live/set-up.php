<?php
/**
 * The demo's site, run once by wp-cli after the installation: stock permalinks
 * with their stock .htaccess, the plugin, one post.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require_once ABSPATH . 'wp-admin/includes/admin.php';

// Nobody here to read about core, plugins and places on the Internet.
update_option( 'blogdescription', 'Open this page twice and save the post' );
update_option( 'show_avatars', '0' ); // they come from elsewhere
update_option( 'permalink_structure', '/%postname%/' );
$GLOBALS['wp_rewrite']->init();
flush_rewrite_rules();

$wordsocket_active = activate_plugin( 'wordsocket/wordsocket.php' );
if ( is_wp_error( $wordsocket_active ) ) {
	WP_CLI::error( $wordsocket_active );
}

$wordsocket_post = wp_update_post(
	array(
		'ID'             => 1,
		'post_title'     => 'Save me, and watch the other window',
		'post_name'      => 'save-me',
		'comment_status' => 'closed',
		'post_content'   => '<!-- wp:paragraph --><p>Open the front page in another window or browser. Then change this title in the editor and press Save: the other window shows it at once, without a reload.</p><!-- /wp:paragraph -->',
	),
	true
);
if ( is_wp_error( $wordsocket_post ) ) {
	WP_CLI::error( $wordsocket_post );
}
wp_delete_comment( 1, true );
wp_delete_post( 2, true ); // the sample page

// The file was closed to everybody until now; from here on it holds what
// WordPress writes on an Apache it may write to.
file_put_contents( ABSPATH . '.htaccess', '' );
insert_with_markers( ABSPATH . '.htaccess', 'WordPress', explode( "\n", $GLOBALS['wp_rewrite']->mod_rewrite_rules() ) );
