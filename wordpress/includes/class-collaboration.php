<?php
/**
 * Editing together in the block editor.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * What this WordPress has of collaboration, and what the plugin adds to it: the
 * provider that carries the edits, and from WordPress 7.0 on also the two flags that
 * wake the editor's own part, and the place where documents are kept. WordPress
 * 7.0 hands its Yjs to no provider: there its own polling is answered in the page.
 *
 * @access private
 */
final class Collaboration {

	/** Gutenberg's experiment is on: the provider joins it. */
	public const SUPPORT_GUTENBERG = 'gutenberg';

	/** WordPress 7.1 or later: the plugin wakes its editor. */
	public const SUPPORT_CORE = 'core';

	/** WordPress 7.0: the same, and what its editor asks the server is answered in the page. */
	public const SUPPORT_POLLING = 'polling';

	/** Gutenberg is here, and its experiment is off: whoever did that meant it. */
	public const SUPPORT_EXPERIMENT_OFF = 'experiment-off';

	/** Nothing to build on. */
	public const SUPPORT_NONE = 'none';

	private const PROVIDER = 'wpsignal-yjs';
	private const WAKE     = 'wordsocket-collaboration-wake';
	private const PACE     = 'wordsocket-collaboration-pace';

	/** The first WordPress whose editor hands its Yjs to providers. */
	private const CORE = '7.1-alpha';

	/** The first whose editor can be woken; what came before its release had a server of its own. */
	private const POLLING = '7.0';

	/**
	 * Hands in the connection.
	 *
	 * @param Config $config Relay and site.
	 * @param Client $client Knows whether this user may connect, and where to.
	 */
	public function __construct( private Config $config, private Client $client ) {}

	/** Hooks in. */
	public function register(): void {
		add_action( 'init', array( $this, 'keep_documents' ), 20 );
		add_action( 'enqueue_block_editor_assets', array( $this, 'enqueue' ) );
	}

	/** Which of the SUPPORT_ values this WordPress has. */
	public static function support(): string {
		if ( function_exists( 'wp_is_collaboration_enabled' ) ) {
			return wp_is_collaboration_enabled() ? self::SUPPORT_GUTENBERG : self::SUPPORT_EXPERIMENT_OFF;
		}
		$version = (string) ( $GLOBALS['wp_version'] ?? '' );
		if ( version_compare( $version, self::CORE, '>=' ) ) {
			return self::SUPPORT_CORE;
		}
		return version_compare( $version, self::POLLING, '>=' ) ? self::SUPPORT_POLLING : self::SUPPORT_NONE;
	}

	/** Whether editors of this site edit together over this connection. */
	public function is_on(): bool {
		return '' === self::off_because( $this->config );
	}

	/**
	 * Why they do not; empty if they do: SUPPORT_NONE, SUPPORT_EXPERIMENT_OFF,
	 * "switched-off", "not-connected", or "no-key", where frames are to be
	 * encrypted and there is nothing to make keys from.
	 *
	 * @param Config $config Of the site.
	 */
	public static function off_because( Config $config ): string {
		$support = self::support();

		if ( ! in_array( $support, array( self::SUPPORT_GUTENBERG, self::SUPPORT_CORE, self::SUPPORT_POLLING ), true ) ) {
			return $support;
		}
		if ( ! $config->yjs_provider_enabled() ) {
			return 'switched-off';
		}
		if ( ! $config->is_configured() ) {
			return 'not-connected';
		}
		return $config->is_collaboration_sealed() && '' === $config->encryption_seed() ? 'no-key' : '';
	}

	/**
	 * How things are, in one line for those who look after the site; not
	 * translated, as it is copied into letters.
	 *
	 * @param Config $config Of the site.
	 */
	public static function summary( Config $config ): string {
		$because = self::off_because( $config );
		$frames  = $config->is_collaboration_sealed() ? 'encrypted' : 'plain';

		return ( '' === $because ? 'on (' : 'off (' ) . self::support() . ')' . ( '' === $because ? ", $frames" : ": $because" );
	}

	/** Without these, two who open a post make two documents that never merge. */
	public function keep_documents(): void {
		if ( $this->is_on() ) {
			Crdt_Document::register();
		}
	}

	/** Adds the scripts to the editor of posts; the site editor has no part in it. */
	public function enqueue(): void {
		$screen = function_exists( 'get_current_screen' ) ? get_current_screen() : null;
		$data   = null === $screen || 'post' !== $screen->base || ! $this->is_on() ? null : $this->client->relay_config();
		$about  = plugin_dir_path( FILE ) . 'assets/' . self::PROVIDER . '.asset.php';
		if ( null === $data || ! is_readable( $about ) ) {
			return;
		}
		$support = self::support();
		$without = self::types_without_documents();
		// The editor of 7.0 does not know that list: woken, it would share them all.
		if ( self::SUPPORT_POLLING === $support && in_array( $screen->post_type, $without, true ) ) {
			return;
		}
		if ( self::SUPPORT_GUTENBERG !== $support ) {
			self::wake( $without );
		}
		if ( self::SUPPORT_POLLING === $support ) {
			self::before_data_layer( self::PACE, 'assets/collaboration-pace.js', array( 'wp-hooks' ) );
		}
		$asset = require $about;
		wp_enqueue_script( self::PROVIDER, plugins_url( 'assets/' . self::PROVIDER . '.js', FILE ), $asset['dependencies'], $asset['version'], array( 'in_footer' => true ) );
		wp_set_script_translations( self::PROVIDER, 'wordsocket' );
		Page_Data::before(
			self::PROVIDER,
			'wordsocket-collaboration',
			array(
				'relay'   => $data,
				'route'   => '/' . Token::ROUTE_NAMESPACE . '/token',
				'isDebug' => $data['isDebug'],
			) + ( self::SUPPORT_POLLING === $support ? array( 'polling' => array( 'withoutTypes' => $without ) ) : array() )
		);
	}

	/**
	 * Has the flags set before the editor's data layer looks at them.
	 *
	 * @param list<string> $without Post types that stay as they are.
	 */
	private static function wake( array $without ): void {
		self::before_data_layer( self::WAKE, 'assets/collaboration-wake.js', array() );
		Page_Data::before( self::WAKE, self::WAKE, array( 'withoutTypes' => $without ) );
	}

	/**
	 * Adds a script that the editor's data layer depends on: inline scripts are
	 * not everywhere allowed.
	 *
	 * @param string       $handle Its handle.
	 * @param string       $file   Its file in the plugin.
	 * @param list<string> $deps   What itself depends on.
	 */
	private static function before_data_layer( string $handle, string $file, array $deps ): void {
		wp_register_script( $handle, plugins_url( $file, FILE ), $deps, (string) filemtime( plugin_dir_path( FILE ) . $file ), array( 'in_footer' => true ) );
		$core_data = wp_scripts()->query( 'wp-core-data', 'registered' );
		if ( $core_data instanceof \_WP_Dependency && ! in_array( $handle, $core_data->deps, true ) ) {
			$core_data->deps[] = $handle;
		}
	}

	/**
	 * Post types whose REST answers have no meta, and so no document.
	 *
	 * @return list<string>
	 */
	private static function types_without_documents(): array {
		return array_values(
			array_filter(
				get_post_types( array( 'show_in_rest' => true ) ),
				static fn( string $type ): bool => ! post_type_supports( $type, 'custom-fields' )
			)
		);
	}
}
