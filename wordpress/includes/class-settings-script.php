<?php
/**
 * The script of the plugin's screen.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * Script handle "wpsignal-settings", and the data it is given.
 *
 * @access private
 */
final class Settings_Script {

	/** Handle for scripts of extensions to depend on. */
	public const HANDLE = 'wpsignal-settings';

	/** Where it draws. */
	public const ROOT = 'wpsignal-settings-root';

	private const ASSET = 'assets/wpsignal-settings';

	/**
	 * Hands in what the script is told.
	 *
	 * @param Config $config Relay and site.
	 */
	public function __construct( private Config $config ) {}

	/** Whether it is where it belongs; a checkout has to build it. */
	public static function is_built(): bool {
		return is_readable( self::path( '.js' ) ) && is_readable( self::path( '.asset.php' ) );
	}

	/**
	 * Adds it to the page that is being printed.
	 *
	 * @param string $tab The one that is shown.
	 */
	public function enqueue( string $tab ): void {
		if ( ! self::is_built() ) {
			return;
		}
		$asset = require self::path( '.asset.php' );
		$needs = $asset['dependencies'];
		if ( wp_script_is( Client::HANDLE, 'enqueued' ) ) {
			$needs[] = Client::HANDLE;
		}
		wp_enqueue_script( self::HANDLE, plugins_url( self::ASSET . '.js', FILE ), $needs, $asset['version'], array( 'in_footer' => true ) );
		wp_set_script_translations( self::HANDLE, 'wordsocket' );
		Page_Data::before( self::HANDLE, 'wpsignal-settings-data', $this->data( $tab ) );
		wp_enqueue_style( 'wp-components' );
		wp_enqueue_style( self::HANDLE, plugins_url( self::ASSET . '.css', FILE ), array( 'wp-components' ), $asset['version'] );
	}

	/**
	 * What window.wpsignalSettings holds. No secret.
	 *
	 * @param string $tab The one that is shown.
	 * @return array<string, mixed>
	 */
	private function data( string $tab ): array {
		return array(
			'settings'          => ( new Settings_Routes( $this->config, WPS::instance()->publisher() ) )->state(),
			'siteId'            => $this->config->is_configured() ? $this->config->site_id() : '',
			'tab'               => $tab,
			'tabUrl'            => Settings_Page::url( '' ),
			'isWpSyncAvailable' => $this->config->is_wp_sync_available(),
			'isWpRtcEnabled'    => $this->config->is_wp_rtc_enabled(),
			'isProviderBuilt'   => $this->config->is_yjs_provider_built(),
			'support'           => Collaboration::support(),
			'canSeal'           => '' !== $this->config->encryption_seed(),
			'isSealingDecided'  => has_filter( 'wordsocket_collaboration_sealed' ),
			'sharesChannels'    => $this->config->shares_channels(),
			'isLiveForVisitors' => Live_Visitors::is_on(),
			'wpVersion'         => get_bloginfo( 'version' ),
		);
	}

	/**
	 * A file of it on disk.
	 *
	 * @param string $ending Of the name.
	 */
	private static function path( string $ending ): string {
		return plugin_dir_path( FILE ) . self::ASSET . $ending;
	}
}
