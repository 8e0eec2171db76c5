<?php
/**
 * Debug information of Site Health.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * A section for whoever asks for help. It holds no secret; what identifies the
 * site is left out of what is copied.
 *
 * @access private
 */
final class Debug_Info {

	/**
	 * Hands in what is told about.
	 *
	 * @param Config $config Relay and site.
	 */
	public function __construct( private Config $config ) {}

	/**
	 * Adds the section.
	 *
	 * @param array<string, array<string, mixed>> $info Of WordPress.
	 * @return array<string, array<string, mixed>>
	 */
	public function add( $info ) {
		$info['wordsocket'] = array(
			'label'  => __( 'WordSocket', 'wordsocket' ),
			'fields' => $this->fields(),
		);
		return $info;
	}

	/**
	 * The lines.
	 *
	 * @return array<string, array<string, mixed>>
	 */
	private function fields(): array {
		$config = $this->config;
		$last   = Notices::last();
		$titles = array_column( WPS::instance()->extensions()->registered(), 'title' );

		return array(
			'version'    => self::field( __( 'Version', 'wordsocket' ), VERSION ),
			'source'     => self::field( __( 'Connection', 'wordsocket' ), $config->credential_source() ),
			'relay'      => self::field( __( 'Relay', 'wordsocket' ), $config->base_url() ),
			'site_key'   => array( 'private' => true ) + self::field( __( 'Site key', 'wordsocket' ), $config->site_key() ),
			'signature'  => self::field( __( 'Version of the signature', 'wordsocket' ), (string) $config->signature_version() ),
			'encryption' => self::flag( __( 'Payloads are encrypted', 'wordsocket' ), '' !== $config->encryption_key() ),
			'client'     => self::flag( __( 'The browser client is built', 'wordsocket' ), Client::is_built() ),
			'screen'     => self::flag( __( 'The script of the screen is built', 'wordsocket' ), Settings_Script::is_built() ),
			'force_sse'  => self::flag( __( 'WebSocket is switched off', 'wordsocket' ), $config->force_sse() ),
			'strict'     => self::flag( __( 'Channels are reserved', 'wordsocket' ), WPS::instance()->channels()->is_strict() ),
			'together'   => self::field( __( 'Editing together', 'wordsocket' ), Collaboration::summary( $config ) ),
			'badges'     => self::flag( __( 'Names of editors are checked', 'wordsocket' ), Badge::is_possible() ),
			'php'        => self::field( __( 'PHP runs by', 'wordsocket' ), PHP_SAPI ),
			'circuit'    => self::flag( __( 'The relay is left alone for a while', 'wordsocket' ), Circuit::is_open() ),
			'last_error' => self::field( __( 'Last failure', 'wordsocket' ), null === $last ? '-' : $last['code'] . ', ' . gmdate( 'c', $last['time'] ) ),
			'extensions' => self::field( __( 'Extensions', 'wordsocket' ), array() === $titles ? '-' : implode( ', ', $titles ) ),
		);
	}

	/**
	 * A line.
	 *
	 * @param string $label For people.
	 * @param string $value Of it.
	 * @return array<string, mixed>
	 */
	private static function field( string $label, string $value ): array {
		return array(
			'label' => $label,
			'value' => '' === $value ? '-' : $value,
			'debug' => '' === $value ? '-' : $value,
		);
	}

	/**
	 * A line that says yes or no.
	 *
	 * @param string $label For people.
	 * @param bool   $is    Which.
	 * @return array<string, mixed>
	 */
	private static function flag( string $label, bool $is ): array {
		return array(
			'label' => $label,
			'value' => $is ? __( 'Yes', 'wordsocket' ) : __( 'No', 'wordsocket' ),
			'debug' => $is ? 'true' : 'false',
		);
	}
}
