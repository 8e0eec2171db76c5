<?php
/**
 * Plugins that build on this one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Who said that they are one, and what they lack. An extension declares
 * "Requires Plugins: wordsocket" and calls register() on wpsignal_loaded.
 */
final class Extensions {

	/** Extensions of the ecosystem, made by others, whether they are here or not. */
	public const CATALOGUE = array(
		'shopsocket' => 'ShopSocket',
		'postsocket' => 'PostSocket',
		'chatsocket' => 'ChatSocket',
	);

	private const FIELDS = array( 'title', 'description', 'version', 'docs_url', 'file' );

	/**
	 * What was registered, by slug.
	 *
	 * @var array<string, array<string, mixed>>
	 */
	private array $registered = array();

	/**
	 * Makes an extension known.
	 *
	 * @param string               $slug Lower-case letters, digits, hyphens.
	 * @param array<string, mixed> $args title, description, version, docs_url; file, the main file of the plugin; requires, the plugins it
	 *                                   needs beside this one: folders or files, by their names for people if the keys are texts. A
	 *                                   value may also be a boolean: whether what the key names is there.
	 * @return bool False if the slug or the title is none.
	 */
	public function register( string $slug, array $args ): bool {
		$known = array( 'slug' => $slug );
		foreach ( self::FIELDS as $field ) {
			$known[ $field ] = is_scalar( $args[ $field ] ?? null ) ? (string) $args[ $field ] : '';
		}
		if ( '' === $slug || sanitize_key( $slug ) !== $slug || '' === $known['title'] ) {
			_doing_it_wrong( __METHOD__, esc_html__( 'An extension has a slug and a title.', 'wordsocket' ), '0.1.0' );
			return false;
		}
		$known['requires']         = is_array( $args['requires'] ?? null ) ? $args['requires'] : array();
		$this->registered[ $slug ] = $known;
		return true;
	}

	/**
	 * What was registered, by slug.
	 *
	 * @return array<string, array<string, mixed>>
	 */
	public function registered(): array {
		return $this->registered;
	}

	/**
	 * Those that are here, and those of the catalogue that are not.
	 *
	 * @return list<array{slug: string, title: string, description: string, version: string, docs_url: string, status: string, missing: list<string>}>
	 */
	public function all(): array {
		$all = array();
		foreach ( $this->registered as $slug => $extension ) {
			$missing = self::missing( $extension['requires'] );
			$all[]   = array(
				'slug'        => (string) $slug,
				'title'       => $extension['title'],
				'description' => $extension['description'],
				'version'     => $extension['version'],
				'docs_url'    => esc_url_raw( $extension['docs_url'], array( 'http', 'https' ) ),
				'status'      => array() === $missing ? 'active' : 'incomplete',
				'missing'     => $missing,
			);
		}
		foreach ( array_diff_key( self::CATALOGUE, $this->registered ) as $slug => $title ) {
			$all[] = array(
				'slug'        => $slug,
				'title'       => $title,
				'description' => self::about( $slug ),
				'version'     => '',
				'docs_url'    => '',
				'status'      => 'absent',
				'missing'     => array(),
			);
		}
		return $all;
	}

	/**
	 * Plugins of the registered extensions, as WordPress names plugins.
	 *
	 * @return array<string, string> By slug.
	 */
	public function plugin_files(): array {
		$files = array_filter( array_column( $this->registered, 'file', 'slug' ) );

		return array_map( 'plugin_basename', $files );
	}

	/**
	 * What an extension of the catalogue is for.
	 *
	 * @param string $slug Of the catalogue.
	 */
	private static function about( string $slug ): string {
		switch ( $slug ) {
			case 'shopsocket':
				return __( 'Live orders and stock for WooCommerce.', 'wordsocket' );
			case 'postsocket':
				return __( 'Live posts.', 'wordsocket' );
			case 'chatsocket':
				return __( 'Live chat.', 'wordsocket' );
			default:
				return '';
		}
	}

	/**
	 * What an extension needs and does not find, in words.
	 *
	 * @param array<int|string, mixed> $requires As registered.
	 * @return list<string>
	 */
	private static function missing( array $requires ): array {
		$missing = array();
		foreach ( $requires as $name => $needed ) {
			$is_there = is_string( $needed ) ? self::is_active( $needed ) : true === $needed;
			if ( ! $is_there ) {
				$missing[] = is_string( $name ) ? $name : ( is_string( $needed ) ? $needed : '?' );
			}
		}
		return $missing;
	}

	/**
	 * Whether a plugin is active, here or in the whole network.
	 *
	 * @param string $plugin Its folder or file.
	 */
	private static function is_active( string $plugin ): bool {
		$active = (array) get_option( 'active_plugins', array() );
		if ( is_multisite() ) {
			$active = array_merge( $active, array_keys( (array) get_site_option( 'active_sitewide_plugins', array() ) ) );
		}
		foreach ( $active as $file ) {
			if ( $file === $plugin || str_starts_with( (string) $file, "$plugin/" ) ) {
				return true;
			}
		}
		return false;
	}
}
