<?php
/**
 * Badges of collaborative editing, as the token route hands them out.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\Options;
use WordSocket\WPS;

final class Badge_Test extends Test_Case {

	/** What stands before a public key of 65 bytes in DER. */
	private const SPKI = '3059301306072a8648ce3d020106082a8648ce3d030107034200';

	/**
	 * What the editor's tests have, too.
	 *
	 * @return array<string, mixed>
	 */
	private static function vector(): array {
		return json_decode( file_get_contents( getenv( 'WSK_TOP' ) . '/wordpress/test/vectors/badge.json' ), true, 32, JSON_THROW_ON_ERROR );
	}

	/**
	 * What the route answers.
	 *
	 * @param array<string, mixed> $params With the rooms.
	 * @return array<string, mixed>
	 */
	private function ask( array $params ): array {
		$answer = $this->rest( 'POST', '/wpsignal/v1/token', $params );
		$this->assertSame( 200, $answer->get_status() );
		return $answer->get_data();
	}

	/**
	 * What a badge says; fails if the issuer did not sign it. By OpenSSL, from
	 * the form that browsers have.
	 *
	 * @param array<string, mixed> $answer Of the route.
	 * @return array<string, mixed>
	 */
	private function claims( array $answer ): array {
		list( $text, $signature ) = explode( '.', $answer['badge'] );
		$raw                      = self::decoded( $signature );
		$this->assertSame( 64, strlen( $raw ) );
		$numbers = '';
		foreach ( str_split( $raw, 32 ) as $number ) {
			$number   = ltrim( $number, "\0" );
			$number   = ord( $number[0] ) > 127 ? "\0$number" : $number;
			$numbers .= "\x02" . chr( strlen( $number ) ) . $number;
		}
		$pem = "-----BEGIN PUBLIC KEY-----\n" . chunk_split( base64_encode( hex2bin( self::SPKI ) . base64_decode( $answer['badgeIssuer'], true ) ), 64 ) . '-----END PUBLIC KEY-----';
		$this->assertSame( 1, openssl_verify( $text, "\x30" . chr( strlen( $numbers ) ) . $numbers, $pem, OPENSSL_ALGO_SHA256 ) );
		return json_decode( self::decoded( $text ), true );
	}

	private static function decoded( string $base64url ): string {
		return base64_decode( strtr( $base64url, '-_', '+/' ) );
	}

	/** Asks for a room of a new post as the current user. */
	private function ask_with_key(): array {
		return $this->ask(
			array(
				'rooms'    => array( 'postType/post:' . $this->make_post() ),
				'badgeKey' => self::vector()['claims']['key'],
			)
		);
	}

	public function test_a_badge_says_what_wordpress_says_of_the_user(): void {
		$id = $this->make_user( 'editor', array( 'display_name' => 'Zoë "O\'Neil" <b>', 'user_nicename' => 'zoe' ) );
		wp_set_current_user( $id );
		$answer = $this->ask_with_key();
		$claims = $this->claims( $answer );
		$me     = $this->rest( 'GET', '/wp/v2/users/me' )->get_data();

		$this->assertSame( array( 'v', 'site', 'blog', 'user', 'key', 'iat', 'exp' ), array_keys( $claims ) );
		$this->assertSame( 1, $claims['v'] );
		$this->assertSame( WPS::instance()->config()->site_id(), $claims['site'] );
		$this->assertSame( get_current_blog_id(), $claims['blog'] );
		$this->assertSame( array_intersect_key( $me, array_flip( array( 'id', 'name', 'slug', 'avatar_urls' ) ) ), $claims['user'] );
		$this->assertSame( $id, $claims['user']['id'] );
		$this->assertNotEmpty( $claims['user']['avatar_urls'] );
		$this->assertSame( self::vector()['claims']['key'], $claims['key'] );
		$this->assertSame( $answer['exp'] + 60, $claims['exp'] );
		$this->assertSame( $answer['exp'] - 300, $claims['iat'] );
	}

	public function test_where_there_are_no_pictures_there_are_none(): void {
		update_option( 'show_avatars', '0' );
		$this->log_in( 'editor' );
		$this->assertStringContainsString( '"avatar_urls":{}', self::decoded( explode( '.', $this->ask_with_key()['badge'] )[0] ) );
	}

	public function test_who_enters_no_room_gets_none(): void {
		$post = $this->make_post();
		$key  = self::vector()['claims']['key'];
		$this->log_in( 'subscriber' );
		$this->assertArrayNotHasKey( 'badge', $this->ask( array( 'rooms' => array( "postType/post:$post" ), 'badgeKey' => $key ) ) );
		$this->log_in( 'editor' );
		$this->assertArrayNotHasKey( 'badge', $this->ask( array( 'badgeKey' => $key ) ) );
		$this->assertArrayNotHasKey( 'badge', $this->ask( array( 'rooms' => array( "postType/post:$post" ) ) ) );
		$this->assertFalse( get_option( Options::BADGE_KEY ), 'and no key is made for it' );
	}

	public function test_what_is_no_key_is_refused(): void {
		$room = 'postType/post:' . $this->make_post();
		$this->log_in( 'editor' );
		foreach ( array( '', 'x', base64_encode( str_repeat( 'a', 64 ) ), array( 'a' ) ) as $wrong ) {
			$this->assertSame( 400, $this->rest( 'POST', '/wpsignal/v1/token', array( 'rooms' => array( $room ), 'badgeKey' => $wrong ) )->get_status() );
		}
		// As long as one, in another form.
		$this->assertArrayNotHasKey( 'badge', $this->ask( array( 'rooms' => array( $room ), 'badgeKey' => base64_encode( str_repeat( 'a', 65 ) ) ) ) );
	}

	public function test_the_key_of_a_site_stays_and_is_not_loaded_with_every_page(): void {
		$this->log_in( 'editor' );
		$first = $this->ask_with_key();
		wp_cache_flush();
		$this->assertArrayNotHasKey( Options::BADGE_KEY, wp_load_alloptions() );
		$this->log_in( 'editor' );
		$second = $this->ask_with_key();
		$this->assertSame( $first['badgeIssuer'], $second['badgeIssuer'] );
		$this->assertNotSame( $this->claims( $first )['user']['id'], $this->claims( $second )['user']['id'] );
	}

	public function test_of_two_that_make_a_key_at_once_the_first_is_in_force(): void {
		global $wpdb;

		$this->log_in( 'editor' );
		// This process looked, and then another one stored its own.
		$this->assertFalse( get_option( Options::BADGE_KEY ) );
		$wpdb->insert( $wpdb->options, array( 'option_name' => Options::BADGE_KEY, 'option_value' => self::vector()['pem'], 'autoload' => 'off' ) );
		$answer = $this->ask_with_key();
		$this->assertSame( self::vector()['issuer'], $answer['badgeIssuer'] );
		$this->claims( $answer );
		$this->assertSame( self::vector()['pem'], get_option( Options::BADGE_KEY ) );
	}

	public function test_the_vector_is_signed_as_here(): void {
		$vector = self::vector();
		$this->assertSame( $vector['claims'], $this->claims( array( 'badge' => $vector['badge'], 'badgeIssuer' => $vector['issuer'] ) ) );
	}

	public function test_site_health_tells(): void {
		$info = apply_filters( 'debug_information', array() );
		$this->assertSame( 'true', $info['wordsocket']['fields']['badges']['debug'] );
	}
}
