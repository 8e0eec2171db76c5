<?php
/**
 * The one notice about events that are not delivered.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Tells an administrator, where events come from and on the dashboard, that the
 * relay does not take them. It is gone as soon as it does.
 *
 * @access private
 */
final class Queue_Notice {

	private const CAPABILITY = 'manage_options';

	/** Screens whose work makes events, and where an administrator comes first. */
	private const SCREENS = array( 'dashboard', 'edit', 'edit-comments', 'options-general' );

	/**
	 * Hands in what it is about.
	 *
	 * @param Config $config Relay and site.
	 */
	public function __construct( private Config $config ) {}

	/** Prints it, if there is anything to say. */
	public function render(): void {
		$screen = get_current_screen();
		if ( null === $screen || ! in_array( $screen->base, self::SCREENS, true ) || ! current_user_can( self::CAPABILITY ) || ! $this->config->is_configured() ) {
			return;
		}
		$text = $this->text();
		if ( '' !== $text ) {
			wp_admin_notice(
				esc_html( $text ) . ' <a href="' . esc_url( admin_url( 'admin.php?page=' . Settings_Page::SLUG ) ) . '">' . esc_html__( 'WordSocket', 'wordsocket' ) . '</a>',
				array( 'type' => 'warning' )
			);
		}
	}

	/** What went wrong, what to do, and how many events it is about; empty if all is well. */
	public function text(): string {
		$last = Notices::last();
		if ( null === $last ) {
			return '';
		}
		/* translators: 1: what went wrong, 2: what to do about it. */
		$text    = sprintf( __( 'WordSocket could not deliver events: %1$s %2$s', 'wordsocket' ), rtrim( $last['message'], '.' ) . '.', Notices::describe( $last['code'] ) );
		$counts  = $this->counts();
		$waiting = $counts['waiting'];
		$dropped = $counts['dropped'];
		if ( $waiting > 0 ) {
			/* translators: %d: number of events. */
			$text .= ' ' . sprintf( _n( '%d event waits, and is sent when the relay is back within ten minutes.', '%d events wait, and are sent when the relay is back within ten minutes.', $waiting, 'wordsocket' ), $waiting );
		}
		if ( $dropped > 0 ) {
			/* translators: %d: number of events. */
			$text .= ' ' . sprintf( _n( '%d event was dropped, since too many wait.', '%d events were dropped, since too many wait.', $dropped, 'wordsocket' ), $dropped );
		}
		return $text;
	}

	/**
	 * How many events wait, and how many never will be sent.
	 *
	 * @return array{waiting: int, dropped: int}
	 */
	public function counts(): array {
		return array(
			'waiting' => ( new Backlog( $this->config ) )->count(),
			'dropped' => Queue_Rows::dropped(),
		);
	}
}
