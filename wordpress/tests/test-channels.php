<?php
/**
 * Who may read and write what.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';

use WordSocket\Channels;

const VISITOR = 0;
const READER  = 3;
const EDITOR  = 5;
World::$caps = array(
	READER => array( 'read' ),
	EDITOR => array( 'read', 'edit_posts', 'manage_woocommerce' ),
);

$open = new Channels();
ok( ! $open->is_strict(), 'nothing is reserved' );
is( $open->allowed_prefixes( VISITOR, SITE_ID, array( 'events' ) ), array( SITE ), 'so everybody may read the whole site' );
is( $open->allowed_publish_prefixes( VISITOR, SITE_ID ), array( SITE ), 'and write' );

$shop = new Channels();
ok( $shop->reserve( 'woo', 'manage_woocommerce' ), 'a namespace is reserved for a capability' );
ok( $shop->reserve( 'chat:', static fn( int $user ): bool => $user > 0, 'read' ), 'another by a function, with writing' );
ok( $shop->is_strict(), 'now rights have to be given' );
is( array_keys( $shop->reservations() ), array( 'woo', 'chat' ), 'both are listed' );
is( $shop->allowed_prefixes( VISITOR, SITE_ID, array( SITE . 'events', 'news' ) ), array( SITE . 'events', SITE . 'news' ), 'a visitor keeps events and what pages subscribe to' );
is( $shop->allowed_publish_prefixes( VISITOR, SITE_ID ), array(), 'and writes nowhere' );
is( $shop->allowed_prefixes( READER, SITE_ID ), array( SITE . 'events', SITE . 'chat:' ), 'a reader also reads the chat' );
is( $shop->allowed_publish_prefixes( READER, SITE_ID ), array( SITE . 'chat:' ), 'and writes there' );
is( $shop->allowed_prefixes( EDITOR, SITE_ID ), array( SITE . 'events', SITE . 'woo:', SITE . 'chat:', SITE . 'yjs:' ), 'an editor reads the shop and edits' );
is( $shop->allowed_publish_prefixes( EDITOR, SITE_ID ), array( SITE . 'chat:', SITE . 'yjs:' ), 'but only PHP writes to the shop' );

$own = new Channels();
$own->reserve( 'yjs', 'manage_woocommerce', 'manage_options' );
is( $own->allowed_prefixes( EDITOR, SITE_ID ), array( SITE . 'events', SITE . 'yjs:' ), 'who reserves editing says who reads along' );
is( $own->allowed_publish_prefixes( EDITOR, SITE_ID ), array(), 'and who edits' );

$loose = new Channels();
$loose->reserve( 'x', static fn(): int => 1 );
is( $loose->allowed_prefixes( READER, SITE_ID ), array( SITE . 'events' ), 'only true is a grant, not what looks like it' );

foreach ( array( 'events', 'events:', '', ':', 'a,b', 'a b', 'a::b', 'grün', "a\n", str_repeat( 'a', 199 ) ) as $name ) {
	ok( ! ( new Channels() )->reserve( $name, 'read' ), json_encode( $name ) . ' cannot be reserved' );
}
ok( ( new Channels() )->reserve( str_repeat( 'a', 198 ), 'read' ), 'a long name can, while a channel below it has room' );
ok( ! ( new Channels() )->reserve( 'a', array( 'no', 'function' ) ), 'nor anything with a grant that is none' );
is( count( World::$wrong ), 11, 'and the developer is told each time' );

is( Channels::qualify( 'events', SITE_ID ), SITE . 'events', 'a bare name gets the site' );
is( Channels::qualify( SITE . 'events', SITE_ID ), SITE . 'events', 'a full one keeps it' );

done_testing();
