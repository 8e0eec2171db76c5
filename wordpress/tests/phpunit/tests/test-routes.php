<?php
/**
 * The routes, as WordPress's own REST server answers them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\WPS;

final class Routes_Test extends Test_Case {

	/** Routes that anybody may ask, and why. */
	private const OPEN = array(
		'/wpsignal/v1',       // WordPress makes it: the list of routes.
		'/wpsignal/v1/token', // The filter wpsignal_allow_client says who.
	);

	/** @return list<string> */
	private function routes(): array {
		return array_values( array_filter( array_keys( rest_get_server()->get_routes() ), static fn( $route ) => str_starts_with( $route, '/wpsignal/v1' ) ) );
	}

	public function test_every_route_but_the_token_is_for_administrators(): void {
		$closed = array_values( array_diff( $this->routes(), self::OPEN ) );
		$this->assertNotEmpty( $closed );
		foreach ( array( null, 'subscriber', 'editor' ) as $role ) {
			null === $role ? wp_set_current_user( 0 ) : $this->log_in( $role );
			foreach ( $closed as $route ) {
				foreach ( rest_get_server()->get_routes()[ $route ] as $endpoint ) {
					foreach ( array_keys( $endpoint['methods'] ) as $method ) {
						$this->assertIsCallable( $endpoint['permission_callback'] ?? null, $route );
						$request = new \WP_REST_Request( $method, $route );
						$said    = call_user_func( $endpoint['permission_callback'], $request );
						$this->assertTrue( false === $said || is_wp_error( $said ), "$method $route is closed to " . ( $role ?? 'visitors' ) );
					}
				}
			}
		}
		$this->assertSame( array(), $this->relay->requests(), 'nobody asked the relay for that' );
	}

	public function test_every_argument_of_a_route_has_a_type(): void {
		$count = 0;
		foreach ( $this->routes() as $route ) {
			foreach ( rest_get_server()->get_routes()[ $route ] as $endpoint ) {
				foreach ( $endpoint['args'] as $name => $arg ) {
					if ( in_array( $name, array( 'namespace', 'context' ), true ) ) {
						continue; // WordPress's own.
					}
					$this->assertArrayHasKey( 'type', $arg, "$name of $route" );
					++$count;
				}
			}
		}
		$this->assertGreaterThanOrEqual( 0, $count );
	}

	public function test_a_user_gets_a_token_that_says_who_it_is(): void {
		$id     = $this->log_in( 'subscriber' );
		$answer = $this->rest( 'POST', '/wpsignal/v1/token' );
		$this->assertSame( 200, $answer->get_status() );
		$this->assertTrue( true === rest_validate_value_from_schema( $answer->get_data(), \WordSocket\Token::schema() ) );

		list( $head, $body, $sign ) = explode( '.', $answer->get_data()['token'] );
		$this->assertSame( rtrim( strtr( base64_encode( hash_hmac( 'sha256', "$head.$body", self::KEYS['jwt_secret'], true ) ), '+/', '-_' ), '=' ), $sign );
		$claims = json_decode( base64_decode( strtr( $body, '-_', '+/' ) ), true );
		$this->assertSame( (string) $id, $claims['user_id'] );
		$this->assertSame( 3, $claims['v'] );
		$this->assertSame( 300, $claims['exp'] - $claims['iat'] );
		$this->assertSame( hash( 'sha256', 'site:' . self::KEYS['site_key'] ), $claims['site_id'] );
		$this->assertStringContainsString( 'no-store', $answer->get_headers()['Cache-Control'] );
	}

	public function test_a_visitor_gets_none_until_a_filter_lets_visitors_in(): void {
		$this->assertSame( 401, $this->rest( 'GET', '/wpsignal/v1/token' )->get_status() );
		add_filter( 'wpsignal_allow_client', '__return_true' );
		$answer = $this->rest( 'GET', '/wpsignal/v1/token' );
		$this->assertSame( 200, $answer->get_status() );
		$claims = json_decode( base64_decode( strtr( explode( '.', $answer->get_data()['token'] )[1], '-_', '+/' ) ), true );
		$this->assertSame( '0', $claims['user_id'] );
	}

	public function test_the_filters_of_the_token_are_asked_and_their_answers_kept_in_shape(): void {
		$id   = $this->log_in( 'subscriber' );
		$site = WPS::instance()->config()->site_id();
		$seen = array();
		foreach ( array( 'channels', 'channel_prefixes', 'publish_prefixes' ) as $which ) {
			add_filter(
				"wpsignal_token_$which",
				static function ( $list, $user, $of ) use ( $which, &$seen ) {
					$seen[ $which ] = array( $user, $of );
					return array( 3 => "site:$of:$which:", 7 => '', 9 => 12 );
				},
				10,
				3
			);
		}
		$data   = $this->rest( 'GET', '/wpsignal/v1/token' )->get_data();
		$claims = json_decode( base64_decode( strtr( explode( '.', $data['token'] )[1], '-_', '+/' ) ), true );
		$this->assertSame( array_fill_keys( array( 'channels', 'channel_prefixes', 'publish_prefixes' ), array( $id, $site ) ), $seen );
		$this->assertSame( array( "site:$site:channels:" ), $data['channels'] );
		$this->assertSame( array( "site:$site:channel_prefixes:" ), $claims['allowed_channel_prefixes'] );
		$this->assertSame( array( "site:$site:publish_prefixes:" ), $claims['allowed_publish_prefixes'] );
	}

	public function test_no_route_without_a_connection_hands_out_a_token(): void {
		delete_option( \WordSocket\Options::CONNECTION );
		$this->log_in();
		$this->assertSame( 503, $this->rest( 'POST', '/wpsignal/v1/token' )->get_status() );
	}
}
