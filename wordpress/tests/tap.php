<?php
/**
 * Assertions in TAP, and where the shared vectors are.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

/** Counts and prints. */
function ok( bool $passed, string $name ): bool {
	static $count = 0, $failed = 0;

	if ( 'done_testing' === $name ) {
		echo "1..$count\n";
		exit( $failed || ! $count ? 1 : 0 );
	}
	++$count;
	$failed += $passed ? 0 : 1;
	echo ( $passed ? 'ok' : 'not ok' ) . " $count - $name\n";
	return $passed;
}

/** Compares by ===. */
function is( $got, $want, string $name ): bool {
	if ( ok( $got === $want, $name ) ) {
		return true;
	}
	echo '#   got:  ' . str_replace( "\n", "\n#   ", var_export( $got, true ) ) . "\n";
	echo '#   want: ' . str_replace( "\n", "\n#   ", var_export( $want, true ) ) . "\n";
	return false;
}

/** Prints the plan and ends. */
function done_testing(): void {
	ok( true, 'done_testing' );
}

/** A part of a file of t/vectors; dies if there is nothing in it. */
function vectors( string $part, string $file = 'crypto.json' ): mixed {
	$all = json_decode( file_get_contents( dirname( __DIR__, 2 ) . "/t/vectors/$file" ), true, 32, JSON_THROW_ON_ERROR );

	if ( empty( $all[ $part ] ) ) {
		throw new RuntimeException( "t/vectors/$file has no $part" );
	}
	return $all[ $part ];
}
