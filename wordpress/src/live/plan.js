/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which events a live block asks after, and when a page asks. */

/** At once would be before others have coalesced, and before caches are warm. */
export const LEAST_MS = 250;

/** So often a page asks again after an answer that failed. */
export const RETRIES = 3;

const POSTS = /^post\.(?:created|updated|deleted)$/;
const COMMENTS = /^comment\.(?:created|updated|deleted)$/;

/** The events, as the DOM names them. */
export const EVENTS = [
	'post.created',
	'post.updated',
	'post.deleted',
	'comment.created',
	'comment.updated',
	'comment.deleted',
].map( ( event ) => `wpsignal:${ event }` );

export const GAP = 'wpsignal:wps.gap';

/**
 * Whether a block may look different after an event. What the event does not
 * say counts as a yes: the answer is compared before anything is touched.
 *
 * @param {{types: string[]|null, comments: boolean, post: number}} block What it shows.
 * @param {string}                                                  event Name.
 * @param {Object}                                                  data  Of the event.
 * @return {boolean} Whether to ask.
 */
export function concerns( block, event, data ) {
	if ( COMMENTS.test( event ) ) {
		const post = Number( data?.post_id );
		return block.comments && ( ! block.post || ! post || block.post === post );
	}
	if ( ! POSTS.test( event ) ) {
		return false;
	}
	const type = data?.post_type;
	return ! block.types || ( block.types.length > 0 && ( ! type || block.types.includes( type ) ) );
}

/**
 * A short text that two pages make alike of the same text; 53 bits.
 *
 * @param {string} text Any.
 * @return {string} Letters and digits.
 */
export function digest( text ) {
	let [ high, low ] = [ 0xdeadbeef, 0x41c6ce57 ];
	for ( let at = 0; at < text.length; at++ ) {
		const code = text.charCodeAt( at );
		high = Math.imul( high ^ code, 2654435761 );
		low = Math.imul( low ^ code, 1597334677 );
	}
	high = Math.imul( high ^ ( high >>> 16 ), 2246822507 ) ^ Math.imul( low ^ ( low >>> 13 ), 3266489909 );
	low = Math.imul( low ^ ( low >>> 16 ), 2246822507 ) ^ Math.imul( high ^ ( high >>> 13 ), 3266489909 );
	return ( 4294967296 * ( 2097151 & low ) + ( high >>> 0 ) ).toString( 36 );
}

/**
 * Decides when a page asks: not before its own moment within the spread, not
 * twice at once, not while nobody looks; events of the meantime share an answer.
 */
export class Plan {
	#news;
	#timer;
	#asking = false;
	#failures = 0;

	/**
	 * @param {Object}                             parts
	 * @param {(news: string) => Promise<boolean>} parts.ask     Asks; false if it failed.
	 * @param {number}                             parts.spread  Milliseconds.
	 * @param {() => boolean}                      parts.visible Whether somebody looks.
	 * @param {Function}                           parts.later   As setTimeout.
	 * @param {() => number}                       parts.random  As Math.random.
	 */
	constructor( { ask, spread, visible, later, random } ) {
		Object.assign( this, { ask, spread, visible, later, random } );
	}

	/**
	 * Something changed.
	 *
	 * @param {string} news Names the event, alike on every page.
	 */
	hear( news ) {
		this.#news = news;
		// A server that is in trouble is not asked as if it were not.
		this.#failures = Math.min( this.#failures, 1 );
		this.look();
	}

	/** Plans the next question, if there is one; called when somebody looks again. */
	look() {
		if ( this.#news === undefined || this.#timer !== undefined || this.#asking || ! this.visible() ) {
			return;
		}
		const wait = ( LEAST_MS + this.random() * this.spread ) * 4 ** this.#failures;
		this.#timer = this.later( () => this.#go(), wait );
	}

	async #go() {
		this.#timer = undefined;
		if ( ! this.visible() ) {
			return;
		}
		const news = this.#news;
		this.#news = undefined;
		this.#asking = true;
		const answered = await this.ask( news ).catch( () => false );
		this.#asking = false;
		this.#failures = answered ? 0 : this.#failures + 1;
		if ( ! answered && this.#failures <= RETRIES ) {
			this.#news ??= news;
		}
		this.look();
	}
}
