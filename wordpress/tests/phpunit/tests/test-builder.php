<?php
/**
 * What a trigger of the builder may hear, on real hooks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\Options;
use WordSocket\Saved_Triggers;
use WordSocket\WPS;

final class Builder_Test extends Test_Case {

	/** Has the builder listen to a hook, past its own screen. */
	private function listen( string $hook, int $args = 1 ): void {
		$fields = array();
		for ( $arg = 1; $arg <= $args; $arg++ ) {
			$fields[] = array( 'name' => "arg$arg", 'arg' => $arg, 'kind' => 'value' ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- one thing.
		}
		update_option(
			Options::TRIGGERS,
			array(
				array(
					'type'  => 'hook',
					'hook'  => $hook,
					'event' => 'heard',
					'args'  => $args,
					'data'  => $fields,
				),
			)
		);
		( new Saved_Triggers( WPS::instance()->trigger_registry() ) )->register();
	}

	public function test_an_action_is_heard(): void {
		$this->listen( 'order_paid' );
		do_action( 'order_paid', 7 );
		$this->assertSame( array( array( 'arg1' => 7 ) ), array_column( $this->published( 'heard' ), 'data' ) );
	}

	/**
	 * Filters pass what never was meant to be told: the keys of the whole
	 * network, and addresses with a key in them.
	 *
	 * @dataProvider filters
	 */
	public function test_a_filter_is_not( string $hook, callable $call ): void {
		$this->listen( $hook );
		$call();
		$this->assertSame( array(), $this->published( 'heard' ) );
	}

	public static function filters(): array {
		return array(
			'keys of wp-config.php'    => array( 'salt', static fn() => wp_salt( 'auth' ) ),
			'a link to a new password' => array( 'site_url', static fn() => site_url( 'wp-login.php?action=rp&key=0123456789', 'login' ) ),
			'texts of all kinds'       => array( 'sanitize_text_field', static fn() => sanitize_text_field( 'hunter2' ) ),
		);
	}

	public function test_its_value_stays_as_it_is(): void {
		$this->listen( 'a_filter' );
		$this->assertSame( 'kept', apply_filters( 'a_filter', 'kept' ) );
	}

	/** @dataProvider actions */
	public function test_actions_that_pass_secrets_are_refused( string $hook ): void {
		$this->log_in();
		$row    = array(
			'type'  => 'hook',
			'hook'  => $hook,
			'event' => 'heard',
		);
		$answer = $this->rest( 'POST', '/wpsignal/v1/triggers', array( 'triggers' => array( $row ) ) );
		$this->assertSame( 400, $answer->get_status() );
		$this->assertSame( 'hook', $answer->as_error()->get_error_data()['errors'][0]['field'] );
	}

	public static function actions(): array {
		$hooks = array(
			'wpmu_activate_user', // The password in clear.
			'wpmu_activate_blog', // The same.
			'invite_user', // The key of the invitation.
			'wp_login_failed', // People type passwords into the field of the name.
			'wp_privacy_personal_data_export_file_created', // Where the file is.
			'salt',
		);
		return array_combine( $hooks, array_map( static fn( string $hook ): array => array( $hook ), $hooks ) );
	}

	public function test_who_wrote_a_comment_that_nobody_sees_is_not_told(): void {
		$read = static fn( int $id ) => \WordSocket\Safe_Values::read( 'comment', 'comment_author', $id );
		$make = static fn( int $post, string $approved ): int => wp_insert_comment(
			array(
				'comment_post_ID'  => $post,
				'comment_author'   => 'Ann',
				'comment_approved' => $approved,
				'comment_type'     => 'comment',
			)
		);
		$seen  = $this->make_post();
		$draft = $this->make_post( array( 'post_status' => 'draft' ) );
		$this->assertSame( 'Ann', $read( $make( $seen, '1' ) ) );
		$this->assertSame( '', $read( $make( $seen, '0' ) ) );
		$this->assertSame( '', $read( $make( $draft, '1' ) ) );
	}
}
