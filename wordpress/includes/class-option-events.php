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

	/** Those with a built-in event. */
	public const BUILT_IN = array( 'blogname', 'blogdescription' );

	/** Others that every page shows, or behaves by. */
	private const SEEN = array( 'site_icon', 'site_logo', 'show_on_front', 'page_on_front', 'page_for_posts', 'posts_per_page', 'date_format', 'time_format', 'start_of_week', 'timezone_string', 'WPLANG' );

	/**
	 * Hands in where triggers are registered.
	 *
	 * @param Trigger_Registry $registry Of the site.
	 */
	public function __construct( private Trigger_Registry $registry ) {}

	/**
	 * Options that a saved trigger may tell of.
	 *
	 * @return list<string>
	 */
	public static function allowed(): array {
		/**
		 * Filters which options the builder may tell everybody of. Only what
		 * every visitor may know belongs there, and of it texts, numbers and
		 * booleans are told.
		 *
		 * @param list<string> $names Of options.
		 */
		$names = (array) apply_filters( 'wordsocket_public_options', array_merge( self::BUILT_IN, self::SEEN ) );

		return array_values( array_unique( array_filter( $names, static fn( $name ): bool => is_string( $name ) && '' !== $name ) ) );
	}

	/**
	 * Those that are built in.
	 *
	 * @param list<string> $without Options that a saved trigger tells of.
	 * @return list<Trigger>
	 */
	public function triggers( array $without ): array {
		return array_map(
			fn( string $name ): Trigger => $this->trigger( $name, self::event( $name ), Channels::EVENTS ),
			array_values( array_diff( self::BUILT_IN, $without ) )
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
					'old_value' => Safe_Values::read( Safe_Values::VALUE, '', $before ) ?? '',
					'new_value' => Safe_Values::read( Safe_Values::VALUE, '', $now ) ?? '',
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
