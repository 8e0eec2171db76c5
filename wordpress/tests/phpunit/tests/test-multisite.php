<?php
/**
 * A network: every blog is a site of its own.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\Options;
use WordSocket\WPS;

/**
 * @group multisite
 */
final class Multisite_Test extends Test_Case {

	/**
	 * The second blog. Tables are made for all tests: no database takes that back.
	 *
	 * @var int
	 */
	private static int $blog = 0;

	/**
	 * A third one, to be deleted.
	 *
	 * @var int
	 */
	private static int $gone = 0;

	public static function setUpBeforeClass(): void {
		self::$blog = self::$blog ?: wpmu_create_blog( 'example.test', '/second/', 'Second', 1 );
		self::$gone = self::$gone ?: wpmu_create_blog( 'example.test', '/gone/', 'Gone', 1 );
	}

	public function test_keys_of_one_blog_are_not_those_of_another(): void {
		$this->assertIsInt( self::$blog );
		$this->assertSame( self::KEYS['site_key'], WPS::instance()->config()->site_key() );
		switch_to_blog( self::$blog );
		$this->assertSame( '', WPS::instance()->config()->site_key() );
		$this->assertFalse( WPS::instance()->config()->is_configured() );
	}

	public function test_a_post_of_a_blog_that_is_not_connected_is_not_told_to_the_relay_of_another(): void {
		switch_to_blog( self::$blog );
		wp_insert_post( array( 'post_title' => 'Here', 'post_status' => 'publish' ) );
		restore_current_blog();
		$this->assertSame( array(), $this->published() );
	}

	public function test_channels_of_two_blogs_differ(): void {
		$first = WPS::instance()->config()->site_id();
		switch_to_blog( self::$blog );
		$this->connect( array( 'site_key' => 'h0-another' ) );
		$this->assertTrue( WPS::instance()->config()->is_configured() );
		$this->assertNotSame( $first, WPS::instance()->config()->site_id() );
	}

	public function test_what_goes_wrong_while_sending_of_one_blog_does_not_reach_another(): void {
		switch_to_blog( self::$blog );
		$this->connect( array( 'site_key' => 'h0-another' ) );
		wp_insert_post( array( 'post_title' => 'There', 'post_status' => 'publish' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- one thing.
		restore_current_blog();
		wp_insert_post( array( 'post_title' => 'Here', 'post_status' => 'publish' ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- one thing.
		add_filter(
			'http_request_args',
			static function ( $args ) {
				if ( self::$blog === get_current_blog_id() ) {
					throw new \RuntimeException( 'a plugin that breaks requests' );
				}
				return $args;
			}
		);
		$this->deliver();
		$this->assertSame( 1, get_current_blog_id(), 'it is its own site again' );
		$sent = $this->relay->requests( '/publish' );
		$this->assertSame( array( self::KEYS['site_key'] ), array_column( array_column( $sent, 'headers' ), 'X-WordSocket-Key' ), 'and its event is sent, by its own key' );
		switch_to_blog( self::$blog );
		$this->assertSame( 'a plugin that breaks requests', \WordSocket\Notices::last()['message'] ?? '' );
	}

	public function test_what_is_published_at_once_goes_by_the_key_of_the_blog_one_is_on(): void {
		switch_to_blog( self::$blog );
		$this->connect( array( 'site_key' => 'h0-another' ) );
		restore_current_blog();
		$keys = array();
		foreach ( array( 1, self::$blog, 1, self::$blog ) as $blog ) {
			switch_to_blog( $blog );
			$this->assertIsArray( WPS::publish( 'events', 'x' ) );
			restore_current_blog();
			$keys[] = 1 === $blog ? self::KEYS['site_key'] : 'h0-another';
		}
		$this->assertSame( $keys, array_column( array_column( $this->relay->requests( '/publish' ), 'headers' ), 'X-WordSocket-Key' ) );
	}

	public function test_a_blog_that_is_deleted_has_its_keys_revoked_and_no_other(): void {
		switch_to_blog( self::$gone );
		$this->assertFalse( WPS::instance()->config()->is_configured(), 'a new blog is not connected' );
		$this->connect( array( 'site_key' => 'h0-gone' ) );
		restore_current_blog();
		$this->relay->forget();
		$done = wp_delete_site( self::$gone );
		$this->assertSame( '', is_wp_error( $done ) ? $done->get_error_code() . ': ' . $done->get_error_message() : '' );
		$this->assertSame( array( 'h0-gone' ), array_column( array_column( $this->relay->requests( '/site/disconnect' ), 'headers' ), 'X-WordSocket-Key' ) );
		$this->assertSame( 1, get_current_blog_id() );
		$this->assertTrue( WPS::instance()->config()->is_configured(), 'the others go on' );
	}

	public function test_uninstalling_leaves_nothing_on_any_blog(): void {
		switch_to_blog( self::$blog );
		$this->connect( array( 'site_key' => 'h0-another' ) );
		restore_current_blog();
		define( 'WP_UNINSTALL_PLUGIN', 'wordsocket/wordsocket.php' );
		include self::plugin_folder() . '/uninstall.php';
		foreach ( array( 1, self::$blog ) as $blog ) {
			foreach ( Options::ALL as $name ) {
				$this->assertFalse( get_blog_option( $blog, $name ), "$name of blog $blog" );
			}
		}
		$this->assertCount( 2, $this->relay->requests( '/site/disconnect' ) );
	}
}
