<?php
/**
 * Scripts of a page with live blocks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Loads the client, the script that updates the blocks, and the line in which
 * a screen reader hears of it; only where a live block is, and only for those
 * whom the client is open to.
 *
 * @access private
 */
final class Live_Page {

	/** Store of the Interactivity API, and the script's name there. */
	public const STORE = 'wordsocket/live';

	private const HANDLE = 'wordsocket-live';
	private const MODULE = 'assets/live-module.js';
	private const SCRIPT = 'assets/live-view.js';

	/**
	 * Whether the page has a live block.
	 *
	 * @var bool
	 */
	private bool $has_blocks = false;

	/**
	 * Whether the scripts are loaded; null until the first block.
	 *
	 * @var bool|null
	 */
	private ?bool $loaded = null;

	/**
	 * The stamp before the first block was made.
	 *
	 * @var int
	 */
	private int $stamp = 0;

	/**
	 * Hands in the client.
	 *
	 * @param Config $config Relay and site.
	 * @param Client $client Browser client.
	 */
	public function __construct( private Config $config, private Client $client ) {}

	/** Hooks in. */
	public function register(): void {
		add_action( 'wp_footer', array( $this, 'print_status' ), 5 );
	}

	/** Whether this WordPress has script modules, which came in 6.5. */
	public static function has_modules(): bool {
		return function_exists( 'wp_enqueue_script_module' );
	}

	/** Whether a live block is on the page that is being made. */
	public function has_blocks(): bool {
		return $this->has_blocks;
	}

	/** A live block is going to be made. */
	public function expects_block(): void {
		if ( 0 === $this->stamp ) {
			$this->stamp = Live_Stamp::current();
		}
	}

	/** A live block is there; says whether whoever looks gets updates. */
	public function wants_scripts(): bool {
		$this->has_blocks = true;
		if ( null === $this->loaded ) {
			$this->loaded = is_readable( plugin_dir_path( FILE ) . self::SCRIPT )
				&& $this->config->is_configured()
				&& ! Notices::credentials_rejected()
				&& Token::allowed();
			if ( $this->loaded ) {
				$this->load();
			}
		}
		return $this->loaded;
	}

	/** A block needs the router to be updated. */
	public function wants_router(): void {
		if ( self::has_modules() ) {
			wp_enqueue_script_module( '@wordpress/interactivity-router' );
		}
	}

	/** The line for screen readers, which holds the script's settings, too. */
	public function print_status(): void {
		if ( true !== $this->loaded ) {
			return;
		}
		$settings = array(
			'argument' => Live_Answer::ARGUMENT,
			'stamp'    => $this->stamp,
			'user'     => is_user_logged_in(),
			'spread'   => Live_Crowd::spread_ms(),
			'posts'    => __( 'The list of posts was updated.', 'wordsocket' ),
			'comments' => __( 'The comments were updated.', 'wordsocket' ),
		);
		printf(
			'<div id="wordsocket-live" class="wordsocket-live-status" role="status" aria-live="polite" data-wp-interactive="%1$s" data-wp-text="state.message" data-settings="%2$s"></div>',
			esc_attr( self::STORE ),
			esc_attr( (string) wp_json_encode( $settings ) )
		);
	}

	/** Loads the client and the script. */
	private function load(): void {
		// In a classic theme blocks are rendered after the head.
		if ( did_action( 'wp_enqueue_scripts' ) && ! wp_script_is( Client::HANDLE ) ) {
			$this->client->enqueue();
		}
		$version = (string) filemtime( plugin_dir_path( FILE ) . self::SCRIPT );
		wp_enqueue_style( self::HANDLE, plugins_url( 'css/live.css', FILE ), array(), VERSION );
		if ( ! self::has_modules() ) {
			wp_enqueue_script( self::HANDLE, plugins_url( self::SCRIPT, FILE ), array(), $version, array( 'in_footer' => true ) );
			return;
		}
		wp_interactivity_state( self::STORE, array( 'message' => '' ) );
		wp_enqueue_script_module(
			self::STORE,
			plugins_url( self::MODULE, FILE ),
			array(
				array( 'id' => '@wordpress/interactivity' ),
				array(
					'id'     => '@wordpress/interactivity-router',
					'import' => 'dynamic',
				),
			),
			$version
		);
	}
}
