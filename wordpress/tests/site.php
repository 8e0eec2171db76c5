<?php
/**
 * The site of the tests: the one of the shared vectors.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/tap.php';
require __DIR__ . '/wordpress.php';
require dirname( __DIR__ ) . '/includes/autoload.php';

define( 'WORDSOCKET_URL', 'https://example.org/wordsocket/' );
define( 'WPSIGNAL_SITE_KEY', '0123456789abcdef0123456789abcdef' );
define( 'WPSIGNAL_SITE_SECRET', 'publish-secret' );
define( 'WPSIGNAL_JWT_SECRET', 'jwt-secret' );
define( 'AUTH_KEY', 'peer-auth-key' );
define( 'SECURE_AUTH_KEY', 'peer-secure-auth-key' );

const SITE_ID = '85efa1fa3f9a64ba0ef5a644315bff74c044d324925e31e8c080c3e72284b56e';
const SITE    = 'site:' . SITE_ID . ':';
