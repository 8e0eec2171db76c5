<?php
/**
 * What the plugin's screen asks of PHP.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Routes wpsignal/v1/settings, /stats, /publish and /extensions. For
 * administrators only; none answers with a secret.
 *
 * @access private
 */
final class Settings_Routes {

	private const MAX_NAME = 200;

	/**
	 * Hands in what is asked about.
	 *
	 * @param Config    $config    Relay and site.
	 * @param Publisher $publisher Sends.
	 */
	public function __construct( private Config $config, private Publisher $publisher ) {}

	/** Adds the routes to the REST API. */
	public function register_routes(): void {
		$this->add(
			'/settings',
			array( self::class, 'settings_schema' ),
			$this->route( 'GET', 'state' ),
			$this->route(
				'POST',
				'save',
				array(
					'yjs_provider_enabled' => array(
						'description' => __( 'Whether the block editor edits together over this connection.', 'wordsocket' ),
						'type'        => 'boolean',
					),
					'collaboration_sealed' => array(
						'description' => __( 'Whether the relay is kept from reading what people edit together.', 'wordsocket' ),
						'type'        => 'boolean',
					),
				)
			)
		);
		$this->add( '/stats', array( self::class, 'stats_schema' ), $this->route( 'GET', 'stats' ) );
		$this->add( '/extensions', array( self::class, 'extensions_schema' ), $this->route( 'GET', 'extensions' ) );
		$this->add(
			'/publish',
			array( self::class, 'done_schema' ),
			$this->route(
				'POST',
				'publish',
				array(
					'channel' => self::name( __( 'Channel within the site, such as events.', 'wordsocket' ) ),
					'event'   => self::name( __( 'Name of the event, such as post.updated.', 'wordsocket' ) ),
					'data'    => array(
						'description' => __( 'What the event carries.', 'wordsocket' ),
						'type'        => 'object',
						'default'     => array(),
					),
				)
			)
		);
	}

	/** Whether this user may: WordPress has looked at the nonce already. */
	public static function check_permission(): bool {
		return current_user_can( Settings_Page::CAPABILITY );
	}

	/**
	 * How things are. An API key is used once and not kept, so there is none.
	 *
	 * @return array<string, mixed>
	 */
	public function state(): array {
		$last = Notices::last();

		return array(
			'base_url'             => $this->config->base_url(),
			'api_key'              => Token::mask_api_key( $this->config->api_key() ),
			'site_key'             => $this->config->site_key(),
			'is_connected'         => $this->config->is_configured() && ! Notices::credentials_rejected(),
			'yjs_provider_enabled' => $this->config->yjs_provider_enabled(),
			'collaboration_sealed' => $this->config->is_collaboration_sealed(),
			'credential_source'    => $this->config->credential_source(),
			'last_error'           => null === $last ? null : $last + array( 'remedy' => Notices::describe( $last['code'] ) ),
		);
	}

	/**
	 * Changes what is named, and leaves the other as it is: two who press two
	 * switches do not undo each other.
	 *
	 * @param \WP_REST_Request $request Has yjs_provider_enabled, collaboration_sealed, or both.
	 * @return array{yjs_provider_enabled: bool, collaboration_sealed: bool}|\WP_Error How it is then: a filter may have a say.
	 */
	public function save( $request ) {
		$is_on  = $request->get_param( 'yjs_provider_enabled' );
		$sealed = $request->get_param( 'collaboration_sealed' );

		if ( null === $is_on && null === $sealed ) {
			$names = array( 'yjs_provider_enabled', 'collaboration_sealed' );
			/* translators: %s: names of parameters. */
			$error = sprintf( __( 'Name what to change: %s.', 'wordsocket' ), implode( ', ', $names ) );
			return new \WP_Error( 'rest_missing_callback_param', $error, array( 'status' => 400 ) );
		}
		if ( null !== $is_on ) {
			// As text: WordPress takes false for an option that is not there.
			update_option( Options::YJS_PROVIDER, $is_on ? '1' : '0' );
		}
		if ( true === $sealed ) {
			delete_option( Options::COLLABORATION_PLAIN );
		} elseif ( false === $sealed ) {
			update_option( Options::COLLABORATION_PLAIN, '1' );
		}
		return array(
			'yjs_provider_enabled' => $this->config->yjs_provider_enabled(),
			'collaboration_sealed' => $this->config->is_collaboration_sealed(),
		);
	}

	/**
	 * The site's connections.
	 *
	 * @return array{active_connections: int, max_connections: int}|\WP_Error
	 */
	public function stats() {
		$stats = $this->publisher->stats();
		return is_wp_error( $stats ) ? self::failed( $stats ) : $stats;
	}

	/**
	 * Publishes one event.
	 *
	 * @param \WP_REST_Request $request Has channel, event, data.
	 * @return array{ok: bool}|\WP_Error
	 */
	public function publish( $request ) {
		$done = $this->publisher->publish( $request->get_param( 'channel' ), $request->get_param( 'event' ), (array) $request->get_param( 'data' ) );
		return is_wp_error( $done ) ? self::failed( $done ) : array( 'ok' => true );
	}

	/**
	 * Extensions that are there or could be.
	 *
	 * @return array{extensions: list<array<string, mixed>>}
	 */
	public function extensions(): array {
		return array( 'extensions' => WPS::instance()->extensions()->all() );
	}

	/**
	 * A failure, with what to do about it.
	 *
	 * @param \WP_Error $error Of Publisher.
	 */
	private static function failed( \WP_Error $error ): \WP_Error {
		$about = (array) $error->get_error_data();
		if ( ! isset( $about['code'] ) ) {
			return new \WP_Error( $error->get_error_code(), $error->get_error_message(), array( 'status' => 409 ) );
		}
		return new \WP_Error(
			'wpsignal_' . $about['code'],
			trim( rtrim( $error->get_error_message(), '.' ) . '. ' . Notices::describe( $about['code'] ) ),
			array( 'status' => 502 )
		);
	}

	/**
	 * Adds one route.
	 *
	 * @param string               $path   Below the namespace.
	 * @param callable             $schema Of what it answers.
	 * @param array<string, mixed> ...$ways From route().
	 */
	private function add( string $path, callable $schema, array ...$ways ): void {
		register_rest_route( Token::ROUTE_NAMESPACE, $path, array( 'schema' => $schema ) + $ways );
	}

	/**
	 * One method of a route.
	 *
	 * @param string                              $method Of HTTP.
	 * @param string                              $answer Of this class.
	 * @param array<string, array<string, mixed>> $args   Schema of the parameters.
	 * @return array<string, mixed>
	 */
	private function route( string $method, string $answer, array $args = array() ): array {
		return array(
			'methods'             => $method,
			'args'                => $args,
			'callback'            => array( $this, $answer ),
			'permission_callback' => array( self::class, 'check_permission' ),
		);
	}

	/**
	 * Schema of the name of a channel or event.
	 *
	 * @param string $about For people.
	 * @return array<string, mixed>
	 */
	private static function name( string $about ): array {
		return array(
			'description' => $about,
			'type'        => 'string',
			'minLength'   => 1,
			'maxLength'   => self::MAX_NAME,
			'required'    => true,
		);
	}

	/** Schema of /settings. */
	public static function settings_schema(): array {
		return Rest_Schema::of(
			'wpsignal-settings',
			array(
				'base_url'             => 'string',
				'api_key'              => 'string',
				'site_key'             => 'string',
				'is_connected'         => 'boolean',
				'yjs_provider_enabled' => 'boolean',
				'collaboration_sealed' => 'boolean',
				'credential_source'    => 'string',
				'last_error'           => array( 'object', 'null' ),
			),
			array( 'yjs_provider_enabled', 'collaboration_sealed' )
		);
	}

	/** Schema of /stats. */
	public static function stats_schema(): array {
		return Rest_Schema::of(
			'wpsignal-stats',
			array(
				'active_connections' => 'integer',
				'max_connections'    => 'integer',
			)
		);
	}

	/** Schema of /extensions. */
	public static function extensions_schema(): array {
		return Rest_Schema::of( 'wpsignal-extensions', array( 'extensions' => 'array' ) );
	}

	/** Schema of /publish. */
	public static function done_schema(): array {
		return Rest_Schema::of( 'wpsignal-publish', array( 'ok' => 'boolean' ) );
	}
}
