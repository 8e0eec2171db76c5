<?php
/**
 * Editing together: when it is on, what the editor is given, and what is kept.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\Client;
use WordSocket\Collaboration;
use WordSocket\Crdt_Document;
use WordSocket\Debug_Info;
use WordSocket\Doctor;
use WordSocket\Options;
use WordSocket\WPS;

final class Collaboration_Test extends Test_Case {

	private const PROVIDER = 'wpsignal-yjs';
	private const WAKE     = 'wordsocket-collaboration-wake';
	private const PACE     = 'wordsocket-collaboration-pace';
	private const DOC      = '{"document":"AAEC\/wM\\\\=","updateId":7}';

	/**
	 * What is tested: one of its own, so that a test decides when it hooks in.
	 *
	 * @var Collaboration
	 */
	private Collaboration $collaboration;

	/**
	 * The version that this WordPress is.
	 *
	 * @var string
	 */
	private string $version;

	/**
	 * The second blog of a network.
	 *
	 * @var int
	 */
	private static int $blog = 0;

	public static function setUpBeforeClass(): void {
		if ( is_multisite() ) {
			self::$blog = self::$blog ?: wpmu_create_blog( 'example.test', '/together/', 'Together', 1 );
		}
	}

	protected function setUp(): void {
		parent::setUp();
		$config              = WPS::instance()->config();
		$this->collaboration = new Collaboration( $config, new Client( $config, WPS::instance()->token() ) );
		// Whichever it is: what PHP sees of 7.1 is its number.
		$this->version         = $GLOBALS['wp_version'];
		$GLOBALS['wp_version'] = '7.1.1';
		update_option( Options::YJS_PROVIDER, '1' );
	}

	protected function tearDown(): void {
		$GLOBALS['wp_version'] = $this->version;
		parent::tearDown();
	}

	/** Has it keep documents, in a REST API that begins anew, as at init. */
	private function keep(): void {
		$this->collaboration->keep_documents();
		$GLOBALS['wp_rest_server'] = null;
		foreach ( get_post_types( array(), 'objects' ) as $type ) {
			// It knows the meta of the time it was made.
			$type->rest_controller = null;
		}
	}

	/**
	 * Saves a document.
	 *
	 * @param string $room Its room.
	 * @param string $doc  It.
	 */
	private function save( string $room, string $doc = self::DOC ): int {
		return $this->rest( 'POST', '/wp-sync/v1/save', compact( 'room', 'doc' ) )->get_status();
	}

	/**
	 * What the editor of a screen prints of ours and of its data layer.
	 *
	 * @param string $screen Its name.
	 */
	private function editor( string $screen = 'post' ): string {
		require_once ABSPATH . 'wp-admin/includes/class-wp-screen.php';
		require_once ABSPATH . 'wp-admin/includes/screen.php';
		set_current_screen( $screen );
		$this->collaboration->enqueue();
		return str_replace( "'", '"', $this->printed( fn() => wp_scripts()->do_items( array_merge( array( 'wp-core-data' ), wp_scripts()->queue ) ) ) );
	}

	/**
	 * What is in one of the elements with data.
	 *
	 * @param string $html Printed.
	 * @param string $id   Of the element.
	 * @return array<string, mixed>
	 */
	private function data( string $html, string $id ): array {
		$this->assertSame( 1, preg_match( '~<script type="application/json" id="' . $id . '">(.*?)</script>~s', $html, $is ), "$id is there once" );
		return json_decode( $is[1], true );
	}

	public function test_what_a_wordpress_without_the_experiment_has_is_told_by_its_version(): void {
		$found = array();
		foreach ( array( '6.4', '6.9.4', '7.0-RC2', '7.0', '7.0.4', '7.1-beta1', '7.1', '7.1.1', '7.2-alpha-1' ) as $version ) {
			$GLOBALS['wp_version'] = $version;
			$found[ $version ]     = Collaboration::support();
		}
		$this->assertSame(
			array(
				'6.4'         => 'none',
				'6.9.4'       => 'none',
				'7.0-RC2'     => 'none',
				'7.0'         => 'polling',
				'7.0.4'       => 'polling',
				'7.1-beta1'   => 'core',
				'7.1'         => 'core',
				'7.1.1'       => 'core',
				'7.2-alpha-1' => 'core',
			),
			$found
		);
	}

	public function test_it_is_on_where_nothing_is_missing_and_nowhere_else(): void {
		$seed = WPS::instance()->config()->encryption_seed();
		$this->assertNotSame( '', $seed );
		add_filter(
			'wpsignal_encryption_seed',
			static function () use ( &$seed ): string {
				return $seed;
			}
		);
		$on    = array();
		$tries = 0;
		foreach ( array( '6.9.4', '7.0.4', '7.1.1' ) as $GLOBALS['wp_version'] ) {
			foreach ( array( null, '0', '1' ) as $wanted ) {
				null === $wanted ? delete_option( Options::YJS_PROVIDER ) : update_option( Options::YJS_PROVIDER, $wanted );
				foreach ( array( 'connected', 'alone' ) as $where ) {
					'alone' === $where ? delete_option( Options::CONNECTION ) : $this->connect();
					foreach ( array( 'sealed', 'plain' ) as $frames ) {
						'sealed' === $frames ? delete_option( Options::COLLABORATION_PLAIN ) : update_option( Options::COLLABORATION_PLAIN, '1' );
						foreach ( array( 'a seed', '' ) as $seed ) {
							++$tries;
							if ( $this->collaboration->is_on() ) {
								$on[] = implode( ' ', array( $GLOBALS['wp_version'], $wanted ?? 'unsaid', $where, $frames, '' === $seed ? 'no seed' : $seed ) );
							}
						}
					}
				}
			}
		}
		$this->assertSame( 72, $tries );
		$right = array( ' 1 connected sealed a seed', ' 1 connected plain a seed', ' 1 connected plain no seed' );
		$this->assertSame( array_merge( substr_replace( $right, '7.0.4', 0, 0 ), substr_replace( $right, '7.1.1', 0, 0 ) ), $on );
	}

	public function test_who_looks_after_the_site_is_told_how_it_is(): void {
		$config = WPS::instance()->config();
		$doctor = new Doctor( $config, WPS::instance()->publisher(), WPS::instance()->token() );
		$said   = function () use ( $config, $doctor ): array {
			$check = new \ReflectionMethod( $doctor, 'collaboration' );
			$check->setAccessible( true );
			$found = $check->invoke( $doctor );
			$debug = ( new Debug_Info( $config ) )->add( array() )['wordsocket']['fields']['together'];
			$this->assertStringContainsString( $debug['debug'], $found['message'] );
			return array( $debug['debug'], $found['status'] );
		};
		$this->assertSame( array( 'on (core), encrypted', 'good' ), $said() );
		update_option( Options::COLLABORATION_PLAIN, '1' );
		$this->assertSame( array( 'on (core), plain', 'good' ), $said() );
		delete_option( Options::COLLABORATION_PLAIN );
		add_filter( 'wpsignal_encryption_seed', '__return_empty_string' );
		$this->assertSame( array( 'off (core): no-key', 'recommended' ), $said() );
		delete_option( Options::CONNECTION );
		$this->assertSame( array( 'off (core): not-connected', 'recommended' ), $said() );
		update_option( Options::YJS_PROVIDER, '0' );
		$this->assertSame( array( 'off (core): switched-off', 'good' ), $said() );
		$GLOBALS['wp_version'] = '6.9.4';
		$this->assertSame( array( 'off (none): none', 'good' ), $said(), 'nothing is wrong with a site that does not want it' );
		update_option( Options::YJS_PROVIDER, '1' );
		$this->assertSame( array( 'off (none): none', 'recommended' ), $said() );
	}

	public function test_the_editor_of_posts_gets_the_provider_and_is_woken_before_its_data_layer(): void {
		$this->log_in( 'author' );
		$html = $this->editor();
		preg_match_all( '~<script\b[^>]*\bid="([\w-]+)-js"~', $html, $is );
		$at = array_flip( $is[1] );
		$this->assertArrayHasKey( self::PROVIDER, $at );
		$this->assertLessThan( $at['wp-core-data'], $at[ self::WAKE ] );
		$this->assertContains( self::WAKE, wp_scripts()->registered['wp-core-data']->deps );
		foreach ( array( self::PROVIDER, self::WAKE ) as $handle ) {
			foreach ( array( 'before', 'after', 'data' ) as $inline ) {
				$this->assertFalse( wp_scripts()->get_data( $handle, $inline ), "$handle runs nothing in the page" );
			}
		}
	}

	public function test_what_it_is_told_holds_no_secret(): void {
		$this->log_in( 'author' );
		$html = $this->editor();
		$data = $this->data( $html, 'wordsocket-collaboration' );
		$this->assertSame( array( 'relay', 'route', 'isDebug' ), array_keys( $data ) );
		$this->assertEqualsCanonicalizing( array( 'baseUrl', 'endpoints', 'forceSSE', 'isDebug', 'user' ), array_keys( $data['relay'] ) );
		$said = wp_json_encode( array( $data, $this->data( $html, self::WAKE ) ), JSON_UNESCAPED_SLASHES );
		foreach ( array( self::KEYS['jwt_secret'], self::KEYS['publish_secret'], WPS::instance()->config()->encryption_seed(), WPS::instance()->token()->encryption_key(), wp_create_nonce( 'wp_rest' ) ) as $secret ) {
			$this->assertStringNotContainsString( $secret, $said );
		}
		$this->assertDoesNotMatchRegularExpression( '/eyJ[\w-]+\.[\w-]+\.[\w-]+/', $said, 'nor a token' );
	}

	public function test_types_whose_answers_have_no_meta_stay_out(): void {
		register_post_type( 'with_meta', array( 'show_in_rest' => true, 'supports' => array( 'title', 'editor', 'custom-fields' ) ) );
		register_post_type( 'without_meta', array( 'show_in_rest' => true, 'supports' => array( 'title', 'editor' ) ) );
		$this->log_in( 'author' );
		$out = $this->data( $this->editor(), self::WAKE )['withoutTypes'];
		$this->assertContains( 'without_meta', $out );
		$this->assertSame( array(), array_intersect( array( 'with_meta', 'post', 'page' ), $out ) );
	}

	public function test_the_polling_of_7_0_gets_its_pace_and_is_answered_in_the_page(): void {
		$GLOBALS['wp_version'] = '7.0.4';
		$this->log_in( 'author' );
		$html = $this->editor();
		preg_match_all( '~<script\b[^>]*\bid="([\w-]+)-js"~', $html, $is );
		$at = array_flip( $is[1] );
		$this->assertArrayHasKey( self::PROVIDER, $at );
		$this->assertLessThan( $at['wp-core-data'], $at[ self::WAKE ] );
		$this->assertLessThan( $at['wp-core-data'], $at[ self::PACE ] );
		$this->assertLessThan( $at[ self::PACE ], $at['wp-hooks'] );
		$data = $this->data( $html, 'wordsocket-collaboration' );
		$this->assertSame( array( 'relay', 'route', 'isDebug', 'polling' ), array_keys( $data ) );
		$this->assertSame( $this->data( $html, self::WAKE ), $data['polling'] );
	}

	public function test_7_0_would_share_types_without_documents_and_is_not_woken_for_them(): void {
		$GLOBALS['wp_version'] = '7.0.4';
		register_post_type( 'without_meta', array( 'show_in_rest' => true, 'supports' => array( 'title', 'editor' ) ) );
		$this->log_in( 'author' );
		$html = $this->editor( 'without_meta' );
		$this->assertStringContainsString( 'id="wp-core-data-js"', $html );
		foreach ( array( self::PROVIDER, self::WAKE, self::PACE ) as $handle ) {
			$this->assertStringNotContainsString( $handle, $html );
		}
	}

	/** @return array<string, array{0: callable, 1: string, 2: string}> */
	public static function places_without_it(): array {
		$nothing = static fn() => null;
		return array(
			'the site editor'              => array( $nothing, 'site-editor', 'editor' ),
			'the editor of widgets'        => array( $nothing, 'widgets', 'editor' ),
			'a subscriber who is kept out' => array( static fn() => add_filter( 'wpsignal_allow_client', '__return_false' ), 'post', 'subscriber' ),
			'a site that does not want it' => array( static fn() => update_option( Options::YJS_PROVIDER, '0' ), 'post', 'editor' ),
			'a site that is not connected' => array( static fn() => delete_option( Options::CONNECTION ), 'post', 'editor' ),
		);
	}

	/** @dataProvider places_without_it */
	public function test_elsewhere_the_editor_is_as_it_was( callable $prepare, string $screen, string $role ): void {
		$prepare();
		$this->log_in( $role );
		$html = $this->editor( $screen );
		$this->assertStringContainsString( 'id="wp-core-data-js"', $html );
		$this->assertStringNotContainsString( self::PROVIDER, $html );
		$this->assertStringNotContainsString( self::WAKE, $html );
		$this->assertNotContains( self::WAKE, wp_scripts()->registered['wp-core-data']->deps );
	}

	public function test_documents_are_kept_only_while_it_is_on(): void {
		update_option( Options::YJS_PROVIDER, '0' );
		$this->keep();
		$this->log_in( 'editor' );
		$this->assertFalse( registered_meta_key_exists( 'post', Crdt_Document::META ) );
		$this->assertSame( 404, $this->save( 'postType/post:' . $this->make_post() ) );

		update_option( Options::YJS_PROVIDER, '1' );
		$this->keep();
		$this->assertTrue( registered_meta_key_exists( 'post', Crdt_Document::META ) );
		$this->assertSame( 200, $this->save( 'postType/post:' . $this->make_post() ) );
	}

	public function test_the_document_is_for_those_who_edit_the_post(): void {
		$this->keep();
		$author = $this->log_in( 'author' );
		$post   = $this->make_post( array( 'post_author' => $author ) );
		$ask    = fn( string $context ) => (array) ( $this->rest( 'GET', "/wp/v2/posts/$post", compact( 'context' ) )->get_data()['meta'] ?? array() );
		$write  = fn( string $doc ) => $this->rest( 'POST', "/wp/v2/posts/$post", array( 'meta' => array( Crdt_Document::META => $doc ) ) )->get_status();
		$this->assertSame( 200, $write( self::DOC ) );
		$this->assertSame( self::DOC, get_post_meta( $post, Crdt_Document::META, true ) );
		$this->assertSame( self::DOC, $ask( 'edit' )[ Crdt_Document::META ] );
		$this->assertArrayNotHasKey( Crdt_Document::META, $ask( 'view' ) );
		$this->assertSame( 400, $write( str_repeat( 'x', 16 * MB_IN_BYTES + 1 ) ), 'as large as the route takes' );
		$this->log_in( 'author' );
		$this->assertSame( array( array(), 403 ), array( $ask( 'edit' ), $write( '{}' ) ), 'of another author neither read nor written' );
		foreach ( array( 'another author', 'nobody' ) as $who ) {
			$this->assertArrayNotHasKey( Crdt_Document::META, $ask( 'view' ), $who );
			wp_set_current_user( 0 );
		}
		$this->assertSame( self::DOC, get_post_meta( $post, Crdt_Document::META, true ) );
	}

	public function test_the_route_keeps_a_document_as_it_was_sent(): void {
		$this->keep();
		$author = $this->log_in( 'author' );
		$post   = $this->make_post( array( 'post_author' => $author ) );
		$this->assertSame( 200, $this->save( "postType/post:$post" ) );
		$this->assertSame( self::DOC, get_post_meta( $post, Crdt_Document::META, true ) );
		$this->assertSame( 200, $this->save( "postType/post:$post" ), 'also when it is the same again' );
		$this->assertSame( array( self::DOC ), get_post_meta( $post, Crdt_Document::META ), 'once' );
	}

	public function test_the_route_is_closed_to_whoever_may_not_edit_the_post(): void {
		$this->keep();
		$author = $this->make_user( 'author' );
		$post   = $this->make_post( array( 'post_author' => $author ) );
		$this->assertSame( 401, $this->save( "postType/post:$post" ), 'nobody' );
		foreach ( array( 'subscriber', 'contributor', 'author' ) as $role ) {
			$this->log_in( $role );
			$this->assertSame( 403, $this->save( "postType/post:$post" ), "another $role" );
		}
		wp_set_current_user( $author );
		foreach ( array( "postType/page:$post", 'postType/post:' . ( $post + 1000 ), 'postType/post', 'postType/post:collection', 'root/comment', 'taxonomy/category:1', "postType/post:0$post", "postType/post:$post ", '' ) as $room ) {
			$this->assertSame( 403, $this->save( $room ), "$room is no post of the author's" );
		}
		$this->assertSame( '', get_post_meta( $post, Crdt_Document::META, true ) );
	}

	public function test_what_is_no_document_or_too_large_is_refused(): void {
		$this->keep();
		$author = $this->log_in( 'author' );
		$post   = $this->make_post( array( 'post_author' => $author ) );
		foreach ( array( '', 'nonsense', '{"document":', '"text"', '7', 'null', str_repeat( '[', 9 ) . str_repeat( ']', 9 ) ) as $doc ) {
			$this->assertSame( 400, $this->save( "postType/post:$post", $doc ), $doc );
		}
		$this->assertSame( 400, $this->save( "postType/post:$post", '"' . str_repeat( 'a', 16 * MB_IN_BYTES ) . '"' ), 'more than 16 MiB' );
		$this->assertSame( '', get_post_meta( $post, Crdt_Document::META, true ) );
	}

	public function test_a_document_that_the_database_does_not_take_is_not_said_to_be_kept(): void {
		$this->keep();
		$author = $this->log_in( 'author' );
		$post   = $this->make_post( array( 'post_author' => $author ) );
		$this->save( "postType/post:$post", '{"document":"older"}' );
		add_filter( 'update_post_metadata', static fn( $done, $id, $key ) => Crdt_Document::META === $key ? false : $done, 10, 3 );
		$this->assertSame( 500, $this->save( "postType/post:$post" ) );
	}

	public function test_a_route_that_is_there_already_stands(): void {
		add_action(
			'rest_api_init',
			static fn() => register_rest_route( 'wp-sync/v1', '/save', array( 'methods' => 'POST', 'permission_callback' => '__return_true', 'callback' => static fn() => array( 'theirs' => true ) ) )
		);
		$this->keep();
		$this->assertSame( array( 'theirs' => true ), $this->rest( 'POST', '/wp-sync/v1/save' )->get_data() );
	}

	/** @group multisite */
	public function test_every_blog_of_a_network_is_a_place_of_its_own(): void {
		$author = $this->log_in( 'author' );
		$post   = $this->make_post( array( 'post_author' => $author ) );
		$this->keep();
		$this->assertSame( 200, $this->save( "postType/post:$post" ) );

		switch_to_blog( self::$blog );
		$this->assertFalse( $this->collaboration->is_on(), 'a switch of the first blog is none of the second' );
		update_option( Options::YJS_PROVIDER, '1' );
		$this->connect( array( 'site_key' => 'h0-another' ) );
		$this->assertTrue( $this->collaboration->is_on() );
		$there = wp_insert_post( array( 'import_id' => $post, 'post_title' => 'Here', 'post_author' => $author, 'post_status' => 'publish' ) );
		$this->assertSame( $post, $there, 'of the same number' );
		$this->assertSame( 403, $this->save( "postType/post:$there" ), 'an author of the first blog is nobody here' );
		add_user_to_blog( self::$blog, $author, 'author' );
		wp_set_current_user( 0 );
		wp_set_current_user( $author );
		$this->assertSame( 200, $this->save( "postType/post:$there", '{"document":"there"}' ) );
		restore_current_blog();
		$this->assertSame( self::DOC, get_post_meta( $post, Crdt_Document::META, true ), 'and the document of the first is as it was' );
	}
}
