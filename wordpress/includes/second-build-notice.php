<?php
/**
 * Says in wp-admin that this build stays out of the way of another one.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

defined( 'ABSPATH' ) || exit;

add_action(
	'admin_notices',
	static function (): void {
		if ( ! current_user_can( 'activate_plugins' ) ) {
			return;
		}
		wp_admin_notice(
			esc_html__( 'Another WordSocket plugin is active, so this one does nothing. Deactivate one of the two on the Plugins screen.', 'wordsocket' ),
			array( 'type' => 'warning' )
		);
	}
);
