<?php
/**
 * The built-in event post.updated, as WordPress really saves posts.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\WPS;

final class Post_Updated_Test extends Test_Case {

	public function test_a_published_post_is_told_of_once(): void {
		$id = wp_insert_post(
			array(
				'post_title'   => 'Fish & chips',
				'post_content' => 'Salt &amp; vinegar.',
				'post_status'  => 'publish',
			)
		);
		$sent = $this->published( 'post.updated' );

		$this->assertCount( 1, $sent );
		$this->assertSame( 'events', $sent[0]['channel'] );
		$this->assertSame( $id, $sent[0]['data']['post_id'] );
		$this->assertSame( 'post', $sent[0]['data']['post_type'] );
		$this->assertSame( 'Fish & chips', html_entity_decode( $sent[0]['data']['post_title'] ) );
		$this->assertSame( 'Salt & vinegar.', $sent[0]['data']['excerpt'] );
		$this->assertSame( get_permalink( $id ), $sent[0]['data']['permalink'] );
		$this->assertSame( get_post_modified_time( 'c', true, $id ), $sent[0]['data']['updated'] );
	}

	public function test_an_update_is_told_of_though_it_makes_a_revision(): void {
		$id = $this->make_post();
		wp_update_post(
			array(
				'ID'           => $id,
				'post_content' => 'Other words.',
			)
		);
		$this->assertNotEmpty( wp_get_post_revisions( $id ) );
		$this->assertSame( array( $id ), array_column( array_column( $this->published(), 'data' ), 'post_id' ) );
	}

	public function test_terms_and_meta_are_saved_before_it_is_told(): void {
		$seen = null;
		WPS::trigger( 'probe' )->on( 'wp_after_insert_post', 20, 1 )->data(
			static function ( $id ) use ( &$seen ) {
				$seen = array( wp_get_post_tags( $id, array( 'fields' => 'names' ) ), get_post_meta( $id, 'k', true ) );
				return array();
			}
		)->register();
		$this->make_post(
			array(
				'tags_input' => array( 'live' ),
				'meta_input' => array( 'k' => 'v' ),
			)
		);
		$this->assertSame( array( array( 'live' ), 'v' ), $seen );
	}

	/**
	 * @dataProvider nobodys_business
	 */
	public function test_it_does_not_tell_of( array $post ): void {
		wp_insert_post( $post + array( 'post_title' => 'Secret', 'post_content' => 'Words.' ) );
		$this->assertSame( array(), $this->published() );
	}

	public static function nobodys_business(): array {
		return array(
			'a draft'           => array( array( 'post_status' => 'draft' ) ),
			'a pending post'    => array( array( 'post_status' => 'pending' ) ),
			'a private post'    => array( array( 'post_status' => 'private' ) ),
			'a planned post'    => array( array( 'post_status' => 'future', 'post_date' => '2099-01-01 00:00:00' ) ),
			'a draft begun'     => array( array( 'post_status' => 'auto-draft' ) ),
			'styles of a theme' => array( array( 'post_status' => 'publish', 'post_type' => 'wp_global_styles' ) ),
			'a template'        => array( array( 'post_status' => 'publish', 'post_type' => 'wp_template' ) ),
			'a menu item'       => array( array( 'post_status' => 'publish', 'post_type' => 'nav_menu_item' ) ),
			'a custom CSS'      => array( array( 'post_status' => 'publish', 'post_type' => 'custom_css' ) ),
			'a synced pattern'  => array( array( 'post_status' => 'publish', 'post_type' => 'wp_block' ) ),
			'a changeset'       => array( array( 'post_status' => 'publish', 'post_type' => 'customize_changeset' ) ),
		);
	}

	public function test_opening_the_site_editor_tells_of_nothing(): void {
		$this->log_in();
		\WP_Theme_JSON_Resolver::get_user_global_styles_post_id();
		$this->assertNotEmpty( get_posts( array( 'post_type' => 'wp_global_styles', 'post_status' => 'publish' ) ), 'the post was made' );
		$this->assertSame( array(), $this->published() );
	}

	public function test_an_autosave_tells_of_nothing(): void {
		$author = $this->log_in();
		$id     = $this->make_post( array( 'post_author' => $author ) );
		$other  = $this->log_in();
		require_once ABSPATH . 'wp-admin/includes/post.php';
		$autosave = wp_create_post_autosave(
			array(
				'post_ID'      => $id,
				'post_title'   => 'Typed',
				'content'      => 'Typed so far.',
				'post_content' => 'Typed so far.',
				'post_type'    => 'post',
			)
		);
		$this->assertIsInt( $autosave );
		$this->assertNotSame( $author, $other );
		$this->assertSame( array(), $this->published() );
	}

	public function test_what_a_password_protects_is_not_in_it(): void {
		wp_insert_post(
			array(
				'post_title'    => 'Door',
				'post_content'  => 'The key is under the mat.',
				'post_excerpt'  => 'Mat.',
				'post_password' => 'sesame',
				'post_status'   => 'publish',
			)
		);
		$sent = $this->published();
		$this->assertCount( 1, $sent );
		$this->assertSame( '', $sent[0]['data']['excerpt'] );
		$this->assertStringNotContainsString( 'mat', wp_json_encode( $sent ) );
	}

	public function test_public_types_of_others_are_told_of_and_internal_ones_are_not(): void {
		register_post_type( 'book', array( 'public' => true ) );
		register_post_type( 'ledger', array( 'public' => false ) );
		wp_insert_post( array( 'post_type' => 'book', 'post_title' => 'B', 'post_status' => 'publish' ) );
		wp_insert_post( array( 'post_type' => 'ledger', 'post_title' => 'L', 'post_status' => 'publish' ) );
		$this->assertSame( array( 'book' ), array_column( array_column( $this->published(), 'data' ), 'post_type' ) );
	}

	public function test_a_type_can_be_left_out(): void {
		WPS::instance()->trigger_registry()->exclude_default_post_type( 'page' );
		wp_insert_post( array( 'post_type' => 'page', 'post_title' => 'P', 'post_status' => 'publish' ) );
		wp_insert_post( array( 'post_type' => 'post', 'post_title' => 'Q', 'post_status' => 'publish' ) );
		$this->assertSame( array( 'post' ), array_column( array_column( $this->published( 'post.updated' ), 'data' ), 'post_type' ) );
	}

	public function test_the_exclusion_of_another_test_is_gone(): void {
		$this->assertSame( array(), WPS::instance()->trigger_registry()->get_excluded_default_post_types() );
		$this->assertSame( array(), get_posts( array( 'post_type' => 'any', 'title' => 'Q' ) ) );
	}

	public function test_rest_and_quick_edit_tell_of_a_save_alike(): void {
		$this->log_in( 'editor' );
		$id     = $this->make_post();
		$answer = $this->rest( 'POST', "/wp/v2/posts/$id", array( 'title' => 'By the block editor' ) );
		$this->assertSame( 200, $answer->get_status() );
		$this->assertSame( array( 'By the block editor' ), array_column( array_column( $this->published( 'post.updated' ), 'data' ), 'post_title' ) );
	}

	public function test_nothing_is_sent_while_the_site_is_not_connected(): void {
		delete_option( \WordSocket\Options::CONNECTION );
		wp_insert_post( array( 'post_title' => 'P', 'post_status' => 'publish' ) );
		$this->deliver();
		$this->assertSame( array(), $this->relay->requests() );
	}

	public function test_a_text_without_spaces_is_no_excerpt_of_all_of_it(): void {
		wp_insert_post(
			array(
				'post_title'   => 'T',
				'post_content' => str_repeat( 'ไทย', 100000 ),
				'post_status'  => 'publish',
			)
		);
		$sent = $this->published( 'post.updated' )[0]['data'];
		$this->assertSame( str_repeat( 'ไทย', 333 ) . 'ไ', $sent['excerpt'] );
	}

	public function test_nor_is_a_comment(): void {
		$post = $this->make_post();
		wp_insert_comment(
			array(
				'comment_post_ID'  => $post,
				'comment_author'   => 'Ann',
				'comment_content'  => str_repeat( 'x', 60000 ),
				'comment_approved' => '1',
				'comment_type'     => 'comment',
			)
		);
		$this->assertSame( 1000, strlen( $this->published( 'comment.created' )[0]['data']['excerpt'] ) );
	}

	public function test_a_filter_takes_the_excerpt_away(): void {
		add_filter( 'wordsocket_event_excerpt', fn( $text, $post ) => 'Members' === $post->post_title ? '' : $text, 10, 2 );
		foreach ( array( 'Members', 'All' ) as $title ) {
			wp_insert_post( array( 'post_title' => $title, 'post_content' => 'Some words.', 'post_status' => 'publish' ) );
		}
		$this->deliver();
		$this->assertSame( array( '', 'Some words.' ), array_column( array_column( $this->published( 'post.updated' ), 'data' ), 'excerpt' ) );
	}
}
