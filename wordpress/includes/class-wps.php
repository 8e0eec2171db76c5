<?php
/**
 * The plugin.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Holds the parts, and every hook on one screen. Extensions know it as
 * WPSignal\WPS.
 */
final class WPS {

	/**
	 * The only one.
	 *
	 * @var self|null
	 */
	private static ?self $instance = null;

	/**
	 * The parts, in the order in which they need each other.
	 *
	 * @param Config           $config    Relay, site and secrets.
	 * @param Channels         $channels  Rights.
	 * @param Token            $token     Tokens.
	 * @param Publisher        $publisher Sends events.
	 * @param Outbox           $outbox    Events until the end of the request.
	 * @param Trigger_Registry $triggers  Hooks to events.
	 * @param Client           $client    Browser client.
	 * @param Extensions       $extensions Plugins that build on this one.
	 */
	private function __construct(
		private Config $config,
		private Channels $channels,
		private Token $token,
		private Publisher $publisher,
		private Outbox $outbox,
		private Trigger_Registry $triggers,
		private Client $client,
		private Extensions $extensions
	) {}

	/** The plugin, made when first asked for. */
	public static function instance(): self {
		if ( null === self::$instance ) {
			$config         = new Config();
			$channels       = new Channels();
			$token          = new Token( $config, $channels );
			$transport      = new Transport( $config );
			$publisher      = new Publisher( $config, $transport );
			$sender         = new Sender( $config, $transport, new Courier( $transport ), new Backlog( $config ) );
			$outbox         = new Outbox( $config, $transport, $sender );
			$triggers       = new Trigger_Registry( $outbox );
			$client         = new Client( $config, $token );
			self::$instance = new self( $config, $channels, $token, $publisher, $outbox, $triggers, $client, new Extensions() );
		}
		return self::$instance;
	}

	/**
	 * Whether it is hooked in already.
	 *
	 * @var bool
	 */
	private bool $booted = false;

	/**
	 * Hooks the plugin into WordPress, once: another build that is loaded after
	 * this one finds this class by its public name.
	 */
	public function boot(): void {
		if ( $this->booted ) {
			return;
		}
		$this->booted = true;
		// Not while plugins are being loaded: an extension whose folder sorts
		// after ours would never hear of it.
		add_action( 'plugins_loaded', array( $this, 'announce' ), 1 );
		$this->outbox->register();
		add_action( 'init', array( $this->triggers, 'register_defaults' ) );
		add_action( 'rest_api_init', array( new Trigger_Routes( $this->triggers ), 'register_routes' ) );
		add_action( 'admin_notices', array( new Queue_Notice( $this->config ), 'render' ) );
		add_action( 'rest_api_init', array( $this->token, 'register_routes' ) );
		add_action( 'rest_api_init', array( new Enroll( $this->config ), 'register_routes' ) );
		add_action( 'wp_enqueue_scripts', array( $this->client, 'enqueue' ) );
		add_action( 'admin_enqueue_scripts', array( $this->client, 'enqueue' ) );
		( new One_Click( $this->config ) )->register();
		add_filter( 'removable_query_args', array( Outcome::class, 'removable' ) );
		( new Collaboration( $this->config, $this->client ) )->register();
		Live::register( $this->config, $this->client, $this->publisher );
		add_action( 'admin_menu', array( new Settings_Page( $this->config, $this->publisher ), 'add' ) );
		add_action( 'rest_api_init', array( new Settings_Routes( $this->config, $this->publisher ), 'register_routes' ) );
		add_filter( 'wpsignal_token_channel_prefixes', array( Test_Channel::class, 'grant' ), 10, 3 );
		( new Extension_Rows( $this->extensions ) )->register();
		( new Site_Health( $this->config, $this->publisher ) )->register();
		Life::register();
		Privacy::register();
		if ( defined( 'WP_CLI' ) && WP_CLI ) {
			\WP_CLI::add_command( 'wordsocket', new Command( $this->config, $this->publisher, $this->token ) );
		}
		add_filter( 'block_categories_all', array( $this, 'register_block_category' ) );
	}

	/** Tells extensions that the API is there. */
	public function announce(): void {
		/** Fires once the public API can be used. */
		do_action( 'wpsignal_loaded' );
	}

	/**
	 * Begins a trigger.
	 *
	 * @param string $event Name of the event.
	 */
	public static function trigger( string $event ): Trigger {
		return new Trigger( $event, self::instance()->triggers );
	}

	/**
	 * Publishes one event.
	 *
	 * @param string               $channel Name within the site.
	 * @param string               $event   Name of the event.
	 * @param array<string, mixed> $data    What JSON can carry.
	 * @return array<string, mixed>|\WP_Error See Publisher::publish().
	 */
	public static function publish( string $channel, string $event, array $data = array() ) {
		return self::instance()->publisher->publish( $channel, $event, $data );
	}

	/** Relay, site and secrets. */
	public function config(): Config {
		return $this->config;
	}

	/** Rights. */
	public function channels(): Channels {
		return $this->channels;
	}

	/** Tokens. */
	public function token(): Token {
		return $this->token;
	}

	/** Sends events. */
	public function publisher(): Publisher {
		return $this->publisher;
	}

	/** Plugins that build on this one. */
	public function extensions(): Extensions {
		return $this->extensions;
	}

	/**
	 * Adds the category that blocks of the ecosystem are in.
	 *
	 * @param mixed $categories Of the block editor.
	 * @return mixed
	 */
	public function register_block_category( $categories ) {
		if ( is_array( $categories ) && ! in_array( 'wordsocket', array_column( $categories, 'slug' ), true ) ) {
			$categories[] = array(
				'slug'  => 'wordsocket',
				'title' => __( 'WordSocket', 'wordsocket' ),
				'icon'  => null,
			);
		}
		return $categories;
	}

	/** Hooks to events. */
	public function trigger_registry(): Trigger_Registry {
		return $this->triggers;
	}
}
