<?php
/**
 * Rooms of collaborative editing, as the token route opens them.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\Rooms;

final class Rooms_Test extends Test_Case {

	/**
	 * What the route answers to somebody who asks for rooms.
	 *
	 * @param list<string> $rooms Names.
	 * @return array{0: array<string, array<string, string>>, 1: array<string, string>} Entries, and the rooms of the token.
	 */
	private function ask( array $rooms ): array {
		$answer = $this->rest( 'POST', '/wpsignal/v1/token', array( 'rooms' => $rooms ) );
		$this->assertSame( 200, $answer->get_status() );
		$data   = $answer->get_data();
		$claims = json_decode( base64_decode( strtr( explode( '.', $data['token'] )[1], '-_', '+/' ) ), true );
		$this->assertSame( 3, $claims['v'] );
		return array( (array) $data['rooms'], $claims['rooms'] ?? array() );
	}

	public function test_an_author_may_enter_the_own_post_and_no_other(): void {
		$author = $this->log_in( 'author' );
		$own    = $this->make_post( array( 'post_author' => $author ) );
		$other  = $this->make_post( array( 'post_author' => $this->make_user( 'editor' ) ) );
		$longer = $this->make_post( array( 'import_id' => (int) "{$own}23", 'post_author' => $this->make_user( 'editor' ) ) );
		$this->assertSame( (int) "{$own}23", $longer );

		list( $entries, $claimed ) = $this->ask( array( "postType/post:$own", "postType/post:$other", "postType/post:$longer", "postType/page:$own", "postType/post:0$own", 'nonsense' ) );
		$this->assertSame( array( "postType/post:$own" ), array_keys( $entries ) );
		$this->assertSame( array( "yjs:postType/post:$own" => 'rw' ), $claimed );
		$this->assertStringEndsWith( ":yjs:postType/post:$own", $entries[ "postType/post:$own" ]['channel'] );
	}

	public function test_each_room_has_a_key_of_its_own_unless_frames_are_plain(): void {
		$this->log_in( 'editor' );
		$rooms           = array( 'postType/post:' . $this->make_post(), 'postType/post:' . $this->make_post() );
		list( $entries ) = $this->ask( $rooms );
		$this->assertCount( 2, array_unique( array_column( $entries, 'key' ) ) );
		$this->assertSame( 32, strlen( base64_decode( $entries[ $rooms[0] ]['key'] ) ) );
		$this->assertSame( $entries, $this->ask( $rooms )[0], 'and it stays' );

		add_filter( 'wordsocket_collaboration_sealed', '__return_false' );
		$this->assertSame( array( 'channel' ), array_keys( $this->ask( $rooms )[0][ $rooms[0] ] ) );
	}

	public function test_a_list_has_the_channel_of_the_ecosystem(): void {
		$this->log_in( 'editor' );
		$this->assertSame( array( 'yjs:root/comment:collection' => 'rw' ), $this->ask( array( 'root/comment' ) )[1] );
	}

	public function test_a_channel_is_that_of_one_room(): void {
		$this->log_in( 'editor' );
		list( $entries, $claimed ) = $this->ask( array( 'postType/post', 'postType/post:collection', 'root/comment:collection', 'taxonomy/category:collection' ) );
		$this->assertSame( array( 'postType/post' ), array_keys( $entries ) );
		$this->assertSame( array( 'yjs:postType/post:collection' => 'rw' ), $claimed );
	}

	public function test_a_revision_is_no_room_of_its_post(): void {
		$author   = $this->log_in( 'author' );
		$post     = $this->make_post( array( 'post_author' => $author ) );
		$revision = wp_save_post_revision( $post );
		$revision = $revision ? $revision : _wp_put_post_revision( $post );
		$this->assertFalse( Rooms::may_enter( $author, "postType/revision:$revision" ) );
	}

	public function test_a_subscriber_enters_none(): void {
		$post = $this->make_post();
		$this->log_in( 'subscriber' );
		$this->assertSame( array( array(), array() ), $this->ask( array( "postType/post:$post", 'root/comment', 'taxonomy/category' ) ) );
	}

	public function test_who_loses_the_right_is_out_at_the_next_request(): void {
		$id   = $this->log_in( 'editor' );
		$room = 'postType/post:' . $this->make_post();
		$this->assertCount( 1, $this->ask( array( $room ) )[0] );
		get_userdata( $id )->set_role( 'subscriber' );
		wp_set_current_user( 0 );
		wp_set_current_user( $id );
		$this->assertSame( array( array(), array() ), $this->ask( array( $room ) ) );
	}

	public function test_more_rooms_than_a_token_holds_are_refused(): void {
		$this->log_in( 'editor' );
		$rooms = array_map( static fn( int $n ): string => "postType/post:$n", range( 1, Rooms::MAX + 1 ) );
		$this->assertSame( 400, $this->rest( 'POST', '/wpsignal/v1/token', array( 'rooms' => $rooms ) )->get_status() );
	}
}
