<?php
/**
 * Tokens made by the recipes that relays are tested with: those the plugin
 * could write, it writes to the byte; of the others the signature is right or
 * wrong as their refusal says.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';
require __DIR__ . '/recipe.php';

use WordSocket\Jwt;

const HEADER = '{"alg":"HS256","typ":"JWT"}';

$book = array();
foreach ( array( 'now', 'site_key', 'site_id', 'tenant_id', 'jwt_secret', 'other_secret', 'public_key' ) as $name ) {
	$book[ $name ] = vectors( $name, 'tokens.json' );
}
$recipes = vectors( 'cases', 'tokens.json' );
$example = vectors( 'example', 'tokens.json' );

is( $book['site_id'], SITE_ID, 'the recipes are for the site of the tests' );
is( recipe_token( $book, array_column( $recipes, null, 'name' )[ $example['name'] ] ), $example['token'], 'the recipes are read as they are meant' );

/** Whether the last of three segments is the MAC of the first two. */
function is_signed( string $token, string $secret ): bool {
	$parts = explode( '.', $token );

	return 3 === count( $parts )
		&& Jwt::base64url( hash_hmac( 'sha256', "$parts[0].$parts[1]", $secret, true ) ) === $parts[2];
}

/** Whether a text is JSON as the plugin writes it. */
function is_ours( string $json ): bool {
	$value = json_decode( $json, true );

	return is_array( $value )
		&& json_encode( $value, JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE ) === $json;
}

$written = 0;
foreach ( $recipes as $recipe ) {
	$about  = "{$recipe['name']} ({$recipe['why']})";
	$token  = recipe_token( $book, $recipe );
	$signed = is_signed( $token, $book['jwt_secret'] );
	if ( $recipe['accepted'] ) {
		ok( $signed, "signed with the secret of the site: $about" );
	} elseif ( in_array( $recipe['refused'], array( 'claims', 'early', 'expired' ), true ) ) {
		ok( $signed, "signed, but refused for what it says: $about" );
	} elseif ( 'signature' === $recipe['refused'] ) {
		ok( ! $signed, "not signed with the secret of the site: $about" );
	} elseif ( 'hs256' !== $recipe['sign'] ) {
		ok( ! $signed, "refused before anybody looks at a signature that is wrong: $about" );
	}

	$claims = recipe_text( $book, $recipe['claims'] );
	if ( HEADER === $recipe['header'] && 'hs256' === $recipe['sign'] && 'compact' === $recipe['form'] && is_ours( $claims ) ) {
		++$written;
		is( Jwt::make( json_decode( $claims, true ), $book['jwt_secret'] ), $token, "the plugin's code writes it to the byte: $about" );
	}
}
ok( $written > 40, 'many of the recipes are such as the plugin could write' );

done_testing();
