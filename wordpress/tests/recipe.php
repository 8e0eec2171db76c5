<?php
/**
 * Makes the tokens of t/vectors/tokens.json, as the README beside it says. A
 * word that is not known throws.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

use WordSocket\Jwt;

/** A text of a recipe with its placeholders filled in. */
function recipe_text( array $book, string $text ): string {
	return preg_replace_callback(
		'/\{(?:NOW(?<add>[+-]\d+)?|(?<id>SITE_ID|TENANT_ID)|BYTE:(?<byte>[0-9a-f]{2})|REPEAT:(?<text>.*?):(?<times>\d+))\}/s',
		static function ( array $is ) use ( $book ): string {
			return match ( true ) {
				isset( $is['times'] )         => str_repeat( $is['text'], (int) $is['times'] ),
				'' !== ( $is['byte'] ?? '' )  => hex2bin( $is['byte'] ),
				'' !== ( $is['id'] ?? '' )    => $book[ strtolower( $is['id'] ) ],
				default                       => (string) ( $book['now'] + (int) ( $is['add'] ?? 0 ) ),
			};
		},
		$text
	);
}

/** The next character of the base64url alphabet in the last place. */
function recipe_spare_bit( string $segment ): string {
	return substr( $segment, 0, -1 ) . chr( ord( substr( $segment, -1 ) ) + 1 );
}

/** Header or claims as a segment, as the form wants it. */
function recipe_segment( string $text, string $form, string $spared ): string {
	$segment = Jwt::base64url( $text );

	return match ( $form ) {
		'padded' => str_pad( $segment, (int) ceil( strlen( $segment ) / 4 ) * 4, '=' ),
		$spared  => recipe_spare_bit( $segment ),
		default  => $segment,
	};
}

/** The key that a signature is made with. */
function recipe_key( array $book, string $sign ): string {
	return match ( $sign ) {
		'empty'          => '',
		'blank'          => ' ',
		'rs-as-hs'       => $book['public_key'],
		'rs-as-hs-chomp' => substr( $book['public_key'], 0, -1 ),
		'otherkey'       => $book['other_secret'],
		'sitekey'        => $book['site_key'],
		'hashed'         => hash( 'sha256', $book['jwt_secret'], true ),
		default          => $book['jwt_secret'],
	};
}

/** The third segment. */
function recipe_signature( array $book, string $sign, string $signed ): string {
	$mac  = hash_hmac( 'hs512' === $sign ? 'sha512' : 'sha256', $signed . ( 'otherclaims' === $sign ? 'x' : '' ), recipe_key( $book, $sign ), true );
	$flip = static fn( int $at, int $bit ): string => substr_replace( $mac, chr( ord( $mac[ $at ] ) ^ $bit ), $at, 1 );

	return match ( $sign ) {
		'none'         => '',
		'flip'         => Jwt::base64url( $flip( 31, 1 ) ),
		'flipfirst'    => Jwt::base64url( $flip( 0, 0x80 ) ),
		'longer'       => Jwt::base64url( "$mac\0" ),
		'hex'          => bin2hex( $mac ),
		'truncated'    => substr( Jwt::base64url( $mac ), 0, 42 ),
		'half'         => substr( Jwt::base64url( $mac ), 0, 21 ),
		'trailingbits' => recipe_spare_bit( Jwt::base64url( $mac ) ),
		'huge'         => Jwt::base64url( str_repeat( "\0", 49152 ) ),
		'hs256', 'hs512', 'empty', 'blank', 'rs-as-hs', 'rs-as-hs-chomp',
		'otherkey', 'sitekey', 'hashed', 'otherclaims' => Jwt::base64url( $mac ),
	};
}

/** The token of a recipe. */
function recipe_token( array $book, array $recipe ): string {
	$h = recipe_segment( recipe_text( $book, $recipe['header'] ), $recipe['form'], 'headerbits' );
	$c = recipe_segment( recipe_text( $book, $recipe['claims'] ), $recipe['form'], 'claimsbits' );
	$c = 'standard' === $recipe['form'] ? strtr( $c, '-_', '+/' ) : $c;
	$s = recipe_signature( $book, $recipe['sign'], "$h.$c" );

	return match ( $recipe['form'] ) {
		'compact', 'padded', 'standard', 'headerbits', 'claimsbits' => "$h.$c.$s",
		'1seg'     => $h,
		'2seg'     => "$h.$c",
		'4seg'     => "$h.$c.$s.$s",
		'5seg'     => "$h.$c.$s.$s.$s",
		'json'     => '{"payload":"' . $c . '","protected":"' . $h . '","signature":"' . $s . '"}',
		'jwe'      => "$h..AAAAAAAAAAAAAAAA.$c.AAAAAAAAAAAAAAAAAAAAAA",
		'noheader' => ".$c.$s",
		'noclaims' => "$h..$s",
		'dot'      => "$h.$c.$s.",
		'space'    => "$h.$c.$s ",
		'newline'  => "$h.$c.$s\n",
		'bearer'   => "Bearer $h.$c.$s",
		'nothing'  => '',
	};
}
