<?php
/**
 * What went wrong last, and what to do about it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Remembers the last failed publish until one succeeds.
 */
final class Notices {

	/** Where it is stored. */
	public const OPTION = Options::LAST_ERROR;

	/** Refusals after which browsers need not try: the relay does not know us. */
	public const REJECTED_CODES = array(
		'unknown_site_key',
		'site_revoked',
		'invalid_token',
		'site_not_found',
		'account_deactivated',
		'invalid_api_key',
	);

	/** Mistakes of triggers, which no relay can put right. */
	private const TRIGGER_CODES = array( 'trigger_failed', 'too_many_events', 'invalid_data' );

	private const DETAIL_CHARS = 200;
	private const FRESH_S      = 60;

	/**
	 * Remembers a failure. The same one is written once a minute: a bulk edit
	 * fails once per post, and each write empties the cache of all options.
	 *
	 * @param string $code    Machine-readable code: the relay's own, or one of ours.
	 * @param string $message What the relay said, cut to a bearable length.
	 * @param string $detail  What was being done.
	 */
	public static function record( string $code, string $message, string $detail = '' ): void {
		$last = self::last();
		if ( '' === $detail ) {
			$detail = $last['detail'] ?? '';
		}
		$now = array(
			'code'    => self::cut( $code ),
			'message' => self::cut( $message ),
			'detail'  => self::cut( $detail ),
			'time'    => time(),
		);

		if ( null === $last || $last['code'] !== $now['code'] || $last['message'] !== $now['message'] || $now['time'] - $last['time'] >= self::FRESH_S ) {
			update_option( self::OPTION, $now );
		}
	}

	/** Forgets the failure: something worked. Costs no query if there is none. */
	public static function clear(): void {
		if ( null !== self::last() ) {
			delete_option( self::OPTION );
		}
	}

	/**
	 * Something was delivered, so what kept it is over. What is wrong with a
	 * trigger is not, and is told for an hour.
	 */
	public static function delivered(): void {
		$last = self::last();

		if ( null !== $last && ( ! in_array( $last['code'], self::TRIGGER_CODES, true ) || time() - $last['time'] > HOUR_IN_SECONDS ) ) {
			self::clear();
		}
	}

	/** The same, unless the relay does not know the site: that stays until it does. */
	public static function clear_transient(): void {
		if ( ! self::credentials_rejected() ) {
			self::clear();
		}
	}

	/**
	 * The failure that is remembered.
	 *
	 * @return array{code: string, message: string, detail: string, time: int}|null
	 */
	public static function last(): ?array {
		$last = get_option( self::OPTION );

		if ( ! is_array( $last ) || ! isset( $last['code'] ) ) {
			return null;
		}
		return array(
			'code'    => (string) $last['code'],
			'message' => (string) ( $last['message'] ?? '' ),
			'detail'  => (string) ( $last['detail'] ?? '' ),
			'time'    => (int) ( $last['time'] ?? 0 ),
		);
	}

	/** Whether the relay refuses who we say we are. */
	public static function credentials_rejected(): bool {
		$last = self::last();

		return null !== $last && in_array( $last['code'], self::REJECTED_CODES, true );
	}

	/**
	 * What a person can do about a code.
	 *
	 * @param string $code As recorded.
	 */
	public static function describe( string $code ): string {
		if ( in_array( $code, self::REJECTED_CODES, true ) ) {
			return __( 'The relay does not know this site key. Disconnect the site and connect it again; if it has constants in wp-config.php, compare WPSIGNAL_SITE_KEY with the site file or dashboard of the relay. Until then pages do not try to connect.', 'wordsocket' );
		}
		switch ( $code ) {
			case 'unreachable':
				return __( 'The relay did not answer in time. Check its address, which is WORDSOCKET_URL if wp-config.php has it, and that the web server running mod_wordsocket can be reached from this server.', 'wordsocket' );
			case 'invalid_signature':
				return __( 'The relay knows the site but not the secret. Disconnect the site and connect it again; if it has constants in wp-config.php, compare WPSIGNAL_SITE_SECRET with the site file of the relay.', 'wordsocket' );
			case 'signature_v2_required':
				return __( 'The relay wants signatures of version 2 from this site. Disconnect the site and connect it again; if it has constants in wp-config.php, define WPSIGNAL_SIGNATURE as 2.', 'wordsocket' );
			case 'user_forbidden':
				return __( 'The web server takes events of this site from processes of its owner only, and PHP did not come as that user, or came by way of another server. Ask whoever runs it about WordSocketPublisherUser.', 'wordsocket' );
			case 'stale_timestamp':
				return __( 'The clocks of this server and the relay differ by more than a minute. Set both by NTP.', 'wordsocket' );
			case 'rate_limited':
				return __( 'This site publishes faster than the relay lets it. Publish less often, or ask for a higher WordSocketPublishRate.', 'wordsocket' );
			case 'encryption_unavailable':
				return __( 'This PHP cannot encrypt. Install its OpenSSL extension; nothing is sent in the clear instead.', 'wordsocket' );
			case 'too_large':
				return __( 'Events of this size are more than the relay takes. Have the trigger send less, or ask for a higher WordSocketMaxPublish.', 'wordsocket' );
			case 'trigger_failed':
				return __( 'A trigger ended with an error, and its event was not sent. Tell whoever wrote the plugin or theme that it belongs to.', 'wordsocket' );
			case 'too_many_events':
				return __( 'Only the first events of each second were sent. Choose a hook that is called less often, or add a condition.', 'wordsocket' );
			case 'http_404':
				return __( 'There is no relay at this address. Check it, which is WORDSOCKET_URL if wp-config.php has it, and that the virtual host says "WordSocket On".', 'wordsocket' );
			default:
				return __( 'The log of the web server that runs mod_wordsocket may say more.', 'wordsocket' );
		}
	}

	/**
	 * Text of a bearable length.
	 *
	 * @param string $text Anything.
	 */
	private static function cut( string $text ): string {
		return mb_substr( wp_strip_all_tags( $text, true ), 0, self::DETAIL_CHARS );
	}
}
