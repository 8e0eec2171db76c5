<?php
/**
 * From hooks to events: the chain, and the built-in post.updated.
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
use WordSocket\Post_Updated;
use WordSocket\Sender;
use WordSocket\Transport;
use WordSocket\Trigger;
use WordSocket\Trigger_Registry;

// In the clear, so that what was sent can be read.
add_filter( 'wpsignal_encryption_seed', static fn(): string => '' );
World::$answer = World::response( 200 );

$config    = new Config();
$transport = new Transport( $config );
$outbox    = new Outbox( $config, $transport, new Sender( $config, $transport, new Courier( $transport ), new Backlog( $config ) ) );
$registry  = new Trigger_Registry( $outbox );
$outbox->register();

/** Messages sent at the end of a request. */
function sent(): array {
	ok( array() === World::$requests, 'nothing is sent before the end' );
	$GLOBALS['outbox']->end();
	$messages = array();
	foreach ( World::$requests as $request ) {
		$body = json_decode( $request[2]['body'], true );
		array_push( $messages, ...( array_is_list( $body ) ? $body : array( $body ) ) );
	}
	World::$requests = array();
	// Another request begins.
	( new ReflectionProperty( Outbox::class, 'over' ) )->setValue( $GLOBALS['outbox'], false );
	return $messages;
}

$trigger  = ( new Trigger( 'stock.low', $registry ) )
	->on( 'low', 20, 2 )
	->channel( 'shop' )
	->when( static fn( int $id, int $left ): bool => $left < 3 )
	->data( static fn( int $id, int $left ): array => array( 'id' => $id, 'left' => $left ) )
	->register();
is(
	array( $trigger->get_event(), $trigger->get_hook(), $trigger->get_priority(), $trigger->get_accepted_args(), $trigger->get_channel(), $trigger->has_condition() ),
	array( 'stock.low', 'low', 20, 2, 'shop', true ),
	'a trigger tells what it was told'
);
is( $registry->all(), array( $trigger ), 'and is listed' );
apply_filters( 'low', 7, 5, 'more' );
is( sent(), array(), 'no event while the condition does not hold' );
apply_filters( 'low', 7, 2, 'more' );
is( sent(), array( array( 'channel' => 'shop', 'event' => 'stock.low', 'data' => array( 'id' => 7, 'left' => 2 ) ) ), 'an event when it does' );

( new Trigger( 'filtered', $registry ) )->on( 'a_filter', 10, 0 )->register();
is( apply_filters( 'a_filter', 'value' ), 'value', 'a filter keeps its value' );
is( sent()[0]['channel'], 'events', 'the channel is events unless said' );
( new Trigger( 'nowhere', $registry ) )->register();
is( count( World::$wrong ), 1, 'a trigger without a hook is a mistake, and said to be one' );

$registry->register_defaults();
$save = static fn( int $id, array $fields ) => apply_filters( 'wp_after_insert_post', $id, new WP_Post( array( 'ID' => $id ) + $fields ), true, null );
$save( 7, array( 'post_content' => '<p>One [gallery] &amp; two</p>' ) );
is(
	sent(),
	array(
		array(
			'channel' => 'events',
			'event'   => Post_Updated::EVENT,
			'data'    => array(
				'post_id'    => 7,
				'post_type'  => 'post',
				'post_title' => 'Title',
				'permalink'  => 'https://example.org/?p=7',
				'excerpt'    => 'One & two',
				'updated'    => '2023-11-14T22:13:20+00:00',
			),
		),
	),
	'a published post is told of'
);
$save( 7, array( 'post_content' => str_repeat( 'word ', 99 ) ) );
is( str_word_count( sent()[0]['data']['excerpt'] ), 55, 'its excerpt is no longer than WordPress makes them' );
$save( 7, array( 'post_excerpt' => 'Own', 'post_content' => 'Long' ) );
is( sent()[0]['data']['excerpt'], 'Own', "or the author's own" );
$save( 7, array( 'post_excerpt' => 'Own', 'post_content' => 'Long', 'post_password' => 'x' ) );
is( sent()[0]['data']['excerpt'], '', 'and none behind a password' );

foreach ( array( 'draft', 'private', 'future', 'trash', 'inherit', 'auto-draft', 'pending' ) as $status ) {
	$save( 7, array( 'post_status' => $status ) );
	is( sent(), array(), "nothing about a post that is $status" );
}
$save( 1001, array() );
is( sent(), array(), 'nor an autosave' );
$save( 1002, array() );
is( sent(), array(), 'nor a revision' );
$save( 7, array( 'post_type' => 'wp_navigation' ) );
is( sent(), array(), 'nor a type nobody can visit' );
$registry->exclude_default_post_type( 'page' );
$registry->exclude_default_post_type( 'page' );
is( $registry->get_excluded_default_post_types(), array( 'page' ), 'a type can be left out' );
$save( 7, array( 'post_type' => 'page' ) );
is( sent(), array(), 'and then is' );

done_testing();
