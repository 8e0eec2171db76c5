<?php
/**
 * TAP, and what the plugin's PHP asks of a relay.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

declare( strict_types = 1 );

// phpcs:disable WordPress.WP.AlternativeFunctions, WordPress.Security.EscapeOutput -- There is no WordPress here.

$tests  = 0;
$failed = 0;

/**
 * One test.
 *
 * @param bool   $good What should be true.
 * @param string $name What it says.
 */
function ok( bool $good, string $name ): void {
	global $tests, $failed;

	++$tests;
	$failed += $good ? 0 : 1;
	echo ( $good ? 'ok' : 'not ok' ) . " $tests - $name\n";
}

/**
 * Two things that should be the same.
 *
 * @param mixed  $got  What there is.
 * @param mixed  $want What should be.
 * @param string $name What it says.
 */
function is( mixed $got, mixed $want, string $name ): void {
	ok( $got === $want, $name );
	if ( $got !== $want ) {
		echo '# got  ' . json_encode( $got ) . "\n# want " . json_encode( $want ) . "\n";
	}
}

/** The plan, and the end. */
function done_testing(): never {
	global $tests, $failed;

	echo "1..$tests\n";
	exit( $failed > 0 ? 1 : 0 );
}

/** An answer, as wp_remote_post gives it. */
final class Answer {
	/**
	 * What came.
	 *
	 * @param int                   $status  Of HTTP.
	 * @param string                $text    The body.
	 * @param array<string, string> $headers By names in lower case.
	 */
	public function __construct( public readonly int $status, public readonly string $text, public readonly array $headers ) {
		$this->json = json_decode( $text, true );
	}

	/**
	 * The body as JSON, or null.
	 *
	 * @var mixed
	 */
	public readonly mixed $json;

	/** Status and code of a refusal. */
	public function error(): string {
		return $this->status . ' ' . ( $this->json['error'] ?? '' );
	}

	/**
	 * Hidden fields of the form on a page.
	 *
	 * @return array<string, string>
	 */
	public function fields(): array {
		preg_match_all( '/name="(\w+)" value="([^"]*)"/', $this->text, $found, PREG_SET_ORDER );
		return array_map( 'html_entity_decode', array_column( $found, 2, 1 ) );
	}

	/** Where that form goes to, as it is written. */
	public function action(): string {
		return preg_match( '/<form [^>]*action="([^"]*)"/', $this->text, $found ) ? $found[1] : '';
	}
}

/** The plugin's requests; each on a connection of its own. */
final class Relay {
	/**
	 * A relay at a base URL.
	 *
	 * @param string $base Without a slash at its end.
	 */
	public function __construct( private readonly string $base ) {
	}

	/**
	 * One request.
	 *
	 * @param string                $method  Of HTTP.
	 * @param string                $path    Below the base.
	 * @param array<string, string> $headers More than the usual.
	 * @param string                $body    Or nothing.
	 */
	private function call( string $method, string $path, array $headers = array(), string $body = '' ): Answer {
		$lines = array( 'Connection: close', 'User-Agent: WordPress/6.9; https://replay.example' );
		foreach ( $headers as $name => $value ) {
			$lines[] = "$name: $value";
		}
		$http = array(
			'method'           => $method,
			'header'           => $lines,
			'content'          => $body,
			'ignore_errors'    => true,
			'follow_location'  => 0,
			'timeout'          => 10,
			'protocol_version' => 1.1,
		);
		$text = file_get_contents( $this->base . $path, false, stream_context_create( array( 'http' => $http ) ) );
		$all  = array();
		foreach ( $http_response_header ?? array() as $line ) {
			if ( preg_match( '/^([\w-]+):\s*(.*)$/', $line, $part ) ) {
				$all[ strtolower( $part[1] ) ] = $part[2];
			}
		}
		return new Answer( (int) substr( $http_response_header[0] ?? 'HTTP/1.1 000', 9, 3 ), (string) $text, $all );
	}

	/**
	 * A JSON body by POST.
	 *
	 * @param string                $path    Below the base.
	 * @param mixed                 $body    To be encoded.
	 * @param array<string, string> $headers More than the usual.
	 */
	private function post( string $path, mixed $body, array $headers = array() ): Answer {
		return $this->call( 'POST', $path, array( 'Content-Type' => 'application/json' ) + $headers, json_encode( $body ) );
	}

	/**
	 * Headers that sign a body.
	 *
	 * @param array<string, string> $site Its keys.
	 * @param string                $body What is signed.
	 * @return array<string, string>
	 */
	private function signed( array $site, string $body ): array {
		$ts = (string) (int) ( microtime( true ) * 1000 );
		return array(
			'X-WP-Signal-Key'  => $site['site_key'],
			'X-WP-Signal-Ts'   => $ts,
			'X-WP-Signal-Sign' => hash_hmac( 'sha256', $body . '.' . $ts, $site['publish_secret'] ),
		);
	}

	/**
	 * Manual connect.
	 *
	 * @param string $key  The API key.
	 * @param string $url  Of the site.
	 * @param string $name Of the site.
	 */
	public function register( string $key, string $url, string $name ): Answer {
		return $this->post( '/api/sites/register', array( 'site_url' => $url, 'site_name' => $name ), array( 'Authorization' => "Bearer $key" ) );
	}

	/**
	 * Disconnect.
	 *
	 * @param array<string, string> $site Its keys.
	 * @param string                $key  The API key, if one is stored.
	 */
	public function unregister( array $site, string $key = '' ): Answer {
		return $this->post(
			'/api/sites/unregister',
			array( 'site_key' => $site['site_key'], 'publish_secret' => $site['publish_secret'] ),
			'' === $key ? array() : array( 'Authorization' => "Bearer $key" )
		);
	}

	/**
	 * The end of connecting by one click.
	 *
	 * @param string $code That came to the callback.
	 */
	public function exchange( string $code ): Answer {
		return $this->post( '/api/connect/exchange', array( 'code' => $code ) );
	}

	/**
	 * One event.
	 *
	 * @param array<string, string> $site    Its keys.
	 * @param string                $channel Relative to the site.
	 * @param string                $event   Its name.
	 * @param mixed                 $data    With it.
	 */
	public function publish( array $site, string $channel, string $event, mixed $data ): Answer {
		$body = json_encode( array( 'channel' => $channel, 'event' => $event, 'data' => $data ) );
		return $this->call( 'POST', '/publish', array( 'Content-Type' => 'application/json' ) + $this->signed( $site, $body ), $body );
	}

	/**
	 * Whether the key is known: a signature that is none.
	 *
	 * @param array<string, string> $site Its keys.
	 */
	public function probe( array $site ): Answer {
		$headers = array( 'X-WP-Signal-Sign' => 'dummy' ) + $this->signed( $site + array( 'publish_secret' => '' ), '' );
		return $this->call( 'POST', '/publish', array( 'Content-Type' => 'application/json' ) + $headers, '{}' );
	}

	/**
	 * Connections of the site.
	 *
	 * @param array<string, string> $site Its keys.
	 */
	public function stats( array $site ): Answer {
		return $this->call( 'GET', '/site/stats', $this->signed( $site, '' ) );
	}

	/**
	 * The approval page, in the administrator's browser.
	 *
	 * @param array<string, string>      $query Of the redirect.
	 * @param string                     $user  And password, or nobody.
	 * @param array<string, string>|null $form  To be posted.
	 */
	public function page( array $query, string $user = '', ?array $form = null ): Answer {
		$headers = '' === $user ? array() : array( 'Authorization' => 'Basic ' . base64_encode( $user ) );
		if ( null === $form ) {
			return $this->call( 'GET', '/dashboard/connect?' . http_build_query( $query, '', '&', PHP_QUERY_RFC3986 ), $headers );
		}
		$headers['Content-Type'] = 'application/x-www-form-urlencoded';
		return $this->call( 'POST', '/dashboard/connect', $headers, http_build_query( $form ) );
	}
}
