<?php
/**
 * Data for scripts, in the page.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * A script element with JSON in it. Unlike an inline script it is nothing that
 * runs, so a content security policy lets it stand.
 *
 * @access private
 */
final class Page_Data {

	/**
	 * Prints it before a script, wherever that is printed.
	 *
	 * @param string $handle Of the script.
	 * @param string $id     Of the element.
	 * @param mixed  $data   What JSON can carry.
	 */
	public static function before( string $handle, string $id, $data ): void {
		$element = self::element( $id, $data );
		add_filter(
			'script_loader_tag',
			static fn( $tag, $of ) => $of === $handle && is_string( $tag ) && ! str_contains( $tag, $element ) ? $element . $tag : $tag,
			10,
			2
		);
	}

	/**
	 * The element. Nothing in it can end it.
	 *
	 * @param string $id   Its id.
	 * @param mixed  $data What JSON can carry.
	 */
	public static function element( string $id, $data ): string {
		return sprintf(
			'<script type="application/json" id="%s">%s</script>' . "\n",
			esc_attr( $id ),
			wp_json_encode( $data, JSON_HEX_TAG | JSON_HEX_AMP | JSON_UNESCAPED_SLASHES )
		);
	}
}
