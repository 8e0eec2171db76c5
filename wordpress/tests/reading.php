<?php
/**
 * How a relay reads names and rights: the rule of the wire, of which the
 * plugin only writes one side. Tests hold what the plugin writes against it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

/** The bare name of a channel, however it is spelled. */
function bare( string $channel ): string {
	while ( str_starts_with( $channel, SITE ) ) {
		$channel = substr( $channel, strlen( SITE ) );
	}
	return $channel;
}

/** Whether one of the prefixes reaches a channel. Version 3 has rooms for documents. */
function reaches( array $prefixes, string $given, int $version ): bool {
	$bare = bare( $given );

	if ( $version >= 3 && str_starts_with( $bare, 'yjs:' ) ) {
		return false;
	}
	foreach ( $prefixes as $prefix ) {
		if ( '' !== $prefix && ( str_starts_with( SITE . $bare, $prefix ) || str_starts_with( $given, $prefix ) ) ) {
			return true;
		}
	}
	return false;
}

/** Which right the rooms of a token give: "", "r" or "rw". */
function room_right( array $token, string $given ): string {
	foreach ( $token['version'] >= 3 ? $token['rooms'] : array() as $name => $right ) {
		if ( bare( $name ) === bare( $given ) ) {
			return $right;
		}
	}
	return '';
}

/** Whether whoever has the token may subscribe. */
function may_read( array $token, string $given ): bool {
	return reaches( $token['read'], $given, $token['version'] ) || '' !== room_right( $token, $given );
}

/** Whether whoever has the token may publish. Version 1 had one list for both. */
function may_write( array $token, string $given ): bool {
	if ( str_starts_with( bare( $given ), 'wps:' ) ) {
		return false;
	}
	$list = 1 === $token['version'] ? $token['read'] : $token['write'];
	return reaches( $list, $given, $token['version'] ) || 'rw' === room_right( $token, $given );
}
