<?php
/**
 * From activation to uninstall.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\Options;

final class Life_Test extends Test_Case {

	public function test_it_is_active_and_its_header_is_what_wordpress_reads(): void {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		$this->assertTrue( is_plugin_active( 'wordsocket/wordsocket.php' ) );
		$header = get_plugin_data( self::plugin_folder() . '/wordsocket.php', false, false );
		$this->assertSame( 'wordsocket', $header['TextDomain'] );
		$this->assertSame( '6.4', $header['RequiresWP'] );
		$this->assertSame( '8.1', $header['RequiresPHP'] );
		$this->assertSame( \WordSocket\VERSION, $header['Version'] );
		$this->assertNotSame( '', $header['UpdateURI'] );
		$this->assertTrue( true === validate_plugin_requirements( 'wordsocket/wordsocket.php' ) );
	}

	public function test_wordpress_org_is_told_that_updates_come_from_elsewhere(): void {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		delete_site_transient( 'update_plugins' );
		$this->relay->answer( 'api.wordpress.org', 200, array( 'plugins' => array(), 'translations' => array(), 'no_update' => array() ) );
		wp_update_plugins();
		$asked = $this->relay->requests( 'api.wordpress.org/plugins/update-check' );
		$this->assertCount( 1, $asked );
		$about = json_decode( $asked[0]['body']['plugins'], true )['plugins']['wordsocket/wordsocket.php'];
		// It leaves alone what names neither itself nor its short name: the
		// directory's plugin of this slug is another party's.
		$this->assertNotSame( '', $about['UpdateURI'] );
		$this->assertDoesNotMatchRegularExpression( '#(^|//)(www\.)?(w|wordpress)\.org(/|$)#', $about['UpdateURI'] );
	}

	public function test_deactivating_and_activating_again_prints_nothing_and_keeps_the_connection(): void {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		$this->log_in();
		deactivate_plugins( 'wordsocket/wordsocket.php' );
		$this->assertFalse( is_plugin_active( 'wordsocket/wordsocket.php' ) );
		$this->assertSame( self::KEYS['site_key'], get_option( Options::CONNECTION )['site_key'] );
	}

	public function test_uninstalling_leaves_nothing_behind(): void {
		global $wpdb;

		$this->log_in();
		$this->make_post();
		foreach ( array_diff( Options::ALL, array( Options::CONNECTION ) ) as $name ) {
			update_option( $name, 'something' );
		}
		foreach ( Options::TRANSIENTS as $name ) {
			set_transient( $name, 'something', 600 );
		}
		define( 'WP_UNINSTALL_PLUGIN', 'wordsocket/wordsocket.php' );
		include self::plugin_folder() . '/uninstall.php';

		$this->assertSame( array(), $wpdb->get_col( "SELECT option_name FROM $wpdb->options WHERE option_name LIKE '%wpsignal%' OR option_name LIKE '%wordsocket\\_%'" ) );
		$this->assertSame( array(), $wpdb->get_col( "SELECT meta_key FROM $wpdb->usermeta WHERE meta_key LIKE '%wpsignal%' OR meta_key LIKE '%wordsocket%'" ) );
		$this->assertSame( array(), $wpdb->get_col( "SELECT meta_key FROM $wpdb->postmeta WHERE meta_key LIKE '%wpsignal%' OR meta_key LIKE '%wordsocket%'" ) );
		$crons = wp_json_encode( _get_cron_array() );
		$this->assertStringNotContainsString( 'wordsocket', $crons );
		$this->assertStringNotContainsString( 'wpsignal', $crons );
		$asked = $this->relay->requests( '/site/disconnect' );
		$this->assertCount( 1, $asked, 'the web server revokes the keys' );
		$this->assertSame( 'POST', $asked[0]['method'] );
	}

	public function test_a_copy_of_the_site_does_not_publish_as_the_original(): void {
		update_option( 'home', 'http://copy.test' );
		wp_insert_post( array( 'post_title' => 'On the copy', 'post_status' => 'publish' ) );
		$this->deliver();
		$this->assertSame( array(), $this->relay->requests() );
		$this->log_in();
		$this->assertSame( 503, $this->rest( 'POST', '/wpsignal/v1/token' )->get_status() );
	}

	/** What a page's head and foot hold, as the plugin sees it. */
	private function page(): string {
		$GLOBALS['wp_scripts'] = null;
		do_action( 'wp_enqueue_scripts' );
		return $this->printed( 'wp_print_head_scripts' ) . $this->printed( 'wp_print_footer_scripts' );
	}

	public function test_pages_of_visitors_carry_nothing_of_the_plugin(): void {
		$page = $this->page();
		$this->assertFalse( str_contains( $page, 'wpsignal' ) );
		$this->assertFalse( str_contains( $page, self::KEYS['site_key'] ) );
	}

	public function test_no_page_holds_a_secret(): void {
		foreach ( array( 'subscriber', 'administrator' ) as $role ) {
			$this->log_in( $role );
			$page = $this->page();
			$this->assertTrue( str_contains( $page, 'wpsignal' ), "pages of a $role have the client" );
			$this->assertFalse( str_contains( $page, self::KEYS['publish_secret'] ) );
			$this->assertFalse( str_contains( $page, self::KEYS['jwt_secret'] ) );
		}
	}
}
