<?php
/**
 * Uninstalled while another build of the ecosystem is active.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Options;

define( 'WPSignal\VERSION', '0.25.0' );
define( 'WP_UNINSTALL_PLUGIN', 'wordsocket/wordsocket.php' );
foreach ( Options::ALL as $name ) {
	World::$options[ $name ] = 'x';
}
foreach ( Options::TRANSIENTS as $name ) {
	World::$transients[ $name ] = 'x';
}
World::$options['home'] = 'https://example.org';
require dirname( __DIR__ ) . '/uninstall.php';

is( array_values( array_intersect( Options::ALL, array_keys( World::$options ) ) ), array_values( array_intersect( Options::ALL, Options::SHARED ) ), 'what the other build has by the same name stays' );
is( array_keys( World::$transients ), array( Options::STATE ), 'its one-click connect under way as well' );
is( World::$requests, array(), 'and no relay is told to forget it' );

done_testing();
