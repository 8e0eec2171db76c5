<?php
/**
 * What happens to events while the relay is away, in a real database.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\Backlog;
use WordSocket\Circuit;
use WordSocket\Notices;
use WordSocket\Options;
use WordSocket\Queue_Notice;
use WordSocket\Queue_Rows;
use WordSocket\Sender;
use WordSocket\Transport;
use WordSocket\WPS;

final class Queue_Test extends Test_Case {

	/** The end of this request, and the beginning of another. */
	private function next_request(): void {
		$this->deliver();
		$this->begin();
	}

	/** Another request, which has lost no time yet. */
	private function begin(): void {
		$outbox    = $this->property( WPS::instance(), 'outbox' );
		$transport = $this->property( $outbox, 'transport' );
		$this->set( $outbox, 'over', false );
		$this->set( $outbox, 'sent', microtime( true ) );
		$this->assertInstanceOf( Transport::class, $transport );
		$transport->renew();
	}

	private function property( object $of, string $name ): object {
		$property = new \ReflectionProperty( $of, $name );
		$property->setAccessible( true );
		return $property->getValue( $of );
	}

	private function set( object $of, string $name, $value ): void {
		$property = new \ReflectionProperty( $of, $name );
		$property->setAccessible( true );
		$property->setValue( $of, $value );
	}

	private function backlog(): Backlog {
		return new Backlog( WPS::instance()->config() );
	}

	/** It is time to ask the relay again. */
	private function wait_is_over(): void {
		$state             = get_option( Options::CIRCUIT );
		$state['retry_at'] = time();
		update_option( Options::CIRCUIT, $state );
	}

	/** The relay neither refuses nor answers. */
	private function go_silent(): void {
		$this->relay->answer( '/', new \WP_Error( 'http_request_failed', 'Connection refused' ) );
	}

	private function come_back(): void {
		$this->relay->answer( '/', 200, array( 'ok' => true ) );
	}

	/** Ids of posts that were told of. */
	private function told(): array {
		return array_column( array_column( $this->published( 'post.updated' ), 'data' ), 'post_id' );
	}

	public function test_a_request_sends_once_however_much_there_is(): void {
		$this->begin();
		// On the command line it sends each second as well, and some PHPs need one for this.
		( function () {
			$this->sent = microtime( true ) + MINUTE_IN_SECONDS;
		} )->call( ( fn() => $this->outbox )->call( WPS::instance() ) );
		$ids = array_map( fn() => wp_insert_post( array( 'post_title' => 'P', 'post_status' => 'publish' ) ), range( 1, 12 ) );
		$this->assertSame( $ids, $this->told() );
		$this->assertCount( 1, $this->relay->requests() );
		$this->assertFalse( get_option( Options::CIRCUIT ), 'and nothing is stored' );
		$this->assertSame( 0, $this->backlog()->count() );
	}

	public function test_what_failed_is_sent_by_a_later_request_once_and_newest(): void {
		$ids = array( $this->make_post(), $this->make_post(), $this->make_post() );
		$this->next_request();
		$this->go_silent();
		foreach ( $ids as $id ) {
			wp_update_post( array( 'ID' => $id, 'post_title' => 'First' ) );
		}
		$this->next_request();
		$this->assertSame( 3, $this->backlog()->count() );
		$asked = count( $this->relay->requests() );
		wp_update_post( array( 'ID' => $ids[1], 'post_title' => 'Second' ) );
		$this->next_request();
		$this->assertCount( $asked, $this->relay->requests(), 'the relay is left alone' );
		$this->assertSame( 3, $this->backlog()->count(), 'of a post one state waits' );

		$this->come_back();
		$this->relay->forget();
		$this->next_request();
		$this->assertSame( array(), $this->relay->requests(), 'until it is time' );
		$this->wait_is_over();
		$sent = $this->published();
		$this->assertSame( array( $ids[0], $ids[2], $ids[1] ), array_column( array_column( $sent, 'data' ), 'post_id' ) );
		$this->assertSame( array( 'First', 'First', 'Second' ), array_column( array_column( $sent, 'data' ), 'post_title' ) );
		$this->begin();
		$this->relay->forget();
		$this->next_request();
		$this->assertSame( array(), $this->relay->requests(), 'and not again' );
		$this->assertSame( 0, $this->backlog()->count() );
		$this->assertTrue( Circuit::is_closed() );
		$this->assertNull( Notices::last() );
	}

	public function test_what_is_older_than_ten_minutes_is_never_sent(): void {
		$id = $this->make_post();
		$this->next_request();
		$backlog = $this->backlog();
		foreach ( array( 'old' => Backlog::OLDEST_S + 1, 'new' => Backlog::OLDEST_S - 5 ) as $name => $age ) {
			$backlog->add(
				array(
					array(
						'name' => $name,
						'us'   => ( time() - $age ) * 1000000,
						'body' => '{}',
					),
				)
			);
		}
		$this->assertSame( array( 'new' ), array_column( $backlog->oldest( 10 ), 'name' ) );
		$this->assertNotSame( 0, $id );
	}

	public function test_what_was_for_another_relay_is_not_sent_to_this_one(): void {
		$this->backlog()->add( array( array( 'name' => 'a', 'us' => (int) ( microtime( true ) * 1e6 ), 'body' => '{}' ) ) );
		Circuit::note_waiting();
		$this->connect( array( 'site_key' => 'another' ) );
		$this->assertSame( 0, $this->backlog()->count() );
	}

	public function test_the_older_of_two_states_never_wins(): void {
		$now = (int) ( microtime( true ) * 1e6 );
		foreach ( array( $now => 'new', $now - 5 => 'old' ) as $us => $body ) {
			$this->backlog()->add( array( array( 'name' => 'a', 'us' => $us, 'body' => $body ) ) );
		}
		$there = $this->backlog()->oldest( 10 );
		$this->assertSame( array( 'new' ), array_column( $there, 'body' ) );
		$this->backlog()->remove( array( array( 'name' => 'a', 'us' => $now - 5, 'body' => 'old' ) ) );
		$this->assertSame( 1, $this->backlog()->count(), 'what came meanwhile stays' );
		$this->backlog()->remove( $there );
		$this->assertSame( 0, $this->backlog()->count() );
	}

	public function test_the_oldest_are_dropped_and_counted(): void {
		$now = (int) ( microtime( true ) * 1e6 );
		$all = array();
		for ( $i = 0; $i < Backlog::MOST_ROWS + 20; $i++ ) {
			$all[] = array( 'name' => "n$i", 'us' => $now + $i, 'body' => '{}' );
		}
		$this->backlog()->add( $all );
		$this->assertSame( Backlog::MOST_ROWS, $this->backlog()->count() );
		$this->assertSame( 'n20', $this->backlog()->oldest( 1 )[0]['name'] );
		$this->assertSame( 20, Queue_Rows::dropped() );
		Queue_Rows::delete_all();
		$big = array_map( static fn( int $i ): array => array( 'name' => "b$i", 'us' => $now + $i, 'body' => str_repeat( 'x', 100000 ) ), range( 1, 15 ) );
		$this->backlog()->add( $big );
		$this->assertLessThanOrEqual( Backlog::MOST_BYTES, Queue_Rows::measure( 'm_' )[1] );
		$this->assertGreaterThan( 5, $this->backlog()->count() );
	}

	public function test_one_process_sends_at_a_time(): void {
		$this->assertTrue( Queue_Rows::lock() );
		$this->assertFalse( Queue_Rows::lock() );
		$id = $this->make_post();
		$this->next_request();
		$this->go_silent();
		wp_update_post( array( 'ID' => $id, 'post_title' => 'T' ) );
		$this->next_request();
		$this->come_back();
		$this->relay->forget();
		$this->wait_is_over();
		$this->next_request();
		$this->assertSame( array(), $this->relay->requests(), 'not while another does' );
		Queue_Rows::unlock();
		$this->assertSame( array( $id ), $this->told() );

		$GLOBALS['wpdb']->insert( $GLOBALS['wpdb']->options, array( 'option_name' => Queue_Rows::PREFIX . 'lock', 'option_value' => (string) ( time() - 61 ) ) );
		$this->assertTrue( Queue_Rows::lock(), 'unless that is dead' );
		$this->assertFalse( Queue_Rows::lock() );
	}

	public function test_a_process_that_was_taken_for_dead_sends_nothing_more_and_ends_nobody_elses_turn(): void {
		global $wpdb;
		$now = time();
		$this->go_silent();
		$this->make_post();
		$this->backlog()->add( array_map( static fn( int $i ): array => array( 'name' => "n$i", 'us' => $now * 1000000 + $i, 'body' => '{}' ), range( 1, 150 ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- one thing.
		$this->wait_is_over();
		$this->begin();
		// It takes a minute for the first request, so another one takes over.
		$this->come_back();
		add_filter(
			'http_request_args',
			static function ( $args, $url ) use ( $wpdb, $now ) {
				if ( str_ends_with( $url, '/publish' ) ) {
					$wpdb->update( $wpdb->options, array( 'option_value' => "$now another" ), array( 'option_name' => Queue_Rows::PREFIX . 'lock' ) );
				}
				return $args;
			},
			10,
			2
		);
		$this->relay->forget();
		$this->deliver();
		$this->assertCount( 1, $this->relay->requests( '/publish' ), 'the rest is the other one\'s' );
		$this->assertSame( "$now another", $wpdb->get_var( "SELECT option_value FROM $wpdb->options WHERE option_name = 'wordsocket_queue_lock'" ) );
	}

	public function test_a_request_without_an_answer_is_sent_again_as_it_was(): void {
		$ids = array( $this->make_post(), $this->make_post() );
		$this->next_request();
		$this->relay->answer( '/publish', 504, '<html>' );
		foreach ( $ids as $id ) {
			wp_update_post( array( 'ID' => $id, 'post_title' => 'T' ) );
		}
		$this->next_request();
		$first = $this->relay->requests( '/publish' );
		$this->come_back();
		$this->relay->answer( '/publish', 200, array( 'ok' => true, 'duplicate' => true ) );
		$this->wait_is_over();
		$this->next_request();
		$all = $this->relay->requests( '/publish' );
		$this->assertCount( count( $first ) + 1, $all );
		$this->assertSame( end( $first )['body'], end( $all )['body'] );
		$this->assertSame( end( $first )['headers'], end( $all )['headers'] );
		$this->assertSame( 0, $this->backlog()->count() );
	}

	public function test_no_cache_hides_what_another_process_knows(): void {
		$this->go_silent();
		wp_insert_post( array( 'post_title' => 'P', 'post_status' => 'publish' ) );
		$this->next_request();
		// Another process closed it; this one's cache says otherwise.
		$GLOBALS['wpdb']->update( $GLOBALS['wpdb']->options, array( 'option_value' => '' ), array( 'option_name' => Options::CIRCUIT ) );
		$this->assertFalse( Circuit::is_closed() );
		$this->assertSame( 0, Circuit::fresh()['retry_at'] );
		Circuit::close();
		$this->assertTrue( Circuit::is_closed(), 'and a write is never taken for done' );
	}

	public function test_cron_finds_what_nobody_knows_of(): void {
		$this->assertNotFalse( has_action( Sender::CRON ) );
		$this->backlog()->add( array( array( 'name' => 'a', 'us' => (int) ( microtime( true ) * 1e6 ), 'body' => '{"channel":"events","event":"x","data":{}}' ) ) );
		$this->next_request();
		$this->assertSame( array(), $this->relay->requests() );
		do_action( Sender::CRON ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals -- the plugin's own.
		$this->next_request();
		$this->assertCount( 1, $this->relay->requests( '/publish' ) );
		$this->assertSame( 0, $this->backlog()->count() );
	}

	public function test_an_administrator_is_told_once_and_others_are_not(): void {
		$this->go_silent();
		wp_insert_post( array( 'post_title' => 'P', 'post_status' => 'publish' ) );
		$this->next_request();
		require_once ABSPATH . 'wp-admin/includes/class-wp-screen.php';
		require_once ABSPATH . 'wp-admin/includes/screen.php';
		require_once ABSPATH . 'wp-admin/includes/template.php';
		$this->log_in();
		foreach ( array( 'dashboard' => 1, 'edit-post' => 1, 'plugins' => 0 ) as $screen => $times ) {
			set_current_screen( $screen );
			$shown = $this->shown();
			$this->assertSame( $times, substr_count( $shown, 'WordSocket could not deliver events' ), $screen );
		}
		set_current_screen( 'dashboard' );
		$this->assertStringContainsString( '1 event waits', $this->shown() );
		$this->assertStringContainsString( 'Check its address', $this->shown() );
		$this->log_in( 'editor' );
		$this->assertSame( '', $this->shown() );
		set_current_screen( 'front' );
	}

	private function shown(): string {
		ob_start();
		( new Queue_Notice( WPS::instance()->config() ) )->render();
		return (string) ob_get_clean();
	}
}
