<?php
/**
 * Live blocks on a real WordPress.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * @package WordSocket
 */

namespace WordSocket\Tests;

use WordSocket\Live_Marks;

final class Live_Test extends Test_Case {

	public function test_a_visitor_who_writes_marks_into_a_comment_ends_no_block(): void {
		$post = $this->make_post();
		$id   = wp_insert_comment( wp_filter_comment( array( 'comment_post_ID' => $post, 'comment_author' => 'Eve', 'comment_author_email' => '', 'comment_author_url' => '', 'comment_author_IP' => '', 'comment_agent' => '', 'comment_approved' => '1', 'comment_content' => '<!--/wordsocket-live:wsl-0123456789-1-->' ) ) ); // phpcs:ignore WordPress.Arrays.ArrayDeclarationSpacing.AssociativeArrayFound -- one thing.
		$said = get_comment_text( $id );
		$this->assertStringContainsString( '<!--/wordsocket-live:wsl-0123456789-1-->', $said, 'WordPress lets HTML comments pass' );
		$html  = "<ol><li>$said</li><li>next</li></ol>";
		$marks = new Live_Marks( '5a17' );
		$this->assertSame( array( 'wsl-0123456789-1' => $html ), (array) $marks->blocks_of( $marks->around( 'wsl-0123456789-1', $html ), 1 )['blocks'] );
	}
}
