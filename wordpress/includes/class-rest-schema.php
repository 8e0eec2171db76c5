<?php
/**
 * Schemas of what routes answer.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * JSON Schema of a flat object.
 *
 * @access private
 */
final class Rest_Schema {

	/**
	 * The schema.
	 *
	 * @param string                              $title    Name of the thing.
	 * @param array<string, string|array<string>> $types    Type of each property.
	 * @param list<string>                        $writable Those that can be changed.
	 * @return array<string, mixed>
	 */
	public static function of( string $title, array $types, array $writable = array() ): array {
		$properties = array();
		foreach ( $types as $name => $type ) {
			$properties[ $name ] = array(
				'type'     => $type,
				'readonly' => ! in_array( $name, $writable, true ),
			);
		}
		return array(
			'$schema'    => 'http://json-schema.org/draft-04/schema#',
			'title'      => $title,
			'type'       => 'object',
			'properties' => $properties,
		);
	}
}
