<?php
/**
 * Everything the plugin stores, in one list.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Names of the stored options and transients. uninstall.php deletes ALL and
 * TRANSIENTS, site by site; a test holds every constant here against these lists.
 * What waits to be sent is in rows of its own: see Queue_Rows.
 *
 * @access private
 */
final class Options {

	/** The last failed publish: code, message, detail, time. See Notices. */
	public const LAST_ERROR = 'wpsignal_last_publish_error';

	/** Keys of the connection through the web server. See Connection. */
	public const CONNECTION = 'wordsocket_connection';

	/** Which relay elsewhere the three below are for, and whose they are. See Relay. */
	public const RELAY = 'wordsocket_relay';

	/** The site key a relay gave. */
	public const SITE_KEY = 'wpsignal_site_key';

	/** The publish secret that goes with it. */
	public const SITE_SECRET = 'wpsignal_site_secret';

	/** The secret of its tokens. */
	public const JWT_SECRET = 'wpsignal_jwt_secret';

	/** The address of a relay that was typed last. */
	public const RELAY_URL = 'wordsocket_relay_url';

	/** When something last changed that a live block may show. See Live_Stamp. */
	public const LIVE_STAMP = 'wordsocket_live_stamp';

	/** Whether live blocks update for visitors, too. See Live_Visitors. */
	public const LIVE_VISITORS = 'wordsocket_live_visitors';

	/** Whether the relay is to be left alone. See Circuit. */
	public const CIRCUIT = 'wordsocket_circuit';

	/** What the builder saved. See Saved_Triggers. */
	public const TRIGGERS = 'wpsignal_custom_triggers';

	/** Whether the block editor edits together over this connection: "1" or "0". */
	public const YJS_PROVIDER = 'wpsignal_yjs_provider_enabled';

	/** The key that says who an editor is. See Badge. */
	public const BADGE_KEY = 'wordsocket_badge_key';

	/** "1": what editors write together is not encrypted. Absent: it is. */
	public const COLLABORATION_PLAIN = 'wordsocket_collaboration_plain';

	/** What a relay was asked by one click and did not answer yet. See One_Click. */
	public const STATE = 'wpsignal_oauth_state';

	/** The code that came back, until the administrator's own browser is there. */
	public const CODE = 'wordsocket_oauth_code';

	/** Words of a relay that are shown once. See Outcome. */
	public const SAID = 'wordsocket_oauth_said';

	/** What live blocks show now, for whoever is nobody in particular. See Live_Answer. */
	public const LIVE_ANSWERS = 'wordsocket_live_answers';

	/** How many pages are connected, for live blocks. See Live_Crowd. */
	public const LIVE_CROWD = 'wordsocket_live_crowd';

	/** The options. */
	public const ALL = array(
		self::LAST_ERROR,
		self::CONNECTION,
		self::RELAY,
		self::SITE_KEY,
		self::SITE_SECRET,
		self::JWT_SECRET,
		self::RELAY_URL,
		self::LIVE_STAMP,
		self::LIVE_VISITORS,
		self::CIRCUIT,
		self::TRIGGERS,
		self::YJS_PROVIDER,
		self::BADGE_KEY,
		self::COLLABORATION_PLAIN,
	);

	/** Those that another build of the ecosystem has as well. */
	public const SHARED = array(
		self::LAST_ERROR,
		self::SITE_KEY,
		self::SITE_SECRET,
		self::JWT_SECRET,
		self::TRIGGERS,
		self::YJS_PROVIDER,
	);

	/** The transients. */
	public const TRANSIENTS = array(
		self::STATE,
		self::CODE,
		self::SAID,
		self::LIVE_ANSWERS,
		self::LIVE_CROWD,
	);
}
