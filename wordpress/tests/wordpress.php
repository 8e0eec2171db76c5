<?php
/**
 * As much of WordPress as the tests touch, written to remember what was asked
 * of it. What this cannot show (hooks that really fire, routes that really
 * answer) is shown against a real WordPress in t/browser.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

define( 'ABSPATH', __DIR__ . '/' );
define( 'HOUR_IN_SECONDS', 3600 );

/** What the fake WordPress is at the moment. */
final class World {
	public static array $filters   = array();
	public static array $actions   = array();
	public static array $options   = array();
	public static array $requests  = array();
	public static array $caps      = array();
	public static array $wrong     = array();
	public static array $viewable  = array( 'post', 'page' );
	public static array $posts     = array();
	public static array $comments  = array();
	public static array $users     = array();
	public static int $user_id     = 0;
	public static bool $network    = false;
	public static array $transients = array();
	public static string $admin    = 'https://example.org';
	/** Answer to the next requests: array, WP_Error, or a function. */
	public static mixed $answer    = null;
	/** Events of cron. */
	public static array $scheduled = array();
	/** What a query would have cost. */
	public static int $deletions   = 0;
	public static int $updates     = 0;

	/** An HTTP response. */
	public static function response( int $status, string $body = '' ): array {
		return array(
			'response' => array( 'code' => $status ),
			'body'     => $body,
		);
	}
}

/** A database that knows the options of the world, and forgets rows of the queue. */
final class Fake_Database {
	public string $options = 'wp_options';
	public array $asked    = array();

	public function prepare( string $query, ...$values ): string {
		return vsprintf( str_replace( '%s', "'%s'", $query ), is_array( $values[0] ) ? $values[0] : $values );
	}

	public function esc_like( string $text ): string {
		return addcslashes( $text, '_%\\' );
	}

	public function query( string $query ): int {
		$this->asked[] = $query;
		return 1;
	}

	public function get_var( string $query ): ?string {
		preg_match( "/option_name = '([^']+)'/", $query, $is );
		$value = World::$options[ $is[1] ] ?? null;
		return null === $value ? null : (string) maybe_serialize( $value );
	}

	public function get_results( string $query ): array {
		return array();
	}

	public function get_row( string $query ): ?object {
		return null;
	}

	public function delete( string $table, array $where ): int {
		return 1;
	}
}

$GLOBALS['wpdb'] = new Fake_Database();

class WP_Error {
	public function __construct( private string $code, private string $message = '', private mixed $data = null ) {}
	public function get_error_code(): string {
		return $this->code;
	}
	public function get_error_message(): string {
		return $this->message;
	}
	public function get_error_data(): mixed {
		return $this->data;
	}
}

class WP_REST_Response {
	public array $headers = array();
	public function __construct( public mixed $data ) {}
	public function header( string $name, string $value ): void {
		$this->headers[ $name ] = $value;
	}
}

class WP_REST_Request {
	public function __construct( private array $params = array(), private string $method = 'POST' ) {}
	public function get_method(): string {
		return $this->method;
	}
	public function get_param( string $name ): mixed {
		return $this->params[ $name ] ?? null;
	}
}

class WP_Post {
	public int $ID                = 7;
	public string $post_status    = 'publish';
	public string $post_type      = 'post';
	public string $post_title     = 'Title';
	public string $post_excerpt   = '';
	public string $post_content   = '';
	public string $post_password  = '';
	public function __construct( array $fields = array() ) {
		foreach ( $fields as $name => $value ) {
			$this->$name = $value;
		}
	}
}

function add_filter( string $hook, callable $callback, int $priority = 10, int $args = 1 ): bool {
	World::$filters[ $hook ][] = array( $callback, $args );
	return true;
}

/** As much of a comment as events tell, and more. */
class WP_Comment {
	public string $comment_ID           = '3';
	public string $comment_post_ID      = '7';
	public string $comment_parent       = '0';
	public string $comment_approved     = '1';
	public string $comment_type         = 'comment';
	public string $comment_author       = 'Ann';
	public string $comment_author_email = 'ann@example.org';
	public string $comment_author_IP    = '192.0.2.7';
	public string $comment_content      = 'Hello';
	public string $comment_date_gmt     = '2023-11-14 22:13:20';
	public function __construct( array $fields = array() ) {
		foreach ( $fields as $name => $value ) {
			$this->$name = $value;
		}
	}
}

/** As much of a term. */
class WP_Term {
	public int $term_id     = 5;
	public string $name     = 'News';
	public string $slug     = 'news';
	public string $taxonomy = 'category';
}

/** As much of a user. */
class WP_User {
	public int $ID              = 9;
	public string $display_name = 'Bob';
	public string $user_email   = 'bob@example.org';
	public string $user_pass    = '$P$secret';
	public array $roles         = array( 'editor', 'shop' );
}

function remove_filter( string $hook, callable $callback ): bool {
	$kept                    = array_filter( World::$filters[ $hook ] ?? array(), static fn( array $is ): bool => $is[0] !== $callback );
	World::$filters[ $hook ] = array_values( $kept );
	return true;
}

function remove_action( string $hook, callable $callback ): bool {
	return remove_filter( $hook, $callback );
}

function add_action( string $hook, callable $callback, int $priority = 10, int $args = 1 ): bool {
	return add_filter( $hook, $callback, $priority, $args );
}

function apply_filters( string $hook, $value, ...$more ) {
	foreach ( World::$filters[ $hook ] ?? array() as list( $callback, $args ) ) {
		$value = $callback( ...array_slice( array( $value, ...$more ), 0, $args ) );
	}
	return $value;
}

function do_action( string $hook, ...$args ): void {
	World::$actions[ $hook ] = ( World::$actions[ $hook ] ?? 0 ) + 1;
	apply_filters( $hook, ...$args );
}

function is_ssl(): bool {
	return false;
}

function __return_false(): bool {
	return false;
}

function is_admin(): bool {
	return false;
}

function did_action( string $hook ): int {
	return World::$actions[ $hook ] ?? 0;
}

function get_option( string $name, $otherwise = false ) {
	return World::$options[ $name ] ?? $otherwise;
}

function wp_load_alloptions(): array {
	return array_map( 'maybe_serialize', World::$options );
}

function maybe_serialize( $value ) {
	return is_array( $value ) ? serialize( $value ) : $value;
}

function maybe_unserialize( $value ) {
	return is_string( $value ) && str_starts_with( $value, 'a:' ) ? unserialize( $value ) : $value;
}

function get_current_blog_id(): int {
	return 1;
}

function wp_doing_cron(): bool {
	return false;
}

function wp_next_scheduled( string $hook ) {
	return World::$scheduled[ $hook ] ?? false;
}

function wp_schedule_single_event( int $at, string $hook ): bool {
	World::$scheduled[ $hook ] = $at;
	return true;
}

function wp_clear_scheduled_hook( string $hook ): void {
	unset( World::$scheduled[ $hook ] );
}

function update_option( string $name, $value, $autoload = null ): bool {
	++World::$updates;
	World::$options[ $name ] = $value;
	return true;
}

function delete_option( string $name ): bool {
	++World::$deletions;
	unset( World::$options[ $name ] );
	return true;
}

function get_transient( string $name ) {
	return World::$transients[ $name ] ?? false;
}

function set_transient( string $name, $value, int $seconds ): bool {
	World::$transients[ $name ] = $value;
	return true;
}

function delete_transient( string $name ): bool {
	$was = isset( World::$transients[ $name ] );
	unset( World::$transients[ $name ] );
	return $was;
}

function wp_prime_option_caches( array $names ): void {}

function admin_url( string $path = '' ): string {
	return World::$admin . "/wp-admin/$path";
}

function is_multisite(): bool {
	return World::$network;
}

function auth_redirect(): void {}

function wp_parse_url( string $url, int $component = -1 ) {
	return parse_url( $url, $component );
}

function wp_specialchars_decode( string $text, int $quotes ): string {
	return htmlspecialchars_decode( $text, $quotes );
}

function wp_remote_post( string $url, array $args ) {
	World::$requests[] = array( 'POST', $url, $args );
	return is_callable( World::$answer ) ? ( World::$answer )() : World::$answer;
}

function wp_remote_get( string $url, array $args ) {
	World::$requests[] = array( 'GET', $url, $args );
	return is_callable( World::$answer ) ? ( World::$answer )() : World::$answer;
}

function wp_remote_retrieve_response_code( array $response ) {
	return $response['response']['code'];
}

function wp_remote_retrieve_header( array $response, string $name ): string {
	return $response['headers'][ $name ] ?? '';
}

function wp_remote_retrieve_body( array $response ): string {
	return $response['body'];
}

function is_wp_error( $thing ): bool {
	return $thing instanceof WP_Error;
}

function wp_json_encode( $value, int $flags = 0 ) {
	return json_encode( $value, $flags );
}

function sanitize_key( string $key ): string {
	return preg_replace( '/[^a-z0-9_\-]/', '', strtolower( $key ) );
}

function wp_strip_all_tags( string $text, bool $breaks = false ): string {
	$text = strip_tags( $text );
	return trim( $breaks ? preg_replace( '/[\r\n\t ]+/', ' ', $text ) : $text );
}

function wp_trim_words( string $text, int $words ): string {
	$all = preg_split( '/\s+/', wp_strip_all_tags( $text ), -1, PREG_SPLIT_NO_EMPTY );
	return implode( ' ', array_slice( $all, 0, $words ) ) . ( count( $all ) > $words ? '&hellip;' : '' );
}

function excerpt_remove_blocks( string $text ): string {
	return $text;
}

function strip_shortcodes( string $text ): string {
	return preg_replace( '/\[[^\]]*\]/', '', $text );
}

function user_can( int $user_id, string $capability ): bool {
	return in_array( $capability, World::$caps[ $user_id ] ?? array(), true );
}

function get_current_user_id(): int {
	return World::$user_id;
}

function is_user_logged_in(): bool {
	return World::$user_id > 0;
}

function _doing_it_wrong( string $where, string $message, string $since ): void {
	World::$wrong[] = $message;
}

function __( string $text, string $domain ): string {
	return $text;
}

function esc_html__( string $text, string $domain ): string {
	return $text;
}

function wp_is_post_autosave( int $id ): bool {
	return 1001 === $id;
}

function wp_is_post_revision( int $id ): bool {
	return 1002 === $id;
}

function get_post( $post ) {
	return $post instanceof WP_Post ? $post : ( World::$posts[ $post ] ?? null );
}

function get_post_type( int $id ) {
	return World::$posts[ $id ]->post_type ?? false;
}

function get_comment( $comment ) {
	return $comment instanceof WP_Comment ? $comment : ( World::$comments[ $comment ] ?? null );
}

function get_userdata( int $id ) {
	return World::$users[ $id ] ?? false;
}

function is_taxonomy_viewable( string $taxonomy ): bool {
	return 'category' === $taxonomy;
}

function get_term( $term ) {
	return $term instanceof WP_Term ? $term : null;
}

function is_post_publicly_viewable( WP_Post $post ): bool {
	return 'publish' === $post->post_status && is_post_type_viewable( $post->post_type );
}

function mysql2date( string $format, string $date, bool $translate ): string {
	return gmdate( $format, strtotime( $date ) );
}

function is_email( string $text ) {
	return filter_var( $text, FILTER_VALIDATE_EMAIL );
}

function is_post_type_viewable( string $type ): bool {
	return in_array( $type, World::$viewable, true );
}

function get_permalink( WP_Post $post ): string {
	return "https://example.org/?p=$post->ID";
}

function get_post_modified_time( string $format, bool $gmt, WP_Post $post ): string {
	return '2023-11-14T22:13:20+00:00';
}

function register_deactivation_hook( string $file, callable $callback ): void {
	World::$filters["deactivate_$file"][] = array( $callback, 1 );
}
