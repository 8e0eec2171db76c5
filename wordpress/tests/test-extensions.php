<?php
/**
 * Plugins that build on this one: how they become known, and what they lack.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

require __DIR__ . '/site.php';
require __DIR__ . '/wordpress-admin.php';

use WordSocket\Extension_Rows;
use WordSocket\Extensions;

$extensions = new Extensions();
is( array_column( $extensions->all(), 'status', 'slug' ), array_fill_keys( array_keys( WPSignal\Extensions::CATALOGUE ), 'absent' ), 'without any, the catalogue is what there is' );

foreach ( array( array( '', array( 'title' => 'T' ) ), array( 'Upper', array( 'title' => 'T' ) ), array( 'x', array() ), array( 'x', array( 'title' => array() ) ) ) as list( $slug, $args ) ) {
	World::$wrong = array();
	ok( ! $extensions->register( $slug, $args ) && 1 === count( World::$wrong ), 'no extension: ' . json_encode( array( $slug, $args ) ) );
}
is( $extensions->registered(), array(), 'none of them is known' );

World::$options['active_plugins'] = array( 'woocommerce/woocommerce.php', 'one.php' );
ok(
	$extensions->register(
		'shopsocket',
		array(
			'title'       => 'ShopSocket',
			'description' => 'Orders',
			'version'     => '0.5.0',
			'docs_url'    => 'https://example.org/docs',
			'file'        => '/srv/plugins/shopsocket/shopsocket.php',
			'requires'    => array( 'woocommerce', 'one.php', 'Other' => 'other/other.php', 'New PHP' => false, 'Old PHP' => true ),
		)
	),
	'one is registered'
);
$first = $extensions->all()[0];
is( array( $first['slug'], $first['version'], $first['docs_url'] ), array( 'shopsocket', '0.5.0', 'https://example.org/docs' ), 'and is told about' );
is( array( $first['status'], $first['missing'] ), array( 'incomplete', array( 'Other', 'New PHP' ) ), 'with what it lacks, by the names for people' );
is( count( $extensions->all() ), count( Extensions::CATALOGUE ), 'it is not in the catalogue as well' );
World::$options['active_plugins'][] = 'other/other.php';
is( $extensions->all()[0]['missing'], array( 'New PHP' ), 'what is active is not missing' );
ok( $extensions->register( 'plain', array( 'title' => 'Plain', 'docs_url' => 'javascript:alert(1)' ) ), 'a title is enough' );
is( array_column( $extensions->all(), 'docs_url', 'slug' )['plain'], '', 'an address that is a script is none' );
is( array_column( $extensions->all(), 'status', 'slug' )['plain'], 'active', 'who needs nothing lacks nothing' );
is( $extensions->plugin_files(), array( 'shopsocket' => 'shopsocket/shopsocket.php' ), 'its plugin is known by the name WordPress has for it' );

World::$network                              = true;
World::$options['active_sitewide_plugins']   = array( 'wide/wide.php' => 1 );
$extensions->register( 'wide-one', array( 'title' => 'Wide', 'requires' => array( 'wide' ) ) );
is( array_column( $extensions->all(), 'status', 'slug' )['wide-one'], 'active', 'what is active in the whole network counts' );

// --- in the list of plugins.

$rows    = new Extension_Rows( $extensions );
$plugins = array(
	'shopsocket/shopsocket.php' => array( 'Name' => 'ShopSocket for WooCommerce' ),
	'hello.php'                 => array( 'Name' => 'Hello' ),
);
is( array_column( $rows->rename( $plugins ), 'Name' ), array( 'WordSocket: ShopSocket', 'Hello' ), 'an extension is named after this plugin, others are not' );
add_filter( 'wordsocket_nested_plugin_rows', static fn( array $map ): array => $map + array( 'hello.php' => 'Hi', 'x"]{}' => 'evil', 'n.php' => 1 ) );
is( array_column( $rows->rename( $plugins ), 'Name' ), array( 'WordSocket: ShopSocket', 'WordSocket: Hi' ), 'a filter adds to them' );
$rows->move_in();
ok( str_contains( Admin_World::$styles[0], '[data-plugin="hello.php"]' ) && ! str_contains( Admin_World::$styles[0], '{}' ), 'their rows are moved in, and a name cannot end the rule' );
is( $rows->rename( null ), null, 'what is no list is left alone' );

done_testing();
