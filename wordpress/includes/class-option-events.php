<?php
/**
 * The built-in events about the title and the tagline of the site.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Tells of options that every visitor sees, and of no others: options hold secrets.
 *
 * @access private
 */
final class Option_Events {

	/** Those that may be told of. */
	public const PUBLIC_OPTIONS = array( 'blogname', 'blogdescription' );

	/**
	 * Hands in where triggers are registered.
	 *
	 * @param Trigger_Registry $registry Of the site.
	 */
	public function __construct( private Trigger_Registry $registry ) {}

	/**
	 * Those that are built in.
	 *
	 * @param list<string> $without Options that a saved trigger tells of.
	 * @return list<Trigger>
	 */
	public function triggers( array $without ): array {
		return array_map(
			fn( string $name ): Trigger => $this->trigger( $name, self::event( $name ), Channels::EVENTS ),
			array_values( array_diff( self::PUBLIC_OPTIONS, $without ) )
		);
	}

	/**
	 * A trigger for an option.
	 *
	 * @param string $name    Of the option.
	 * @param string $event   Name of the event.
	 * @param string $channel Where it goes.
	 */
	public function trigger( string $name, string $event, string $channel ): Trigger {
		return ( new Trigger( $event, $this->registry ) )
			->on( "update_option_$name", 20, 2 )
			->channel( $channel )
			->data(
				static fn( $before, $now ): array => array(
					'option'    => $name,
					'old_value' => is_scalar( $before ) ? $before : '',
					'new_value' => is_scalar( $now ) ? $now : '',
				)
			)
			->key( static fn(): string => "option:$name" );
	}

	/**
	 * The event that tells of an option.
	 *
	 * @param string $name Of the option.
	 */
	public static function event( string $name ): string {
		return "option.$name.updated";
	}
}
