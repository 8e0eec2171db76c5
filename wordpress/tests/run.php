<?php
/**
 * Runs the plugin's tests that need no WordPress: php wordpress/tests/run.php
 *
 * Every test-*.php beside this file is a PHP process of its own, since
 * constants cannot be taken back; its TAP becomes part of ours. A file that
 * dies, or ends without its plan, is a failure.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

$count  = 0;
$failed = 0;
$say    = static function ( bool $passed, string $name ) use ( &$count, &$failed ): void {
	++$count;
	$failed += $passed ? 0 : 1;
	echo ( $passed ? 'ok' : 'not ok' ) . " $count - $name\n";
};

foreach ( glob( __DIR__ . '/test-*.php' ) as $file ) {
	$name  = basename( $file, '.php' );
	$lines = array();
	$code  = 0;
	exec( escapeshellarg( PHP_BINARY ) . ' -d error_reporting=-1 -d display_errors=1 ' . escapeshellarg( $file ) . ' 2>&1', $lines, $code );

	$seen = 0;
	$plan = null;
	foreach ( $lines as $line ) {
		if ( preg_match( '/^(not )?ok \d+ - (.*)$/', $line, $is ) ) {
			++$seen;
			$say( '' === $is[1], substr( $name, strlen( 'test-' ) ) . ': ' . $is[2] );
		} elseif ( preg_match( '/^1\.\.(\d+)$/', $line, $is ) ) {
			$plan = (int) $is[1];
		} else {
			echo str_starts_with( $line, '#' ) ? "$line\n" : "# $line\n";
		}
	}
	if ( 0 === $seen || $plan !== $seen || $code > 1 ) {
		$say( false, "$name ran to its end (exit status $code)" );
	}
}
echo "1..$count\n";
exit( $failed || ! $count ? 1 : 0 );
