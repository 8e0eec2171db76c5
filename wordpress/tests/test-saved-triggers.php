<?php
/**
 * What the builder may save, and what its triggers send.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Backlog;
use WordSocket\Conditions;
use WordSocket\Config;
use WordSocket\Courier;
use WordSocket\Notices;
use WordSocket\Options;
use WordSocket\Outbox;
use WordSocket\Safe_Values;
use WordSocket\Sender;
use WordSocket\Transport;
use WordSocket\Trigger_Registry;
use WordSocket\Trigger_Rows;
use WordSocket\Trigger_Words;

/** What is wrong with one row: fields only. */
function faults( array $row ): array {
	return array_column( ( new Trigger_Rows( array( $row ) ) )->errors(), 'field' );
}

const HOOK = array(
	'type'  => 'hook',
	'hook'  => 'order_paid',
	'event' => 'order.paid',
);

is( ( new Trigger_Rows( array( array( 'type' => 'post_type', 'target' => 'page', 'event' => 'page.updated' ) ) ) )->good(), array( array( 'type' => 'post_type', 'channel' => 'events', 'event' => 'page.updated', 'target' => 'page' ) ), 'a row of a post type, on the channel events if none is said' );
is( ( new Trigger_Rows( array( array( 'type' => 'option', 'target' => '', 'event' => 'x' ), array( 'type' => 'post_type', 'target' => 'page' ), 'text' ) ) )->errors(), array(), 'rows without target or event are no mistake' );
is( ( new Trigger_Rows( array( array( 'type' => 'option', 'target' => '', 'event' => 'x' ) ) ) )->good(), array(), 'and no trigger' );
is(
	( new Trigger_Rows( array( HOOK ) ) )->good()[0],
	array(
		'type'       => 'hook',
		'channel'    => 'events',
		'event'      => 'order.paid',
		'hook'       => 'order_paid',
		'priority'   => 10,
		'args'       => 1,
		'data'       => array(),
		'match'      => 'all',
		'conditions' => array(),
		'object'     => '',
	),
	'a row of a hook, with what was not said'
);
is( faults( array( 'type' => 'option', 'target' => 'admin_email', 'event' => 'x' ) ), array( 'target' ), 'no option but those that visitors see' );
is( faults( array( 'type' => 'option', 'target' => 'date_format', 'event' => 'x' ) ), array(), 'of which there are more than those with an event of their own' );
add_filter( 'wordsocket_public_options', static fn( array $names ): array => array_merge( $names, array( 'opening_hours', 7, array() ) ) );
is( faults( array( 'type' => 'option', 'target' => 'opening_hours', 'event' => 'x' ) ), array(), 'code says of others that visitors see them' );
is( faults( array( 'type' => 'option', 'target' => '7', 'event' => 'x' ) ), array( 'target' ), 'by their names' );
is( faults( array( 'type' => 'other', 'target' => 'x', 'event' => 'x' ) ), array( 'type' ), 'no other type' );
foreach ( array( 'all', 'query', 'shutdown', 'gettext', 'set_auth_cookie', 'password_reset', 'retrieve_password_key', 'wp_set_password', 'updated_option', 'set_transient', 'updated_user_meta', 'a b', '', '1st', 'x;y', str_repeat( 'x', 121 ) ) as $hook ) {
	is( faults( array( 'hook' => $hook ) + HOOK ), array( 'hook' ), "no trigger on \"$hook\"" );
}
foreach ( array( 'save_post', 'save_post_product', 'woocommerce_order_status_completed', 'user_register', 'acf/save_post' ) as $hook ) {
	is( faults( array( 'hook' => $hook ) + HOOK ), array(), "but on \"$hook\"" );
}
foreach ( array( '', 'encrypted', 'wps.presence', "a\nb", str_repeat( 'x', 201 ) ) as $event ) {
	is( faults( array( 'event' => $event ) + HOOK ), array( 'event' ), 'no event ' . wp_json_encode( substr( $event, 0, 20 ) ) );
}
foreach ( array( 'wps:connections', 'yjs:postType/post:1', 'a,b', 'site:x' ) as $channel ) {
	is( faults( array( 'channel' => $channel ) + HOOK ), array( 'channel' ), "no channel $channel" );
}
is( faults( array( 'args' => 11, 'priority' => 'soon' ) + HOOK ), array( 'args', 'priority' ), 'numbers are numbers within bounds' );
$field = static fn( array $is ): array => array( 'data' => array( $is ) ) + HOOK;
is( faults( $field( array( 'name' => 'a-b', 'arg' => 2, 'kind' => 'user', 'field' => 'user_email' ) ) ), array( 'data.0.name', 'data.0.field', 'data.0.arg' ), 'each field that is wrong is named' );
is( faults( $field( array( 'name' => 'x', 'kind' => 'file' ) ) ), array( 'data.0.kind' ), 'no other kind' );
is( faults( array( 'data' => array( array( 'name' => 'x' ), array( 'name' => 'x' ) ), 'object' => 'y' ) + HOOK ), array( 'data', 'object' ), 'no name twice, and the object is one of them' );
is( faults( array( 'match' => 'none', 'conditions' => array( array( 'operator' => 'eval', 'value' => '1' ) ) ) + HOOK ), array( 'conditions.0.operator', 'match' ), 'no other comparison' );
is( faults( array( 'conditions' => array_fill( 0, 11, array( 'operator' => 'empty' ) ) ) + HOOK ), array( 'conditions' ), 'no more conditions than there may be' );
$many = new Trigger_Rows( array_fill( 0, 51, HOOK ) );
is( array( count( $many->good() ), array_column( $many->errors(), 'row' ) ), array( 50, array( 50 ) ), 'nor more rows' );

foreach (
	array(
		'channel'               => 'Trigger 2, Channel',
		'data.0.name'           => 'Trigger 2, value 1 of the data, Name',
		'conditions.2.operator' => 'Trigger 2, condition 3, Compared by',
		'data'                  => 'Trigger 2, Data of the event',
		'target'                => 'Trigger 2, Option',
		'type'                  => 'Trigger 2',
	) as $path => $words
) {
	is( Trigger_Words::place( 1, $path, 'option' ), $words, "$path in the words of the form" );
}
is( Trigger_Words::place( 0, 'target', 'post_type' ), 'Trigger 1, Post type', 'which are those of its type' );

// What may leave.
$post = new WP_Post( array( 'post_title' => 'Seen' ) );
is( Safe_Values::read( 'post', 'post_title', $post ), 'Seen', 'a title that visitors see' );
is( Safe_Values::read( 'post', 'post_title', new WP_Post( array( 'post_status' => 'draft' ) ) ), '', 'not that of a draft' );
World::$posts[7] = $post;
is( Safe_Values::read( 'post', 'post_title', '7' ), 'Seen', 'an id is as good as the object' );
foreach ( array( 'post_content', 'post_password', 'post_excerpt', 'filter' ) as $name ) {
	is( Safe_Values::read( 'post', $name, $post ), null, "no $name" );
}
$user = new WP_User();
is( array( Safe_Values::read( 'user', 'display_name', $user ), Safe_Values::read( 'user', 'roles', $user ) ), array( 'Bob', 'editor shop' ), 'the name and the roles of a user' );
is( array( Safe_Values::read( 'user', 'user_email', $user ), Safe_Values::read( 'user', 'user_pass', $user ) ), array( null, null ), 'not the address, nor the password' );
$comment = new WP_Comment();
is( Safe_Values::read( 'comment', 'comment_author', $comment ), 'Ann', 'who wrote a comment' );
is( array( Safe_Values::read( 'comment', 'comment_author_email', $comment ), Safe_Values::read( 'comment', 'comment_author_IP', $comment ) ), array( null, null ), 'not from where' );
is( Safe_Values::read( 'term', 'slug', new WP_Term() ), 'news', 'a term' );
$hidden           = new WP_Term();
$hidden->taxonomy = 'customer_group';
is( array( Safe_Values::read( 'term', 'name', $hidden ), Safe_Values::read( 'term', 'slug', $hidden ), Safe_Values::read( 'term', 'term_id', $hidden ) ), array( '', '', 5 ), 'no word of one that visitors cannot see' );
is( Safe_Values::read( 'post', 'post_title', 'https://example.org' ), null, 'what is no post has no title' );
is( array( Safe_Values::read( 'value', '', 'ann@example.org' ), Safe_Values::read( 'value', '', '192.0.2.7' ) ), array( '', '' ), 'an address is not told even if it is the value itself' );
is( array( Safe_Values::read( 'value', '', array( 1 ) ), Safe_Values::read( 'value', '', $post ), Safe_Values::read( 'value', '', null ) ), array( null, null, null ), 'only scalars' );
is( array( Safe_Values::read( 'value', '', true ), Safe_Values::read( 'value', '', 1.5 ), mb_strlen( Safe_Values::read( 'value', '', str_repeat( 'é', 5000 ) ) ) ), array( true, 1.5, 1000 ), 'of a bearable length' );

foreach ( array(
	array( 'is', 'Paid', 'paid', true ),
	array( 'is', true, '1', true ),
	array( 'is_not', 'a', 'b', true ),
	array( 'contains', 'shop editor', 'EDIT', true ),
	array( 'contains_not', 'shop', 'edit', true ),
	array( 'begins', 'woo_x', 'woo', true ),
	array( 'greater', '10', '9', true ),
	array( 'greater', 'many', '9', false ),
	array( 'less', 2, '10', true ),
	array( 'empty', null, '', true ),
	array( 'empty', 0, '', true ),
	array( 'not_empty', 'x', '', true ),
	array( 'eval', 'x', 'x', false ),
) as list( $operator, $value, $typed, $want ) ) {
	is( Conditions::holds( $operator, $value, $typed ), $want, wp_json_encode( $value ) . " $operator \"$typed\"" );
}
$one = static fn( string $operator, string $value ): array => array( 'arg' => 1, 'kind' => 'value', 'field' => '', 'operator' => $operator, 'value' => $value );
is( Conditions::hold( array(), 'any', array() ), true, 'no condition always holds' );
is( Conditions::hold( array( $one( 'is', 'a' ), $one( 'is', 'b' ) ), 'any', array( 'b' ) ), true, 'any of them' );
is( Conditions::hold( array( $one( 'is', 'a' ), $one( 'contains', 'a' ) ), 'all', array( 'ab' ) ), false, 'all of them' );

// What is sent.
add_filter( 'wpsignal_encryption_seed', static fn(): string => '' );
World::$answer                      = World::response( 200 );
World::$options[ Options::TRIGGERS ] = array(
	array( 'type' => 'post_type', 'target' => 'page', 'event' => 'page.out', 'channel' => 'pages' ),
	array( 'type' => 'option', 'target' => 'blogname', 'event' => 'renamed' ),
	array(
		'data'       => array(
			array( 'name' => 'id', 'arg' => 1, 'kind' => 'value' ),
			array( 'name' => 'who', 'arg' => 2, 'kind' => 'user', 'field' => 'display_name' ),
		),
		'conditions' => array( array( 'arg' => 1, 'operator' => 'greater', 'value' => '5' ) ),
		'args'       => 2,
		'object'     => 'id',
	) + HOOK,
	array( 'type' => 'hook', 'hook' => 'password_reset', 'event' => 'stolen', 'data' => array( array( 'name' => 'p', 'arg' => 1 ) ) ),
	'rubbish',
);
$config    = new Config();
$transport = new Transport( $config );
$outbox    = new Outbox( $config, $transport, new Sender( $config, $transport, new Courier( $transport ), new Backlog( $config ) ) );
$registry  = new Trigger_Registry( $outbox );
$outbox->register();
$registry->register_defaults();
$sources = array_count_values( array_map( static fn( $trigger ): string => $trigger->get_source(), $registry->all() ) );
is( $sources['saved'], 3, 'a row that could not be saved makes no trigger' );
ok( ! isset( World::$filters['password_reset'] ), 'whoever wrote it' );
is( $registry->get_excluded_default_post_types(), array( 'page' ), 'a saved type is not told of twice' );
ok( ! $registry->hides_deletions_of( 'page' ), 'but that one of its posts is gone is told' );
$registry->exclude_default_post_type( 'page' );
ok( $registry->hides_deletions_of( 'page' ), 'unless code leaves the type out' );
is( count( World::$filters['update_option_blogname'] ), 1, 'nor a saved option' );

do_action( 'order_paid', 5, new WP_User() );
do_action( 'order_paid', 8, new WP_User() );
do_action( 'order_paid', 9, new WP_User() );
do_action( 'order_paid', 8, 'nobody' );
apply_filters( 'transition_post_status', 'publish', 'draft', new WP_Post( array( 'post_type' => 'page', 'ID' => 3 ) ) );
apply_filters( 'wp_after_insert_post', 3, new WP_Post( array( 'post_type' => 'page', 'ID' => 3 ) ) );
apply_filters( 'update_option_blogname', 'Old', 'New' );
$outbox->end();
is( count( World::$requests ), 1, 'one request carries them' );
is(
	json_decode( World::$requests[0][2]['body'], true ),
	array(
		array( 'channel' => 'events', 'event' => 'order.paid', 'data' => array( 'id' => 9, 'who' => 'Bob' ) ),
		array( 'channel' => 'events', 'event' => 'order.paid', 'data' => array( 'id' => 8, 'who' => null ) ),
		array( 'channel' => 'pages', 'event' => 'page.out', 'data' => array( 'post_id' => 3, 'post_type' => 'page', 'post_title' => 'Title', 'permalink' => 'https://example.org/?p=3', 'updated' => '2023-11-14T22:13:20+00:00', 'old_status' => 'draft', 'new_status' => 'publish' ) ),
		array( 'channel' => 'events', 'event' => 'renamed', 'data' => array( 'option' => 'blogname', 'old_value' => 'Old', 'new_value' => 'New' ) ),
	),
	'mapped, of each object the newest, in order of their times'
);

( new ReflectionProperty( Outbox::class, 'over' ) )->setValue( $outbox, false );
World::$requests = array();
for ( $i = 0; $i < 1000; $i++ ) {
	do_action( 'order_paid', 100 + $i, null );
}
$outbox->end();
$count = array_sum( array_map( static fn( array $request ): int => count( json_decode( $request[2]['body'], true ) ), World::$requests ) );
ok( $count > 150 && $count <= 400, 'a hook that is called all the time makes 200 events a second' );
ok( max( array_map( static fn( array $request ): int => count( json_decode( $request[2]['body'], true ) ), World::$requests ) ) <= 100, 'in requests of 100' );
is( Notices::last()['code'] ?? '', 'too_many_events', 'which is told, whatever was delivered' );
World::$options[ Options::LAST_ERROR ]['time'] -= 3601;
Notices::delivered();
is( Notices::last(), null, 'for an hour' );

done_testing();
