<?php
/**
 * What the screen in wp-admin needs of WordPress beside wordpress.php.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

/** What was registered and put into pages. */
final class Admin_World {
	public static array $routes = array();
	public static array $styles = array();
}

defined( 'WordSocket\FILE' ) || define( 'WordSocket\FILE', dirname( __DIR__ ) . '/wordsocket.php' );
defined( 'WordSocket\VERSION' ) || define( 'WordSocket\VERSION', '0.1.0' );

$wordsocket_stubs = array(
	'current_user_can'             => static fn( string $capability ): bool => user_can( World::$user_id, $capability ),
	'register_rest_route'          => static function ( string $space, string $route, array $args ): void {
		Admin_World::$routes[ "$space$route" ] = $args;
	},
	'rest_url'                     => static fn( string $path ): string => "https://example.org/wp-json/$path",
	'plugin_dir_path'              => static fn( string $file ): string => dirname( $file ) . '/',
	'plugin_basename'              => static fn( string $file ): string => basename( dirname( $file ) ) . '/' . basename( $file ),
	'esc_url_raw'                  => static fn( string $url, array $schemes ): string => in_array( parse_url( $url, PHP_URL_SCHEME ), $schemes, true ) ? $url : '',
	'esc_url'                      => static fn( string $url ): string => htmlspecialchars( $url ),
	'esc_html'                     => static fn( string $text ): string => htmlspecialchars( $text ),
	'number_format_i18n'           => static fn( $number ): string => number_format( $number ),
	'get_site_option'              => static fn( string $name, $otherwise = false ) => World::$options[ $name ] ?? $otherwise,
	'wp_register_style'            => static fn() => true,
	'wp_enqueue_style'             => static fn() => true,
	'wp_add_inline_style'          => static function ( string $handle, string $css ): void {
		Admin_World::$styles[] = $css;
	},
	'wp_remote_retrieve_header'    => static fn( array $response, string $name ): string => $response['headers'][ $name ] ?? '',
	'wp_load_alloptions'           => static fn(): array => World::$options,
);
foreach ( $wordsocket_stubs as $wordsocket_name => $wordsocket_stub ) {
	if ( ! function_exists( $wordsocket_name ) ) {
		$GLOBALS['wordsocket_stubs'][ $wordsocket_name ] = $wordsocket_stub;
		// phpcs:ignore Squiz.PHP.Eval -- a function of the global space that may exist already.
		eval( "function $wordsocket_name( ...\$given ) { return \$GLOBALS['wordsocket_stubs']['$wordsocket_name']( ...\$given ); }" );
	}
}
