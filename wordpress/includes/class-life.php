<?php
/**
 * What ends with something else: a blog, a session, the plugin's activity.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Hooks for endings, and for updates that are not ours.
 *
 * @access private
 */
final class Life {

	private const LOGOUT = 'wordsocket-logout';

	/** Hooks it into WordPress. */
	public static function register(): void {
		register_deactivation_hook( FILE, array( self::class, 'deactivate' ) );
		add_action( 'wp_uninitialize_site', array( self::class, 'delete_blog' ), 5 );
		add_action( 'login_enqueue_scripts', array( self::class, 'tell_tabs' ) );
		add_filter( 'site_transient_update_plugins', array( self::class, 'only_our_updates' ) );
	}

	/**
	 * What is scheduled stops; what is stored stays for the next activation.
	 *
	 * @param bool $network_wide Whether on all sites of a network.
	 */
	public static function deactivate( $network_wide = false ): void {
		wp_clear_scheduled_hook( Sender::CRON );
		if ( ! $network_wide || ! is_multisite() ) {
			return;
		}
		// Others have at most one event that finds nobody to call.
		foreach ( get_sites( array( 'fields' => 'ids', 'number' => 500 ) ) as $blog ) { // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- one thing.
			switch_to_blog( $blog );
			wp_clear_scheduled_hook( Sender::CRON );
			restore_current_blog();
		}
	}

	/**
	 * A blog is about to be deleted: its keys are revoked, its sockets close.
	 *
	 * @param \WP_Site $blog Of the network.
	 */
	public static function delete_blog( $blog ): void {
		switch_to_blog( (int) $blog->id );
		$own   = Connection::keys();
		$relay = Relay::keys();
		if ( null !== $own ) {
			Connection::disconnect( $own );
		} elseif ( null !== $relay ) {
			Relay::disconnect( $relay );
		}
		restore_current_blog();
	}

	/**
	 * Says on the page after logging out that the user's other tabs may end their
	 * connection now, and need not wait until their token is over.
	 */
	public static function tell_tabs(): void {
		// phpcs:ignore WordPress.Security.NonceVerification.Recommended -- decides nothing but that.
		if ( ! isset( $_GET['loggedout'] ) ) {
			return;
		}
		$file = plugin_dir_path( FILE ) . 'js/logout.js';
		wp_enqueue_script( self::LOGOUT, plugins_url( 'js/logout.js', FILE ), array(), (string) filemtime( $file ), array( 'in_footer' => true ) );
		Page_Data::before( self::LOGOUT, 'wordsocket-logout-data', array( 'restUrl' => rest_url( Token::ROUTE_NAMESPACE ) ) );
	}

	/**
	 * The directory of wordpress.org has another party's plugin under this
	 * folder's name: what it offers is no update of this one.
	 *
	 * @param mixed $found The transient.
	 * @return mixed
	 */
	public static function only_our_updates( $found ) {
		$file = plugin_basename( FILE );
		foreach ( array( 'response', 'no_update' ) as $list ) {
			$id = is_object( $found ) ? ( (array) ( $found->$list ?? array() ) )[ $file ]->id ?? '' : '';
			if ( is_string( $id ) && str_starts_with( $id, 'w.org/' ) ) {
				unset( $found->$list[ $file ] );
			}
		}
		return $found;
	}
}
