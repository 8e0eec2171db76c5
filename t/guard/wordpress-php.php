<?php
/**
 * What the WordPress standards' security sniffs look for, as far as the tokens
 * of one statement show it. php t/guard/wordpress-php.php FILE... prints one
 * line for each fault: "file:line: what".
 *
 * A comment "phpcs:ignore WordPress.SNIFF -- why" on the line or the line before
 * lets a fault pass, and phpcs:disable until phpcs:enable, as with the standards
 * themselves; without a reason they do not.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

const ESCAPES = '/^(esc_(html|attr|url|js|textarea|xml)(__|_e|_x)?|esc_url_raw|wp_kses(_post|_data)?|wp_json_encode|absint|intval|tag_escape|number_format_i18n|wp_create_nonce|wp_nonce_field|checked|selected|disabled|get_submit_button|count|paginate_links|get_avatar)$/';
const CLEANS  = '/^(sanitize_\w+|absint|intval|wp_unslash|wp_verify_nonce|check_admin_referer|check_ajax_referer|isset|empty|unset|rest_\w+|is_string|is_array|hash_equals|in_array|preg_match|wp_kses\w*|esc_url_raw)$/';
const WORDS   = '/^(__|_e|_x|_n|_nx|_ex|esc_(html|attr)(__|_e|_x)|_n_noop)$/';
const DOMAIN  = "'wordsocket'";

foreach ( array_slice( $argv, 1 ) as $file ) {
	look( $file );
}

function look( string $file ): void {
	$code   = file_get_contents( $file );
	$tokens = token_get_all( $code, TOKEN_PARSE );
	$lets   = excuses( $code );
	$say    = static function ( int $line, string $sniff, string $text ) use ( $file, $lets ): void {
		foreach ( array( $line - 1, $line ) as $near ) {
			if ( isset( $lets[ $near ] ) && str_contains( $lets[ $near ], $sniff ) ) {
				return;
			}
		}
		echo "$file:$line: $text\n";
	};

	if ( ! preg_match( "/^defined\( '(ABSPATH|WP_UNINSTALL_PLUGIN)' \) \|\| exit;/m", $code ) ) {
		$say( 1, 'WordPress.Files', 'it runs when it is asked for directly: no defined( ... ) || exit' );
	}
	foreach ( statements( $tokens ) as $statement ) {
		of_output( $statement, $say );
		of_input( $statement, $say );
		of_sql( $statement, $say );
	}
	of_words( $tokens, $say );
}

/** Lines that are excused, with the names they excuse. */
function excuses( string $code ): array {
	$lets = array();
	$on   = '';
	foreach ( explode( "\n", $code ) as $number => $line ) {
		if ( preg_match( '/phpcs:(ignore|disable) (\S.*?) -- \S/', $line, $is ) ) {
			$lets[ $number + 1 ] = $is[2];
			$on                  = 'disable' === $is[1] ? $is[2] : $on;
		} elseif ( str_contains( $line, 'phpcs:enable' ) ) {
			$on = '';
		}
		if ( '' !== $on ) {
			$lets[ $number + 1 ] = ( $lets[ $number + 1 ] ?? '' ) . $on;
		}
	}
	return $lets;
}

/** The code in statements: lists of array( id, text, line ), no white space. */
function statements( array $tokens ): array {
	$all  = array();
	$now  = array();
	$line = 1;
	foreach ( $tokens as $token ) {
		$one  = is_array( $token ) ? $token : array( 0, $token, $line );
		$line = $one[2];
		if ( in_array( $one[0], array( T_WHITESPACE, T_COMMENT, T_DOC_COMMENT, T_INLINE_HTML ), true ) ) {
			continue;
		}
		if ( in_array( $one[1], array( ';', '{', '}' ), true ) || in_array( $one[0], array( T_OPEN_TAG, T_CLOSE_TAG ), true ) ) {
			$all[] = $now;
			$now   = array();
			continue;
		}
		$now[] = $one;
		if ( T_OPEN_TAG_WITH_ECHO === $one[0] ) {
			$now = array( array( T_ECHO, 'echo', $one[2] ) );
		}
	}
	$all[] = $now;
	return array_filter( $all );
}

/** Names of the functions that a statement calls. */
function calls( array $statement ): array {
	$names = array();
	foreach ( $statement as $at => $token ) {
		if ( '(' === ( $statement[ $at + 1 ][1] ?? '' ) ) {
			$names[] = ltrim( $token[1], '\\' );
		}
	}
	return $names;
}

/** Every variable that echo prints is inside a call that escapes, or a cast. */
function of_output( array $statement, callable $say ): void {
	$echoes = array_keys( array_filter( $statement, static fn( $token ) => in_array( $token[0], array( T_ECHO, T_PRINT ), true ) || in_array( $token[1], array( 'printf', 'vprintf', '_e', '_ex' ), true ) && T_STRING === $token[0] ) );
	if ( array() === $echoes ) {
		return;
	}
	$depth = 0;
	$safe  = array();
	for ( $at = $echoes[0]; $at < count( $statement ); $at++ ) {
		list( $id, $text, $line ) = $statement[ $at ];
		if ( '(' === $text ) {
			++$depth;
			$before = ltrim( $statement[ $at - 1 ][1] ?? '', '\\' );
			if ( preg_match( ESCAPES, $before ) ) {
				$safe[] = $depth;
			}
		} elseif ( ')' === $text ) {
			$safe = array_values( array_filter( $safe, static fn( $of ) => $of < $depth ) );
			--$depth;
		} elseif ( array() === $safe && ( T_VARIABLE === $id || in_array( $text, array( '__', '_e', '_x', '_ex', '_n' ), true ) ) && ! in_array( $statement[ $at - 1 ][0] ?? 0, array( T_INT_CAST, T_DOUBLE_CAST ), true ) && ! is_condition( $statement, $at ) ) {
			$say( $line, 'WordPress.Security.EscapeOutput', "$text is printed and not escaped" );
		}
	}
}

/** Whether what stands there only decides between two things that are printed. */
function is_condition( array $statement, int $at ): bool {
	$depth = 0;
	for ( $next = $at + 1; isset( $statement[ $next ] ) && $depth >= 0; $next++ ) {
		$text   = $statement[ $next ][1];
		$depth += in_array( $text, array( '(', '[' ), true ) ? 1 : ( in_array( $text, array( ')', ']' ), true ) ? -1 : 0 );
		if ( 0 === $depth && in_array( $text, array( '?', ',', '.', ':' ), true ) ) {
			return '?' === $text && ':' !== ( $statement[ $next + 1 ][1] ?? '' );
		}
	}
	return false;
}

/** What came with the request is cleaned where it is taken. */
function of_input( array $statement, callable $say ): void {
	foreach ( $statement as $at => list( $id, $text, $line ) ) {
		// Taken is what is read of one; not what is written, or handed on whole.
		if ( '[' !== ( $statement[ $at + 1 ][1] ?? '' ) || '=' === ( $statement[ $at + 4 ][1] ?? '' ) ) {
			continue;
		}
		if ( T_VARIABLE === $id && preg_match( '/^\$_(GET|POST|REQUEST|COOKIE|SERVER|FILES)$/', $text ) && ! preg_grep( CLEANS, calls( $statement ) ) && ! array_filter( $statement, static fn( $token ) => in_array( $token[0], array( T_ISSET, T_EMPTY, T_UNSET ), true ) ) ) {
			$say( $line, 'WordPress.Security', "$text is taken as it came" );
		}
	}
}

/** A query with a value in it is prepared. */
function of_sql( array $statement, callable $say ): void {
	foreach ( $statement as $at => list( $id, $text, $line ) ) {
		if ( '$wpdb' !== $text || ! in_array( $statement[ $at + 2 ][1] ?? '', array( 'query', 'get_var', 'get_row', 'get_col', 'get_results' ), true ) ) {
			continue;
		}
		if ( in_array( 'prepare', calls( $statement ), true ) ) {
			continue;
		}
		foreach ( array_slice( $statement, $at + 3 ) as list( $kind, $name, $where ) ) {
			if ( T_VARIABLE === $kind && '$wpdb' !== $name ) {
				$say( $where, 'WordPress.DB', "$name is in a query that is not prepared" );
			}
		}
	}
}

/** Words to translate are literal, and of our domain. */
function of_words( array $tokens, callable $say ): void {
	$tokens = array_values( array_filter( $tokens, static fn( $token ) => ! is_array( $token ) || ! in_array( $token[0], array( T_WHITESPACE, T_COMMENT ), true ) ) );
	foreach ( $tokens as $at => $token ) {
		if ( ! is_array( $token ) || T_STRING !== $token[0] || ! preg_match( WORDS, $token[1] ) || '(' !== ( $tokens[ $at + 1 ] ?? '' ) || in_array( $tokens[ $at - 1 ][1] ?? '', array( 'function', '->', '::' ), true ) ) {
			continue;
		}
		$depth = 0;
		$args  = array( array() );
		for ( $next = $at + 1; isset( $tokens[ $next ] ); $next++ ) {
			$text   = is_array( $tokens[ $next ] ) ? $tokens[ $next ][1] : $tokens[ $next ];
			$depth += '(' === $text ? 1 : ( ')' === $text ? -1 : 0 );
			if ( 0 === $depth ) {
				break;
			}
			if ( ',' === $text && 1 === $depth ) {
				$args[] = array();
			} elseif ( 1 !== $depth || '(' !== $text ) {
				$args[ count( $args ) - 1 ][] = $tokens[ $next ];
			}
		}
		$args = array_values( array_filter( $args ) );
		if ( 1 !== count( $args[0] ) || T_CONSTANT_ENCAPSED_STRING !== ( $args[0][0][0] ?? 0 ) ) {
			$say( $token[2], 'WordPress.WP.I18n', "the words of {$token[1]}() are not literal" );
		}
		$last = end( $args );
		if ( count( $last ) !== 1 || DOMAIN !== ( $last[0][1] ?? '' ) ) {
			$say( $token[2], 'WordPress.WP.I18n', "{$token[1]}() is not of our text domain" );
		}
	}
}
