<?php
/**
 * Plugin Name:       Shoutbox
 * Description:       Approved comments appear on the front page as they come; members see who else is reading.
 * Version:           1.0.0
 * Requires at least: 6.4
 * Requires PHP:      8.1
 * Requires Plugins:  wordsocket
 * License:           GPL-2.0-or-later
 * Text Domain:       shoutbox
 *
 * An extension as its author writes it: from the documented API alone, without
 * a look into the plugin it extends. It is installed as it is here, under names
 * that sort before and after wordsocket.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package Shoutbox
 */

namespace Shoutbox;

defined( 'ABSPATH' ) || exit;

const VERSION   = '1.0.0';
const SPACE     = 'shout';
const FEED      = 'shout:feed';
const STAFF     = 'shout:staff';
const SINCE_API = 2;

add_action( 'wpsignal_loaded', __NAMESPACE__ . '\\start' );

/** Whether the API is as new as we need it. */
function is_supported(): bool {
	return class_exists( 'WPSignal\\Token' ) && \WPSignal\Token::TOKEN_VERSION >= 2
		&& method_exists( 'WPSignal\\Publisher', 'stats' )
		&& class_exists( 'WPSignal\\Client' ) && \WPSignal\Client::API_VERSION >= SINCE_API;
}

/** Everything we add, once WordSocket is there. */
function start(): void {
	if ( ! is_supported() ) {
		return;
	}
	$wps = \WPSignal\WPS::instance();
	$wps->channels()->reserve( SPACE, static fn( $user_id ) => may_read( $user_id ), 'moderate_comments' );
	$wps->extensions()->register(
		'shoutbox',
		array(
			'title'       => 'WordSocket: Shoutbox',
			'description' => 'Comments as they come.',
			'version'     => VERSION,
			'docs_url'    => 'https://example.org/shoutbox',
			'file'        => __FILE__,
			'requires'    => array(),
		)
	);
	\WPSignal\WPS::trigger( 'shout.new' )
		->on( 'wp_insert_comment', 20, 2 )
		->channel( FEED )
		->when( __NAMESPACE__ . '\\is_public' )
		->data( __NAMESPACE__ . '\\describe' )
		->register();

	add_filter( 'wpsignal_token_channels', __NAMESPACE__ . '\\channels', 10, 3 );
	add_filter( 'wpsignal_token_publish_prefixes', __NAMESPACE__ . '\\publish_prefixes', 10, 3 );
	add_action( 'wordsocket_settings_enqueue', __NAMESPACE__ . '\\enqueue_settings' );
	add_action( 'wp_enqueue_scripts', __NAMESPACE__ . '\\enqueue_page', 20 );
}

/**
 * Whoever has an account reads along.
 *
 * @param int $user_id 0 is a visitor.
 */
function may_read( $user_id ): bool {
	return $user_id > 0;
}

/**
 * Only what anybody can read on the site.
 *
 * @param int         $id      ID.
 * @param \WP_Comment $comment As saved.
 */
function is_public( $id, $comment ): bool {
	return '1' === (string) $comment->comment_approved;
}

/**
 * What pages are told.
 *
 * @param int         $id      ID.
 * @param \WP_Comment $comment As saved.
 */
function describe( $id, $comment ): array {
	return array(
		'comment_id' => (int) $id,
		'post_id'    => (int) $comment->comment_post_ID,
		'author'     => $comment->comment_author,
		'text'       => wp_strip_all_tags( $comment->comment_content ),
	);
}

/**
 * Pages of members listen to the feed; those of moderators to the staff too.
 *
 * @param string[] $channels So far.
 * @param int      $user_id  0 is a visitor.
 * @param string   $site_id  Of the site.
 */
function channels( $channels, $user_id, $site_id ): array {
	if ( may_read( $user_id ) ) {
		$channels[] = "site:$site_id:" . FEED;
	}
	if ( user_can( $user_id, 'moderate_comments' ) ) {
		$channels[] = "site:$site_id:" . STAFF;
	}
	return $channels;
}

/**
 * Members may say that they are reading.
 *
 * @param string[] $prefixes So far.
 * @param int      $user_id  0 is a visitor.
 * @param string   $site_id  Of the site.
 */
function publish_prefixes( $prefixes, $user_id, $site_id ): array {
	if ( may_read( $user_id ) ) {
		$prefixes[] = "site:$site_id:" . FEED;
	}
	return $prefixes;
}

/** Our tab on the settings screen. */
function enqueue_settings(): void {
	wp_enqueue_script( 'shoutbox-settings', plugins_url( 'js/settings.js', __FILE__ ), array( 'wpsignal-settings', 'wp-element', 'wp-plugins' ), VERSION, true );
}

/** The box itself. */
function enqueue_page(): void {
	if ( wp_script_is( 'wpsignal', 'enqueued' ) ) {
		wp_enqueue_script( 'shoutbox', plugins_url( 'js/page.js', __FILE__ ), array( 'wpsignal' ), VERSION, true );
	}
}
