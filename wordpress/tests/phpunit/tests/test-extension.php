<?php
/**
 * An extension that was written from the documented API alone: t/extension,
 * installed under a name that sorts before wordsocket, or after it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WPSignal\WPS;

/**
 * @group extension
 */
final class Extension_Test extends Test_Case {

	/** Its folder here. */
	private static function folder(): string {
		return getenv( 'WSK_EXTENSION' );
	}

	/** @return array<string, mixed> The claims of the current user's token. */
	private function claims(): array {
		$token = $this->rest( 'POST', '/wpsignal/v1/token' )->get_data()['token'];
		return json_decode( base64_decode( strtr( explode( '.', $token )[1], '-_', '+/' ) ), true );
	}

	private function comment( array $with = array() ): int {
		return wp_insert_comment(
			wp_slash(
				$with + array(
					'comment_post_ID'  => $this->make_post(),
					'comment_author'   => 'Ann',
					'comment_content'  => 'Hello <b>there</b>',
					'comment_approved' => 1,
				)
			)
		);
	}

	public function test_it_is_active_beside_the_plugin_and_sorts_where_it_should(): void {
		require_once ABSPATH . 'wp-admin/includes/plugin.php';
		$folder = self::folder();
		$this->assertTrue( is_plugin_active( "$folder/shoutbox.php" ) );
		$order = array_map( 'dirname', get_option( 'active_plugins' ) );
		$want  = array( $folder, 'wordsocket' );
		sort( $want );
		$this->assertSame( $want, $order );
	}

	public function test_it_was_told_that_the_api_is_there(): void {
		$this->assertSame( 1, did_action( 'wpsignal_loaded' ) );
		$this->assertTrue( \Shoutbox\is_supported() );
		$this->assertArrayHasKey( 'shout', WPS::instance()->channels()->reservations() );
		$this->assertContains( 'shout.new', array_map( static fn( $trigger ) => $trigger->get_event(), WPS::instance()->trigger_registry()->all() ) );
	}

	public function test_its_trigger_sends_what_it_says_where_it_says(): void {
		$id   = $this->comment();
		$sent = $this->published( 'shout.new' );
		$this->assertCount( 1, $sent );
		$this->assertSame( 'shout:feed', $sent[0]['channel'] );
		$this->assertSame( array( $id, 'Ann', 'Hello there' ), array( $sent[0]['data']['comment_id'], $sent[0]['data']['author'], $sent[0]['data']['text'] ) );
	}

	public function test_its_condition_keeps_what_waits_for_moderation(): void {
		$this->comment( array( 'comment_approved' => 0 ) );
		$this->comment( array( 'comment_approved' => 'spam' ) );
		$this->assertSame( array(), $this->published( 'shout.new' ) );
	}

	public function test_its_namespace_is_closed_to_visitors(): void {
		add_filter( 'wpsignal_allow_client', '__return_true' );
		$claims = $this->claims();
		foreach ( array( 'allowed_channel_prefixes', 'allowed_publish_prefixes' ) as $list ) {
			foreach ( $claims[ $list ] as $prefix ) {
				$this->assertFalse( str_starts_with( "site:{$claims['site_id']}:shout:feed", $prefix ), "$prefix of $list" );
			}
		}
	}

	public function test_a_member_reads_and_shows_presence_and_no_more(): void {
		$this->log_in( 'subscriber' );
		$claims = $this->claims();
		$site   = "site:{$claims['site_id']}:";
		$this->assertContains( "{$site}shout:", $claims['allowed_channel_prefixes'] );
		$this->assertSame( array( "{$site}shout:feed" ), $claims['allowed_publish_prefixes'] );
		$this->assertNotContains( $site, $claims['allowed_channel_prefixes'], 'a reservation makes rights strict' );
		$this->assertContains( "{$site}events", $claims['allowed_channel_prefixes'], 'events stay open' );
		$channels = $this->rest( 'POST', '/wpsignal/v1/token' )->get_data()['channels'];
		$this->assertSame( array( "{$site}events", "{$site}shout:feed" ), $channels );
	}

	public function test_a_moderator_may_publish_by_the_grant(): void {
		$this->log_in( 'editor' );
		$claims = $this->claims();
		$this->assertContains( "site:{$claims['site_id']}:shout:", $claims['allowed_publish_prefixes'] );
	}

	public function test_its_publish_is_answered_at_once(): void {
		$answer = WPS::publish( 'shout:staff', 'shout.note', array( 'a' => 1 ) );
		$this->assertIsArray( $answer );
		$this->assertSame( 200, wp_remote_retrieve_response_code( $answer ) );
		$this->relay->answer( '/publish', 403, array( 'error' => 'forbidden', 'message' => 'No.' ) );
		$this->assertInstanceOf( \WP_Error::class, WPS::publish( 'shout:staff', 'shout.note' ) );
	}

	public function test_it_is_listed_among_the_extensions(): void {
		$this->log_in();
		$answer = $this->rest( 'GET', '/wpsignal/v1/extensions' );
		$this->assertSame( 200, $answer->get_status() );
		$found = array_values( array_filter( $answer->get_data()['extensions'], static fn( $one ) => 'shoutbox' === $one['slug'] ) );
		$this->assertCount( 1, $found );
		$this->assertSame( array( '1.0.0', array() ), array( $found[0]['version'], $found[0]['missing'] ) );
		$this->assertContains( self::folder() . '/shoutbox.php', WPS::instance()->extensions()->plugin_files() );
	}

	public function test_its_script_comes_with_the_client_and_after_it(): void {
		$this->log_in( 'subscriber' );
		do_action( 'wp_enqueue_scripts' );
		$page = $this->printed( 'wp_print_head_scripts' ) . $this->printed( 'wp_print_footer_scripts' );
		$this->assertTrue( strpos( $page, 'js/page.js' ) > strpos( $page, 'assets/wpsignal.js' ) );
	}

	public function test_a_visitors_page_has_neither(): void {
		do_action( 'wp_enqueue_scripts' );
		$this->assertFalse( wp_script_is( 'shoutbox', 'enqueued' ) );
	}
}
