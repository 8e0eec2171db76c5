<?php
/**
 * What live blocks show now.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * A page asks for itself, by its own address and one argument more. WordPress
 * makes it as it always does, for whoever asks, and of that only the live
 * blocks are sent: there is no route that renders what a request names, and
 * nothing is shown that a reload would not show.
 *
 * The argument's value is the same for everybody whom one event sent here, so
 * that a cache answers all but the first of them. An answer for somebody
 * without a cookie is kept here as well, until something changes.
 *
 * @access private
 */
final class Live_Answer {

	/** The argument. */
	public const ARGUMENT = 'wordsocket-live';

	/** How long an answer without a cookie may be kept. */
	private const KEEP_S = 30;

	/** Answers above this are not kept here. */
	private const KEEP_BYTES = 65536;

	/** As many are kept: a fixed number, whatever addresses are asked for. */
	private const KEEP_ANSWERS = 8;

	/**
	 * Marks of live blocks; null if this request does not ask for them.
	 *
	 * @var Live_Marks|null
	 */
	private ?Live_Marks $marks = null;

	/**
	 * The stamp before the page was made.
	 *
	 * @var int
	 */
	private int $stamp = 0;

	/**
	 * Hands in who counts the pages that will ask.
	 *
	 * @param Live_Crowd $crowd Open pages.
	 */
	public function __construct( private Live_Crowd $crowd ) {}

	/** Hooks in, if this is such a request. */
	public function register(): void {
		// phpcs:disable WordPress.Security.NonceVerification.Recommended, WordPress.Security.ValidatedSanitizedInput -- reads, changes nothing; the value is not used.
		if ( ! isset( $_GET[ self::ARGUMENT ] ) || 'GET' !== ( $_SERVER['REQUEST_METHOD'] ?? '' ) || is_admin() ) {
			return;
		}
		// The page must not know of it: its links are made of its address.
		$uri = (string) ( $_SERVER['REQUEST_URI'] ?? '' );
		unset( $_GET[ self::ARGUMENT ], $_REQUEST[ self::ARGUMENT ] );
		$_SERVER['REQUEST_URI']  = self::without( $uri );
		$_SERVER['QUERY_STRING'] = (string) wp_parse_url( 'http://x' . $_SERVER['REQUEST_URI'], PHP_URL_QUERY );
		// phpcs:enable

		$this->marks = new Live_Marks( bin2hex( random_bytes( 8 ) ) );
		add_filter( 'redirect_canonical', '__return_false' );
		// Whoever redirects or refuses does so first, by the address of the visitor
		// maybe: a kept answer has to wait for that as well.
		add_action( 'template_redirect', array( $this, 'begin' ), PHP_INT_MAX );
	}

	/** Marks of live blocks; null if this request does not ask for them. */
	public function marks(): ?Live_Marks {
		return $this->marks;
	}

	/**
	 * An address without the argument.
	 *
	 * @param string $uri Path and query.
	 */
	public static function without( string $uri ): string {
		$uri = preg_replace( '/([?&])' . self::ARGUMENT . '(?:=[^&#]*)?(?:&|$)/', '$1', $uri ) ?? $uri;

		return rtrim( $uri, '?&' );
	}

	/**
	 * Sends a kept answer, if one is still true, and ends the request. Otherwise
	 * the page is kept back from here on.
	 */
	public function begin(): void {
		$kept = self::may_share() ? self::kept()[ self::address() ]['body'] ?? null : null;
		if ( null !== $kept ) {
			self::headers( true );
			echo $kept; // phpcs:ignore WordPress.Security.EscapeOutput.OutputNotEscaped -- JSON, and said to be.
			exit;
		}
		$this->stamp = Live_Stamp::known();
		ob_start( array( $this, 'answer' ) );
	}

	/** Has the open pages counted, once this one is out. */
	public function count(): void {
		if ( function_exists( 'fastcgi_finish_request' ) ) {
			fastcgi_finish_request();
		}
		$this->crowd->count();
	}

	/**
	 * The answer in place of the page.
	 *
	 * @param string $page  All of it.
	 * @param int    $phase PHP_OUTPUT_HANDLER_...
	 */
	public function answer( string $page, int $phase ): string {
		if ( ! ( $phase & PHP_OUTPUT_HANDLER_FINAL ) ) {
			return '';
		}
		$blocks = $this->marks->blocks_of( $page, $this->stamp );
		$body   = (string) wp_json_encode( $blocks + array( 'spread' => Live_Crowd::spread_ms() ), JSON_UNESCAPED_SLASHES | JSON_UNESCAPED_UNICODE );
		$shared = self::may_share() && 200 === http_response_code();
		self::headers( $shared );
		// Anybody may ask any page: one without a live block costs what it costs, and writes nothing.
		if ( array() !== (array) $blocks['blocks'] ) {
			// WordPress has sent everything by then.
			add_action( 'shutdown', array( $this, 'count' ), 100 );
			if ( $shared && strlen( $body ) <= self::KEEP_BYTES ) {
				self::keep( $body, $this->stamp );
			}
		}
		if ( ! defined( 'DONOTCACHEPAGE' ) ) {
			// A cache of whole pages, which looks after this, would keep one of these for every event.
			define( 'DONOTCACHEPAGE', true ); // phpcs:ignore WordPress.NamingConventions.PrefixAllGlobals.NonPrefixedConstantFound -- the name all of them know.
		}
		return $body;
	}

	/** Whether nothing says so far that this page is for one person. */
	private static function may_share(): bool {
		return self::is_anybody()
			&& ! ( defined( 'DONOTCACHEPAGE' ) && constant( 'DONOTCACHEPAGE' ) )
			&& ! self::is_personal( headers_list() );
	}

	/**
	 * Whether something about a response says that it is for one person.
	 *
	 * @param array $headers Lines.
	 * @phpstan-param list<string> $headers
	 */
	public static function is_personal( array $headers ): bool {
		return array() !== preg_grep( '/^(?:set-cookie:|cache-control:.*\b(?:no-store|no-cache|private)\b)/i', $headers );
	}

	/**
	 * Answers that are still true, by address.
	 *
	 * @return array<string, array{body: string, until: int}>
	 */
	private static function kept(): array {
		$kept = get_transient( Options::LIVE_ANSWERS );

		return is_array( $kept ) && Live_Stamp::known() === ( $kept['stamp'] ?? null )
			? array_filter( $kept['answers'], static fn( array $one ): bool => $one['until'] > time() )
			: array();
	}

	/**
	 * Keeps an answer beside the last others. Two requests that do so at once
	 * may lose one, which is then made again.
	 *
	 * @param string $body  The answer.
	 * @param int    $stamp From before it was made.
	 */
	private static function keep( string $body, int $stamp ): void {
		if ( 0 === $stamp || Live_Stamp::known() !== $stamp ) {
			return;
		}
		$answers = array(
			self::address() => array(
				'body'  => $body,
				'until' => time() + self::KEEP_S,
			),
		);
		set_transient(
			Options::LIVE_ANSWERS,
			array(
				'stamp'   => $stamp,
				'answers' => array_slice( $answers + self::kept(), 0, self::KEEP_ANSWERS, true ),
			),
			self::KEEP_S
		);
	}

	/** Whether whoever asks shows nothing by which they could be somebody. */
	private static function is_anybody(): bool {
		// WordPress's own .htaccess sets an empty authorization.
		return array() === $_COOKIE && empty( $_SERVER['PHP_AUTH_USER'] ) && empty( $_SERVER['HTTP_AUTHORIZATION'] );
	}

	/** Which page is asked for. */
	private static function address(): string {
		// phpcs:ignore WordPress.Security.ValidatedSanitizedInput -- only compared.
		return ( is_ssl() ? 'https://' : 'http://' ) . ( $_SERVER['HTTP_HOST'] ?? '' ) . ( $_SERVER['REQUEST_URI'] ?? '' );
	}

	/**
	 * What goes before an answer.
	 *
	 * @param bool $shared Whether others may get it.
	 */
	private static function headers( bool $shared ): void {
		if ( headers_sent() ) {
			return;
		}
		header( 'Content-Type: application/json; charset=UTF-8' );
		header( 'X-Content-Type-Options: nosniff' );
		header( 'X-Robots-Tag: noindex' );
		header( 'Cache-Control: ' . ( $shared ? 'public, max-age=' . self::KEEP_S : 'private, no-store' ) );
	}
}
