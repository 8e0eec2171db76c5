<?php
/**
 * The built-in events beside post.updated.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Backlog;
use WordSocket\Config;
use WordSocket\Courier;
use WordSocket\Notices;
use WordSocket\Outbox;
use WordSocket\Sender;
use WordSocket\Transport;
use WordSocket\Trigger;
use WordSocket\Trigger_Registry;

add_filter( 'wpsignal_encryption_seed', static fn(): string => '' );
World::$answer = World::response( 200 );
$config        = new Config();
$transport     = new Transport( $config );
$outbox        = new Outbox( $config, $transport, new Sender( $config, $transport, new Courier( $transport ), new Backlog( $config ) ) );
$registry      = new Trigger_Registry( $outbox );
$outbox->register();
$registry->register_defaults();

/** Events and their data, sent at the end of a request. */
function sent(): array {
	$GLOBALS['outbox']->end();
	( new ReflectionProperty( Outbox::class, 'over' ) )->setValue( $GLOBALS['outbox'], false );
	$events = array();
	foreach ( World::$requests as $request ) {
		$body = json_decode( $request[2]['body'], true );
		foreach ( array_is_list( $body ) ? $body : array( $body ) as $message ) {
			$events[] = array( $message['event'], $message['data'] );
		}
	}
	World::$requests = array();
	return $events;
}

$status = static fn( string $now, string $before, array $fields = array() ) => apply_filters( 'transition_post_status', $now, $before, new WP_Post( $fields ) );
foreach ( array( 'trash', 'draft', 'private' ) as $now ) {
	$status( $now, 'publish', array( 'post_status' => $now ) );
	is( sent(), array( array( 'post.deleted', array( 'post_id' => 7, 'post_type' => 'post', 'reason' => $now ) ) ), "a post that is $now now is gone" );
}
foreach ( array( array( 'publish', 'publish' ), array( 'publish', 'draft' ), array( 'trash', 'draft' ), array( 'draft', 'auto-draft' ) ) as list( $now, $before ) ) {
	$status( $now, $before );
	is( sent(), array(), "$before to $now takes nothing from anybody" );
}
$status( 'trash', 'publish', array( 'post_type' => 'wp_navigation' ) );
is( sent(), array(), 'nor what nobody could visit' );
apply_filters( 'after_delete_post', 7, new WP_Post() );
is( sent(), array( array( 'post.deleted', array( 'post_id' => 7, 'post_type' => 'post', 'reason' => 'deleted' ) ) ), 'deleted at once' );
apply_filters( 'after_delete_post', 7, new WP_Post( array( 'post_status' => 'trash' ) ) );
is( sent(), array(), 'out of the trash it was gone before' );
$registry->exclude_default_post_type( 'page' );
$status( 'trash', 'publish', array( 'post_type' => 'page' ) );
is( sent(), array(), 'a type that is left out is' );

World::$posts[7] = new WP_Post();
$data            = array( 'comment_id' => 3, 'post_id' => 7, 'post_type' => 'post', 'parent' => 0, 'author' => 'Ann', 'excerpt' => 'Hello & <3', 'date' => '2023-11-14T22:13:20+00:00' );
$gone            = array_slice( $data, 0, 3 );
$comment         = static fn( array $fields = array() ): WP_Comment => new WP_Comment( array( 'comment_content' => 'Hello &amp; &lt;3' ) + $fields );
apply_filters( 'wp_insert_comment', 3, $comment() );
is( sent(), array( array( 'comment.created', $data ) ), 'a comment that everybody sees, and no address of its author' );
apply_filters( 'wp_insert_comment', 3, $comment( array( 'comment_approved' => '0' ) ) );
is( sent(), array(), 'not one that waits' );
apply_filters( 'transition_comment_status', 'approved', 'unapproved', $comment() );
is( sent(), array( array( 'comment.created', $data ) ), 'until it is approved' );
foreach ( array( 'unapproved', 'spam', 'trash', 'delete' ) as $now ) {
	apply_filters( 'transition_comment_status', $now, 'approved', $comment() );
	is( sent(), array( array( 'comment.deleted', $gone ) ), "approved to $now: gone, and no word of it" );
}
apply_filters( 'transition_comment_status', 'spam', 'unapproved', $comment() );
is( sent(), array(), 'what nobody saw is not gone' );
World::$comments[3] = $comment();
apply_filters( 'edit_comment', '3', array() );
is( sent(), array( array( 'comment.updated', $data ) ), 'edited' );
World::$comments[3] = $comment( array( 'comment_approved' => 'spam' ) );
apply_filters( 'edit_comment', '3', array() );
is( sent(), array(), 'spam is edited unseen' );
foreach ( array( 'pingback', 'note', 'order_note' ) as $type ) {
	apply_filters( 'wp_insert_comment', 3, $comment( array( 'comment_type' => $type ) ) );
	is( sent(), array(), "a $type is no comment" );
}
foreach ( array( array( 'post_password' => 'x' ), array( 'post_status' => 'private' ), array( 'post_type' => 'wp_block' ) ) as $hidden ) {
	World::$posts[7] = new WP_Post( $hidden );
	apply_filters( 'wp_insert_comment', 3, $comment() );
	is( sent(), array(), 'nor is one on a post with ' . key( $hidden ) . ' ' . current( $hidden ) );
}

apply_filters( 'update_option_blogdescription', 'Old', 'New', 'blogdescription' );
is( sent(), array( array( 'option.blogdescription.updated', array( 'option' => 'blogdescription', 'old_value' => 'Old', 'new_value' => 'New' ) ) ), 'the tagline' );
ok( ! isset( World::$filters['update_option_admin_email'] ), 'and nothing that is a secret' );

// A trigger that is wrong does not end a request.
( new Trigger( 'broken', $registry ) )->on( 'broken' )->data( static fn( int $number ): array => array( $number ) )->register();
is( apply_filters( 'broken', 'text' ), 'text', 'a trigger that throws ends nothing' );
is( array( sent(), Notices::last()['code'], Notices::last()['detail'] ), array( array(), 'trigger_failed', 'broken' ), 'and is told by name' );
( new Trigger( 'again', $registry ) )->on( 'again' )->data( static fn( $value ): array => array( apply_filters( 'again', $value ) ) )->register();
apply_filters( 'again', 1 );
is( sent(), array( array( 'again', array( 1 ) ) ), 'one that calls its own hook does not run on' );
( new Trigger( 'saved', $registry ) )->on( 'of_sending' )->register();
World::$answer = static function (): array {
	apply_filters( 'of_sending', 1 );
	return World::response( 200 );
};
apply_filters( 'again', 1 );
is( count( sent() ), 1, 'what sending causes is no event' );
World::$answer = World::response( 200 );

// One key, many states.
( new Trigger( 'state', $registry ) )->on( 'state', 10, 2 )->data( static fn( $of, $is ): array => array( 'is' => $is ) )->key( static fn( $of ): string => "of:$of" )->register();
foreach ( array( array( 'a', 1 ), array( 'b', 1 ), array( 'a', 2 ) ) as $is ) {
	apply_filters( 'state', ...$is );
}
is( array_column( array_column( sent(), 1 ), 'is' ), array( 1, 2 ), 'of an object the newest state is sent, at its own time' );
$registry->exclude_default_post_type( 'x' );

done_testing();
