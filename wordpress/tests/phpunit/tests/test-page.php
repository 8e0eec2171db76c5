<?php
/**
 * What the plugin puts into pages, and the answers that caches may keep.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\WPS;

final class Page_Test extends Test_Case {

	/** What extensions find in window.wpSignalConfig, on any page. */
	private const CONFIG = array(
		'baseUrl', 'endpoints', 'isSsl', 'wpVersion', 'isConstant', 'isWpRtcAvailable', 'isWpRtcEnabled', 'restUrl',
		'nonce', 'isDebug', 'token', 'channels', 'exp', 'forceSSE', 'encryptionKey',
	);

	/** The scripts at the end of a page. */
	private function footer(): string {
		ob_start();
		do_action( 'wp_enqueue_scripts' );
		ob_clean();
		wp_scripts()->do_items( false, 0 );
		wp_scripts()->do_items( false, 1 );
		return (string) ob_get_clean();
	}

	/** @return array<string, mixed>|null */
	private function config( string $html ): ?array {
		return preg_match( '~<script type="application/json" id="wpsignal-config">(.*?)</script>~s', $html, $is ) ? json_decode( $is[1], true ) : null;
	}

	public function test_an_extension_that_enqueues_first_gets_the_client_and_its_configuration(): void {
		$this->log_in();
		// As whatever sorts before this plugin does, or has an earlier priority.
		wp_enqueue_script( 'earlier', 'https://example.test/earlier.js', array( 'wpsignal' ), '1', true );
		$html = $this->footer();
		$this->assertSame( array( 'wpsignal-config', 'wpsignal-js', 'earlier-js' ), preg_match_all( '/id="([\w-]+)"/', str_replace( "'", '"', $html ), $is ) ? $is[1] : array() );
		$this->assertNotEmpty( $this->config( $html )['token'] );
	}

	public function test_a_page_that_enqueues_twice_has_one_configuration(): void {
		$this->log_in();
		do_action( 'wp_enqueue_scripts' );
		$this->assertSame( 1, substr_count( $this->footer(), 'id="wpsignal-config"' ) );
	}

	public function test_the_page_of_a_visitor_is_the_same_for_all_and_holds_no_secret(): void {
		add_filter( 'wpsignal_allow_client', '__return_true' );
		$config = $this->config( $this->footer() );
		$this->assertSame( array(), array_diff( self::CONFIG, array_keys( $config ) ), 'extensions find every name' );
		$this->assertSame(
			array( '', '', array(), 0, '' ),
			array( $config['nonce'], $config['token'], $config['channels'], $config['exp'], $config['encryptionKey'] )
		);
		$said = wp_json_encode( $config, JSON_UNESCAPED_SLASHES );
		foreach ( array( self::KEYS['jwt_secret'], self::KEYS['publish_secret'], WPS::instance()->token()->encryption_key(), wp_create_nonce( 'wp_rest' ) ) as $secret ) {
			$this->assertStringNotContainsString( $secret, $said );
		}
	}

	public function test_the_page_of_a_user_has_every_name_with_a_value(): void {
		$this->log_in( 'subscriber' );
		$config = $this->config( $this->footer() );
		$this->assertSame( array(), array_diff( self::CONFIG, array_keys( $config ) ) );
		foreach ( array( 'nonce', 'nonceUrl', 'token', 'channels', 'exp', 'encryptionKey' ) as $name ) {
			$this->assertNotEmpty( $config[ $name ], $name );
		}
	}

	public function test_nothing_in_the_page_runs_but_the_script(): void {
		$this->log_in();
		preg_match_all( '~<script\b([^>]*)>~', str_replace( "'", '"', $this->footer() ), $is );
		foreach ( $is[1] as $attributes ) {
			$this->assertTrue( str_contains( $attributes, ' src=' ) || str_contains( $attributes, 'type="application/json"' ), $attributes );
		}
		$this->assertCount( 2, $is[1] );
	}

	public function test_no_value_can_end_the_element_it_stands_in(): void {
		$this->log_in();
		add_filter( 'wpsignal_token_channels', static fn() => array( '</script><script>alert(1)//', '<!--<script>' ) );
		$html = $this->footer();
		$this->assertSame( 2, substr_count( $html, '</script' ) );
		$this->assertStringNotContainsString( '<!--', $html );
		$this->assertSame( array( '</script><script>alert(1)//', '<!--<script>' ), $this->config( $html )['channels'] );
	}

	public function test_what_a_cache_may_hand_out_is_a_visitors_and_never_for_who_shows_a_nonce(): void {
		add_filter( 'wpsignal_allow_client', '__return_true' );
		$headers = $this->rest( 'GET', '/wpsignal/v1/token' )->get_headers();
		$this->assertSame( 'public, max-age=60', $headers['Cache-Control'] );
		$this->assertSame( 'X-WP-Nonce', $headers['Vary'] ?? '', 'who shows a nonce is not answered from it' );
		$this->log_in( 'subscriber' );
		foreach ( array( 'GET', 'POST' ) as $method ) {
			$answer = $this->rest( $method, '/wpsignal/v1/token' );
			$this->assertSame( 'no-store, private', $answer->get_headers()['Cache-Control'], $method );
			$this->assertArrayNotHasKey( 'Vary', $answer->get_headers() );
		}
	}

	public function test_whoever_asks_is_told_the_key_since_it_may_have_changed(): void {
		$this->log_in( 'subscriber' );
		$this->assertSame( WPS::instance()->token()->encryption_key(), $this->rest( 'POST', '/wpsignal/v1/token' )->get_data()['encryptionKey'] ?? null );
	}

	/** @return array<string, array{mixed}> */
	public function hostile(): array {
		return array(
			'null'    => array( null ),
			'text'    => array( 'site:' ),
			'object'  => array( (object) array( 'a' => 'x' ) ),
			'nested'  => array( array( array( 'x' ), array( 'y' => 'z' ) ) ),
			'numbers' => array( array( 1, 2.5, true, null ) ),
			'empty'   => array( array( '', '' ) ),
			'bytes'   => array( array( "\xc3\x28", "\xff" ) ),
		);
	}

	/** @dataProvider hostile */
	public function test_a_filter_that_answers_nonsense_gives_no_rights( $answer ): void {
		$this->log_in( 'subscriber' );
		foreach ( array( 'channels', 'channel_prefixes', 'publish_prefixes' ) as $which ) {
			add_filter( "wpsignal_token_$which", static fn() => $answer );
		}
		$data   = $this->rest( 'POST', '/wpsignal/v1/token' )->get_data();
		$claims = json_decode( base64_decode( strtr( explode( '.', $data['token'] )[1], '-_', '+/' ) ) );
		$this->assertSame( array( array(), array(), array() ), array( $data['channels'], $claims->allowed_channel_prefixes, $claims->allowed_publish_prefixes ) );
	}

	public function test_filters_that_answer_no_boolean_and_no_text_are_read_as_one(): void {
		foreach ( array( 0, '', null, array() ) as $nothing ) {
			add_filter( 'wpsignal_allow_client', static fn() => $nothing, 20 );
			$this->assertSame( 401, $this->rest( 'POST', '/wpsignal/v1/token' )->get_status() );
		}
		remove_all_filters( 'wpsignal_allow_client' );
		$this->log_in( 'subscriber' );
		add_filter( 'wpsignal_force_sse', static fn() => '1' );
		$this->assertTrue( $this->config( $this->footer() )['forceSSE'] );
	}

	public function test_a_seed_that_is_no_text_is_no_seed_that_others_can_guess(): void {
		$own = WPS::instance()->token()->encryption_key();
		$key = static function ( $seed ): string {
			remove_all_filters( 'wpsignal_encryption_seed' );
			add_filter( 'wpsignal_encryption_seed', static fn() => $seed );
			return WPS::instance()->token()->encryption_key();
		};
		$this->assertSame( 32, strlen( base64_decode( $own ) ) );
		$this->assertSame( $own, $key( array( 'x' ) ) );
		$this->assertSame( $own, $key( new \stdClass() ) );
		$this->assertSame( array( '', '' ), array( $key( null ), $key( '' ) ), 'nothing switches it off' );
		$this->assertNotSame( $own, $key( 'another' ) );
	}
}
