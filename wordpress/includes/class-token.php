<?php
/**
 * What a browser shows to the relay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Mints tokens, into the page and by the route wpsignal/v1/token.
 */
final class Token {

	/** Version of the claims. */
	public const TOKEN_VERSION = 3;

	/** Namespace of the plugin's routes. */
	public const ROUTE_NAMESPACE = 'wpsignal/v1';

	/** Route that mints a token. */
	public const ROUTE = '/token';

	private const LIFETIME_S = 300;

	/** How long a cache may hand out a visitor's token. */
	private const SHARED_S = 60;

	/**
	 * Hands in what a token is made of.
	 *
	 * @param Config   $config   Site and secret.
	 * @param Channels $channels Rights.
	 */
	public function __construct( private Config $config, private Channels $channels ) {}

	/**
	 * A token for the current user.
	 *
	 * @param int|null     $now   Unix time; left out, it is now.
	 * @param list<string> $rooms Channels of rooms that the user was let into, bare.
	 * @return array{token: string, channels: list<string>, exp: int}|null Null while there is no secret to sign with.
	 */
	public function mint( ?int $now = null, array $rooms = array() ): ?array {
		if ( ! $this->config->is_configured() ) {
			return null;
		}
		$now    ??= time();
		$exp      = $now + self::LIFETIME_S;
		$channels = $this->channels_of( get_current_user_id() );

		return array(
			'token'    => Jwt::make( $this->claims( $channels, $rooms, $now, $exp ), $this->config->jwt_secret() ),
			'channels' => $channels,
			'exp'      => $exp,
		);
	}

	/**
	 * Whether the current user may have a token, and the client with it.
	 */
	public static function allowed(): bool {
		/**
		 * Filters who gets the browser client and tokens.
		 *
		 * @param bool $allow Whether the current user does; by default, whoever is logged in.
		 */
		return (bool) apply_filters( 'wpsignal_allow_client', is_user_logged_in() );
	}

	/**
	 * Whether visitors may share a token. Where a filter tells visitors apart by
	 * their cookies, they must not.
	 */
	public static function is_shared(): bool {
		/**
		 * Filters whether all visitors get the same token, which caches may hand out.
		 *
		 * @param bool $shared False where tokens depend on who the visitor is.
		 */
		return (bool) apply_filters( 'wordsocket_share_visitor_token', true );
	}

	/** Whether the relay knows this site, or cannot say. */
	public static function check_connection(): bool {
		$stats = WPS::instance()->publisher()->stats();
		if ( ! is_wp_error( $stats ) ) {
			Notices::clear();
			return true;
		}
		$code = (string) ( $stats->get_error_data()['code'] ?? '' );
		Notices::record( $code, $stats->get_error_message() );
		return ! in_array( $code, Notices::REJECTED_CODES, true );
	}

	/**
	 * Base64 with the URL alphabet and without padding.
	 *
	 * @param string $bytes Anything.
	 */
	public static function base64url_encode( string $bytes ): string {
		return Jwt::base64url( $bytes );
	}

	/**
	 * A token that reads everything of the site and writes nothing: for whoever
	 * has the secrets anyway, on the command line.
	 *
	 * @param int|null $now Unix time; left out, it is now.
	 */
	public function observer( ?int $now = null ): string {
		$now ??= time();
		return Jwt::make(
			array(
				'v'                        => self::TOKEN_VERSION,
				'tenant_id'                => $this->config->tenant_id(),
				'site_id'                  => $this->config->site_id(),
				'user_id'                  => '0',
				'allowed_channel_prefixes' => array( Channels::qualify( '', $this->config->site_id() ) ),
				'allowed_publish_prefixes' => array(),
				'iat'                      => $now,
				'exp'                      => $now + self::LIFETIME_S,
			),
			$this->config->jwt_secret()
		);
	}

	/** Key of the payload encryption in base64; empty if there is none. */
	public function encryption_key(): string {
		return base64_encode( $this->config->encryption_key() ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions.obfuscation_base64_encode -- the wire format.
	}

	/**
	 * Adds the route to the REST API.
	 */
	public function register_routes(): void {
		register_rest_route(
			self::ROUTE_NAMESPACE,
			self::ROUTE,
			array(
				'schema' => array( self::class, 'schema' ),
				array(
					'methods'             => 'GET, POST',
					'args'                => array(
						'rooms'    => Rooms::schema(),
						'badgeKey' => Badge::schema(),
					),
					'callback'            => array( $this, 'answer' ),
					// Who may have the client may have tokens; nobody else.
					'permission_callback' => array( $this, 'check_permission' ),
				),
			)
		);
	}

	/**
	 * 401 for whoever the client is closed to.
	 *
	 * @return true|\WP_Error
	 */
	public function check_permission() {
		if ( self::allowed() ) {
			return true;
		}
		return new \WP_Error(
			'wpsignal_not_allowed',
			__( 'The live connection is not open to you. Log in, or ask whoever runs this site.', 'wordsocket' ),
			array( 'status' => 401 )
		);
	}

	/**
	 * Answers the route. A visitor's GET may be answered by a cache for a minute;
	 * whoever is logged in asks by POST, or with a nonce, and nobody keeps that.
	 * Who asks for rooms is told of those that are open to him, and of no others,
	 * and gets a badge to show there.
	 *
	 * @param \WP_REST_Request $request May have rooms and badgeKey.
	 * @return \WP_REST_Response|\WP_Error
	 */
	public function answer( \WP_REST_Request $request ) {
		$asked  = $request->get_param( 'rooms' );
		$open   = is_array( $asked ) ? Rooms::open_to( get_current_user_id(), $asked ) : array();
		$now    = time();
		$minted = $this->mint( $now, array_map( array( Rooms::class, 'channel' ), $open ) );

		if ( null === $minted ) {
			return new \WP_Error(
				'wpsignal_not_configured',
				__( 'This site is not connected to a relay.', 'wordsocket' ),
				array( 'status' => 503 )
			);
		}
		// Pages of visitors do not have it, and an old page may have an old one.
		$minted['encryptionKey'] = $this->encryption_key();
		if ( is_array( $asked ) ) {
			// An object, also if it is empty.
			$minted['rooms'] = (object) Rooms::entries( $open, $this->config );
			if ( array() !== $open ) {
				$minted += Badge::answer( $request->get_param( 'badgeKey' ), $this->config, $now, $minted['exp'] );
			}
		}

		$response = new \WP_REST_Response( $minted );
		// What a filter makes of somebody's cookies is not for others.
		if ( 'GET' === $request->get_method() && ! is_user_logged_in() && array() === $_COOKIE && self::is_shared() ) {
			$response->header( 'Cache-Control', 'public, max-age=' . self::SHARED_S );
			// Somebody who shows a nonce is not answered as a visitor.
			$response->header( 'Vary', 'X-WP-Nonce' );
		} else {
			$response->header( 'Cache-Control', 'no-store, private' );
		}
		return $response;
	}

	/**
	 * What may be shown of an API key.
	 *
	 * @param string $key The key, or empty.
	 */
	public static function mask_api_key( string $key ): string {
		return '' === $key ? '' : '****' . substr( $key, -4 );
	}

	/**
	 * Schema of the answer.
	 *
	 * @return array<string, mixed>
	 */
	public static function schema(): array {
		return array(
			'$schema'    => 'http://json-schema.org/draft-04/schema#',
			'title'      => 'wpsignal-token',
			'type'       => 'object',
			'properties' => array(
				'token'         => array(
					'description' => __( 'Token to show to the relay.', 'wordsocket' ),
					'type'        => 'string',
					'readonly'    => true,
				),
				'channels'      => array(
					'description' => __( 'Channels to subscribe to.', 'wordsocket' ),
					'type'        => 'array',
					'items'       => array( 'type' => 'string' ),
					'readonly'    => true,
				),
				'exp'           => array(
					'description' => __( 'When the token ends, in Unix time.', 'wordsocket' ),
					'type'        => 'integer',
					'readonly'    => true,
				),
				'encryptionKey' => array(
					'description' => __( 'Key of what is published, in base64; empty if there is none.', 'wordsocket' ),
					'type'        => 'string',
					'readonly'    => true,
				),
				'rooms'         => array(
					'description' => __( 'Those of the rooms asked for that are open to whoever asked, with their keys.', 'wordsocket' ),
					'type'        => 'object',
					'readonly'    => true,
				),
				'badge'         => array(
					'description' => __( 'Says to the others in those rooms who asked, in the word of this site.', 'wordsocket' ),
					'type'        => 'string',
					'readonly'    => true,
				),
				'badgeIssuer'   => array(
					'description' => __( 'Public key that badges of this site are signed with: P-256, raw, in base64.', 'wordsocket' ),
					'type'        => 'string',
					'readonly'    => true,
				),
			),
		);
	}

	/**
	 * Claims of the current user's token, in the order of the wire format.
	 *
	 * @param list<string> $channels What the user's pages subscribe to.
	 * @param list<string> $rooms    Channels of rooms, to read and write; no prefix reaches those.
	 * @param int          $iat      Now.
	 * @param int          $exp      The end.
	 * @return array<string, mixed>
	 */
	private function claims( array $channels, array $rooms, int $iat, int $exp ): array {
		$user_id = get_current_user_id();
		$site_id = $this->config->site_id();

		/**
		 * Filters which channels a user may subscribe to.
		 *
		 * @param list<string> $prefixes Prefixes of channel names.
		 * @param int          $user_id  0 is a visitor.
		 * @param string       $site_id  Identifier of the site in channel names.
		 */
		$read = apply_filters(
			'wpsignal_token_channel_prefixes',
			$this->channels->allowed_prefixes( $user_id, $site_id, $channels ),
			$user_id,
			$site_id
		);

		/**
		 * Filters which channels a user's pages may send to.
		 *
		 * @param list<string> $prefixes Prefixes of channel names.
		 * @param int          $user_id  0 is a visitor.
		 * @param string       $site_id  Identifier of the site in channel names.
		 */
		$write = apply_filters(
			'wpsignal_token_publish_prefixes',
			$this->channels->allowed_publish_prefixes( $user_id, $site_id ),
			$user_id,
			$site_id
		);

		return array(
			'v'                        => self::TOKEN_VERSION,
			'tenant_id'                => $this->config->tenant_id(),
			'site_id'                  => $site_id,
			'user_id'                  => (string) $user_id,
			'allowed_channel_prefixes' => self::texts( $read ),
			'allowed_publish_prefixes' => self::texts( $write ),
			'iat'                      => $iat,
			'exp'                      => $exp,
		) + ( array() === $rooms ? array() : array( 'rooms' => array_fill_keys( $rooms, 'rw' ) ) );
	}

	/**
	 * The channels that a user's pages subscribe to by themselves.
	 *
	 * @param int $user_id 0 is a visitor.
	 * @return list<string>
	 */
	private function channels_of( int $user_id ): array {
		$site_id = $this->config->site_id();

		/**
		 * Filters the channels that pages subscribe to by themselves.
		 *
		 * @param list<string> $channels Names of channels, bare or full.
		 * @param int          $user_id  0 is a visitor.
		 * @param string       $site_id  Identifier of the site in channel names.
		 */
		$channels = apply_filters(
			'wpsignal_token_channels',
			array( Channels::qualify( Channels::EVENTS, $site_id ) ),
			$user_id,
			$site_id
		);
		return self::texts( $channels );
	}

	/**
	 * What a filter gave back, as a list of texts: a claim must never become a
	 * JSON object because somebody unset a key, nor hold what is no prefix. An
	 * empty prefix would allow everything.
	 *
	 * @param mixed $given What came out of the filter.
	 * @return list<string>
	 */
	private static function texts( $given ): array {
		$texts = array_filter(
			is_array( $given ) ? $given : array(),
			static fn( $item ): bool => is_string( $item ) && '' !== $item && 1 === preg_match( '//u', $item )
		);
		return array_values( array_unique( $texts ) );
	}
}
