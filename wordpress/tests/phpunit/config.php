<?php
/**
 * What a wp-config.php would say, for the site that `run` laid out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

$wsk_site = getenv( 'WSK_SITE' );
foreach ( array( 'AUTH', 'SECURE_AUTH', 'LOGGED_IN', 'NONCE' ) as $wsk_name ) {
	define( "{$wsk_name}_KEY", hash( 'sha256', "$wsk_name key" ) );
	define( "{$wsk_name}_SALT", hash( 'sha256', "$wsk_name salt" ) );
}
define( 'ABSPATH', getenv( 'WSK_CORE' ) . '/' );
define( 'WP_CONTENT_DIR', "$wsk_site/wp-content" );
define( 'WP_CONTENT_URL', 'http://example.test/wp-content' );
define( 'DB_NAME', 'wordpress' );
define( 'DB_USER', 'root' );
define( 'DB_PASSWORD', '' );
define( 'DB_HOST', getenv( 'WSK_DB_HOST' ) );
define( 'DB_CHARSET', 'utf8mb4' );
define( 'DB_COLLATE', '' );
define( 'DB_DIR', "$wsk_site/db/" );
define( 'DB_FILE', 'site.sqlite' );
define( 'WP_DEBUG', true );
define( 'WP_DEBUG_LOG', "$wsk_site/debug.log" );
define( 'WP_DEBUG_DISPLAY', null ); // As the command line says: to standard error.
define( 'WP_DISABLE_FATAL_ERROR_HANDLER', true );
define( 'WP_ENVIRONMENT_TYPE', 'local' );
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'DISABLE_WP_CRON', true );
if ( getenv( 'WSK_NETWORK' ) ) {
	define( 'WP_ALLOW_MULTISITE', true );
	if ( ! defined( 'WP_INSTALLING' ) ) {
		define( 'MULTISITE', true );
		define( 'SUBDOMAIN_INSTALL', false );
		define( 'DOMAIN_CURRENT_SITE', 'example.test' );
		define( 'PATH_CURRENT_SITE', '/' );
		define( 'SITE_ID_CURRENT_SITE', 1 );
		define( 'BLOG_ID_CURRENT_SITE', 1 );
	}
}

$_SERVER['HTTP_HOST']       = 'example.test';
$_SERVER['SERVER_NAME']     = 'example.test';
$_SERVER['SERVER_PROTOCOL'] = 'HTTP/1.1';
$_SERVER['REQUEST_METHOD']  = 'GET';
$_SERVER['REQUEST_URI']     = '/';
$_SERVER['REMOTE_ADDR']     = '127.0.0.1';
$GLOBALS['table_prefix']    = 'wp_';
$GLOBALS['PHP_SELF']        = '/index.php';
$_SERVER['PHP_SELF']        = '/index.php';
