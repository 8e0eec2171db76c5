<?php
/**
 * Live blocks for people who are not logged in.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * One option, off by default. It opens the client to visitors on pages with a
 * live block, and for no more than to hear what is announced on the channel
 * events: a visitor who gets in by it alone may send nothing. Where a site
 * opens the client to visitors itself, their rights stay as the site has them.
 *
 * @access private
 */
final class Live_Visitors {

	/**
	 * Hands in who knows of live blocks.
	 *
	 * @param Live_Page $page What is being made.
	 */
	public function __construct( private Live_Page $page ) {}

	/** Hooks in. */
	public function register(): void {
		add_action( 'init', array( $this, 'register_setting' ) );
		add_filter( 'wpsignal_allow_client', array( $this, 'allow' ), PHP_INT_MAX );
		add_filter( 'wpsignal_token_channels', array( $this, 'only_events' ), PHP_INT_MAX, 3 );
		add_filter( 'wpsignal_token_channel_prefixes', array( $this, 'only_events' ), PHP_INT_MAX, 3 );
		add_filter( 'wpsignal_token_publish_prefixes', array( $this, 'nothing' ), PHP_INT_MAX, 2 );
	}

	/** The option, for those who manage the site, in the editor's own settings. */
	public function register_setting(): void {
		register_setting(
			'wordsocket',
			Options::LIVE_VISITORS,
			array(
				'type'              => 'boolean',
				'description'       => __( 'Live blocks update for visitors, too.', 'wordsocket' ),
				'default'           => false,
				'show_in_rest'      => true,
				'sanitize_callback' => 'rest_sanitize_boolean',
			)
		);
	}

	/** Whether the option is on. */
	public static function is_on(): bool {
		return (bool) get_option( Options::LIVE_VISITORS, false );
	}

	/**
	 * Lets visitors have the client where a live block is. The route of tokens
	 * knows no page.
	 *
	 * @param mixed $allow Whether they have it anyway.
	 */
	public function allow( $allow ): bool {
		return $allow || ( self::is_on() && ( $this->page->has_blocks() || ! did_action( 'wp' ) ) );
	}

	/**
	 * The channel events alone, for a visitor who is in by the option.
	 *
	 * @param mixed  $given   Channels or prefixes.
	 * @param int    $user_id 0 is a visitor.
	 * @param string $site_id Identifier of the site in channel names.
	 * @return mixed
	 */
	public function only_events( $given, $user_id, $site_id ) {
		return $this->is_guest( (int) $user_id ) ? array( Channels::qualify( Channels::EVENTS, $site_id ) ) : $given;
	}

	/**
	 * No right to send, for the same.
	 *
	 * @param mixed $given   Prefixes.
	 * @param int   $user_id 0 is a visitor.
	 * @return mixed
	 */
	public function nothing( $given, $user_id ) {
		return $this->is_guest( (int) $user_id ) ? array() : $given;
	}

	/**
	 * Whether a user is in by nothing but the option.
	 *
	 * @param int $user_id 0 is a visitor.
	 */
	private function is_guest( int $user_id ): bool {
		if ( 0 !== $user_id || ! self::is_on() ) {
			return false;
		}
		remove_filter( 'wpsignal_allow_client', array( $this, 'allow' ), PHP_INT_MAX );
		$otherwise = Token::allowed();
		add_filter( 'wpsignal_allow_client', array( $this, 'allow' ), PHP_INT_MAX );

		return ! $otherwise;
	}
}
