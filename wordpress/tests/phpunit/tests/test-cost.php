<?php
/**
 * What the plugin costs a page that has nothing to do with it.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\WPS;

final class Cost_Test extends Test_Case {

	/**
	 * As at the beginning of a request without a persistent object cache.
	 *
	 * @return list<string> Queries of a visitor's page, as far as they are ours.
	 */
	private function queries(): array {
		$asked = array();
		wp_cache_flush();
		wp_load_alloptions();
		$note = static function ( string $query ) use ( &$asked ): string {
			$asked[] = $query;
			return $query;
		};
		add_filter( 'query', $note );
		WPS::instance()->trigger_registry()->register_defaults();
		do_action( 'wp_enqueue_scripts' );
		remove_filter( 'query', $note );
		return array_values( array_filter( $asked, static fn( string $query ): bool => 1 === preg_match( '/wordsocket|wpsignal/', $query ) ) );
	}

	public function test_a_page_of_a_visitor_costs_one_query_for_all_options(): void {
		wp_set_current_user( 0 );
		$this->assertLessThanOrEqual( 1, count( $this->queries() ), implode( "\n", $this->queries() ) );
	}

	public function test_a_page_of_somebody_who_is_logged_in_too(): void {
		$this->log_in( 'subscriber' );
		$this->assertLessThanOrEqual( 1, count( $this->queries() ), implode( "\n", $this->queries() ) );
	}
}
