<?php
/**
 * Where live blocks begin and end in a page.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket;

defined( 'ABSPATH' ) || exit;

/**
 * HTML comments around each live block while an answer is made. WordPress lets
 * whoever writes a comment write HTML comments as well: they must not end a
 * block, so the marks have in them what nobody can know.
 *
 * @access private
 */
final class Live_Marks {

	/** Around a live block, with salt and ID, and its end. */
	private const OPENS  = '<!--wordsocket-live:%s:%s-->';
	private const CLOSES = '<!--/wordsocket-live:%s:%s-->';

	/**
	 * Hands in what nobody can know.
	 *
	 * @param string $salt Letters and digits, of this request alone.
	 */
	public function __construct( private string $salt ) {}

	/**
	 * A live block with its marks.
	 *
	 * @param string $id   Of the block.
	 * @param string $html What it rendered.
	 */
	public function around( string $id, string $html ): string {
		return sprintf( self::OPENS, $this->salt, $id ) . $html . sprintf( self::CLOSES, $this->salt, $id );
	}

	/**
	 * The live blocks of a page, and the page itself where the router of the
	 * Interactivity API needs it.
	 *
	 * @param string $page  HTML with marks.
	 * @param int    $stamp From before it was made.
	 * @return array{stamp: int, blocks: object, page?: string}
	 */
	public function blocks_of( string $page, int $stamp ): array {
		$marks = "/<!--\\/?wordsocket-live:$this->salt:[a-z0-9-]+-->/";
		preg_match_all( "/<!--wordsocket-live:$this->salt:([a-z0-9-]+)-->/", $page, $ids );
		$blocks = array();
		$owned  = false;
		foreach ( $ids[1] as $id ) {
			$opens = sprintf( self::OPENS, $this->salt, $id );
			$from  = strpos( $page, $opens ) + strlen( $opens );
			$to    = strpos( $page, sprintf( self::CLOSES, $this->salt, $id ), $from );
			if ( false !== $to ) {
				$blocks[ $id ] = trim( (string) preg_replace( $marks, '', substr( $page, $from, $to - $from ) ) );
				$owned         = $owned || str_contains( $blocks[ $id ], '&quot;owned&quot;:true' );
			}
		}
		$answer = array(
			'stamp'  => $stamp,
			'blocks' => (object) $blocks,
		);
		return $owned ? $answer + array( 'page' => (string) preg_replace( $marks, '', $page ) ) : $answer;
	}
}
