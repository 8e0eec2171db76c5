<?php
/**
 * The plugin's screen in wp-admin.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * The menu entry, the tabs, and what is in them. Connect is printed here and
 * works without a script; the others are drawn by one, see src/index.tsx.
 *
 * @access private
 */
final class Settings_Page {

	/** Slug of the page. */
	public const SLUG = 'wordsocket';

	/** The tab that is shown when none is named. */
	public const CONNECT = 'connection';

	/** Who may see it. */
	public const CAPABILITY = 'manage_options';

	private const POSITION = 80;

	/** Tabs that make no sense without a connection. */
	private const CONNECTED_ONLY = array( 'settings', 'triggers', 'explorer' );

	/**
	 * Hands in what the screen tells about.
	 *
	 * @param Config    $config    Relay and site.
	 * @param Publisher $publisher Asks the relay.
	 */
	public function __construct( private Config $config, private Publisher $publisher ) {}

	/** Adds the menu entry. */
	public function add(): void {
		add_menu_page(
			__( 'WordSocket', 'wordsocket' ),
			__( 'WordSocket', 'wordsocket' ),
			self::CAPABILITY,
			self::SLUG,
			array( $this, 'render' ),
			'dashicons-rss',
			self::POSITION
		);
	}

	/** Prints the screen. */
	public function render(): void {
		$tab    = self::current();
		$script = new Settings_Script( $this->config );

		$script->enqueue( $tab );

		/** Fires while the plugin's screen is printed, for the scripts of extensions. */
		do_action( 'wordsocket_settings_enqueue' );

		echo '<div class="wrap"><h1>' . esc_html__( 'WordSocket', 'wordsocket' ) . '</h1>';
		$this->render_tabs( $tab );
		Outcome::render();
		self::render_what_is_missing();
		if ( self::CONNECT === $tab ) {
			( new Connection_Tab( $this->config, $this->publisher ) )->render();
		} elseif ( ! $this->is_usable( $tab ) ) {
			printf(
				'<p>%s <a href="%s">%s</a></p>',
				esc_html__( 'This is for a site that is connected, and this one is not yet.', 'wordsocket' ),
				esc_url( self::url( self::CONNECT ) ),
				esc_html__( 'Connect it', 'wordsocket' )
			);
		}
		printf( '<div id="%s">', esc_attr( Settings_Script::ROOT ) );
		if ( self::CONNECT !== $tab ) {
			echo '<p class="hide-if-js">' . esc_html__( 'This tab needs JavaScript.', 'wordsocket' ) . '</p>';
		}
		echo '</div></div>';
	}

	/**
	 * Address of a tab.
	 *
	 * @param string $tab Its name.
	 */
	public static function url( string $tab ): string {
		return admin_url( 'admin.php?page=' . self::SLUG . '&tab=' . $tab );
	}

	/** The tab that the address names; one that we do not know may be an extension's. */
	private static function current(): string {
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended -- chooses what is shown.
		$named = $_GET['tab'] ?? '';
		$tab   = is_string( $named ) ? sanitize_key( wp_unslash( $named ) ) : '';

		return '' === $tab ? self::CONNECT : $tab;
	}

	/**
	 * The tabs by name.
	 *
	 * @return array<string, string>
	 */
	private static function tabs(): array {
		return array(
			self::CONNECT => __( 'Connect', 'wordsocket' ),
			'settings'    => __( 'Settings', 'wordsocket' ),
			'triggers'    => __( 'Triggers', 'wordsocket' ),
			'explorer'    => __( 'Explorer', 'wordsocket' ),
			'extensions'  => __( 'Extensions', 'wordsocket' ),
		);
	}

	/**
	 * Whether a tab can be used as things are. Those of extensions decide that
	 * themselves.
	 *
	 * @param string $tab Its name.
	 */
	private function is_usable( string $tab ): bool {
		return $this->config->is_configured() || ! in_array( $tab, self::CONNECTED_ONLY, true );
	}

	/**
	 * Prints the tabs. They are links: each is a page of its own.
	 *
	 * @param string $current The one that is shown.
	 */
	private function render_tabs( string $current ): void {
		printf( '<nav class="nav-tab-wrapper wp-clearfix" id="wordsocket-tabs" aria-label="%s">', esc_attr__( 'WordSocket', 'wordsocket' ) );
		foreach ( self::tabs() as $tab => $title ) {
			if ( ! $this->is_usable( $tab ) && $tab !== $current ) {
				printf( '<span class="nav-tab wordsocket-tab-off">%s<span class="screen-reader-text"> %s</span></span>', esc_html( $title ), esc_html__( '(once the site is connected)', 'wordsocket' ) );
				continue;
			}
			printf(
				'<a class="nav-tab%s" href="%s"%s>%s</a>',
				$tab === $current ? ' nav-tab-active' : '',
				esc_url( self::url( $tab ) ),
				$tab === $current ? ' aria-current="page"' : '',
				esc_html( $title )
			);
		}
		echo '</nav>';
	}

	/** What a checkout has to build first. */
	private static function render_what_is_missing(): void {
		$missing = array(
			array( Client::is_built(), __( 'The browser client is missing from this copy of the plugin, so pages stay still. Build it in the folder client of the source, and copy dist/wpsignal.js to assets.', 'wordsocket' ) ),
			array( Settings_Script::is_built(), __( 'The script of this screen is missing from this copy of the plugin, so only Connect works. Build it in the folder wordpress of the source: npm ci, npm run build.', 'wordsocket' ) ),
		);
		foreach ( $missing as list( $is_there, $text ) ) {
			if ( ! $is_there ) {
				Connection_Tab::notice( 'error', $text );
			}
		}
	}
}
