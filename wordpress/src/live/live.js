/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Live blocks of a page: hears of changes, asks the page's own address for what
 * the blocks show now, and puts it in place.
 *
 * Events reach a page through the client, as events of the document; they only
 * say that something changed. What is shown comes from the answer, which the
 * server makes for whoever asks.
 */

import { concerns, digest, EVENTS, GAP, Plan } from './plan.js';
import { differs, isWrittenIn, morph, remember } from './morph.js';

const MARK = 'data-wordsocket-live';
const NEW = 'wordsocket-live-new';
const PATIENCE_MS = 15000;
const GLOW_MS = 2500;

/** Cookies by which WordPress may show somebody another page than others. */
const PERSONAL = /(?:^|;\s*)(?:wordpress_logged_in|wp-postpass_|comment_author_)/;

/** Outermost blocks: what is inside another comes with it. */
function blocksOf( page ) {
	return [ ...page.querySelectorAll( `[${ MARK }]` ) ]
		.filter( ( element ) => ! element.parentElement?.closest( `[${ MARK }]` ) )
		.map( ( element ) => ( { element, ...JSON.parse( element.getAttribute( MARK ) ) } ) );
}

/**
 * Starts.
 *
 * @param {Object}   parts
 * @param {Function} parts.say   Has a screen reader say a text.
 * @param {Function} parts.route Has the router show a page; false if it cannot. Left out, there is none.
 * @return {{refresh: Function}|undefined} A lever; nothing where no settings are.
 */
export function start( { say, route } ) {
	const text = document.getElementById( 'wordsocket-live' )?.dataset.settings;
	if ( ! text ) {
		return undefined;
	}
	const live = new Live( JSON.parse( text ), say, route );
	live.listen();
	return { refresh: live.refresh };
}

class Live {
	/** An answer that the router has to show, once nobody writes on the page. */
	#held;
	/** HTML that the router was handed for a block. */
	#shown = new WeakMap();
	/** Whether cookies go along because without them nothing came. */
	#withCookies = false;

	constructor( settings, say, route ) {
		this.settings = settings;
		this.say = say;
		this.route = route;
		this.stamp = settings.stamp;
		this.plan = new Plan( {
			ask: ( news ) => this.ask( news ),
			spread: settings.spread,
			visible: () => document.visibilityState === 'visible',
			later: ( act, ms ) => setTimeout( act, ms ),
			random: Math.random,
		} );
	}

	listen() {
		blocksOf( document ).forEach( ( { element } ) => remember( element ) );
		for ( const type of EVENTS ) {
			const event = type.slice( type.indexOf( ':' ) + 1 );
			document.addEventListener( type, ( { detail } ) => this.hear( event, detail?.data ) );
		}
		// A trigger that the site's owner made may call them otherwise.
		window.WPS?.onMessage( ( event, data ) => {
			if ( ! EVENTS.includes( `wpsignal:${ event }` ) && data?.post_id && data.post_type ) {
				this.hear( 'post.updated', data );
			}
		} );
		document.addEventListener( GAP, this.refresh );
		document.addEventListener( 'visibilitychange', () => this.plan.look() );
		document.addEventListener( 'focusout', () => setTimeout( () => this.showHeld() ) );
	}

	hear( event, data ) {
		if ( blocksOf( document ).some( ( block ) => concerns( block, event, data ) ) ) {
			this.plan.hear( `${ event } ${ JSON.stringify( data ) }` );
		}
	}

	refresh = () => this.plan.hear( 'refresh' );

	/** Asks once, and again past all caches if what came was no news. */
	async ask( news ) {
		const shared = digest( `${ this.stamp } ${ news }` );
		let answer = await this.fetch( shared );
		if ( answer && answer.stamp <= this.stamp && ! this.isPersonal() ) {
			answer = await this.fetch( `${ shared }-${ Math.random().toString( 36 ).slice( 2 ) }` );
		}
		if ( answer && answer.stamp >= this.stamp ) {
			this.stamp = answer.stamp;
			this.plan.spread = answer.spread ?? this.plan.spread;
			await this.show( answer );
		}
		return Boolean( answer );
	}

	isPersonal() {
		return this.settings.user || this.#withCookies || PERSONAL.test( document.cookie );
	}

	async fetch( version ) {
		const personal = this.isPersonal();
		const url = new URL( window.location.href );
		url.hash = '';
		url.searchParams.set( this.settings.argument, personal ? `u-${ Math.random().toString( 36 ).slice( 2 ) }` : version );
		const stop = new AbortController();
		const timer = setTimeout( () => stop.abort(), PATIENCE_MS );
		try {
			const answer = await fetch( url, {
				credentials: personal ? 'same-origin' : 'omit',
				headers: { Accept: 'application/json' },
				signal: stop.signal,
			} );
			// A site behind a password of the server's.
			this.#withCookies ||= answer.status === 401;
			const isOurs = answer.headers.get( 'Content-Type' )?.startsWith( 'application/json' );
			const page = isOurs && answer.status < 500 ? await answer.json() : undefined;
			return typeof page?.stamp === 'number' && page.blocks ? page : undefined;
		} finally {
			clearTimeout( timer );
		}
	}

	async show( answer ) {
		const blocks = blocksOf( document ).filter( ( { id } ) => typeof answer.blocks[ id ] === 'string' );
		const owned = blocks.filter( ( block ) => block.owned && this.route );
		const changed = blocks.filter( ( block ) => ! owned.includes( block ) && this.replace( block, answer.blocks[ block.id ] ) );
		this.#held = undefined;
		if ( owned.length && answer.page && ( await this.hand( owned, answer ) ) ) {
			changed.push( ...owned );
		}
		this.tell( changed );
	}

	/** One block, by its own HTML; whether it changed. */
	replace( { element }, html ) {
		const to = parse( html );
		if ( ! to || to.localName !== element.localName ) {
			return false;
		}
		const added = keepPlace( element, () => morph( element, to ) );
		added?.filter( ( one ) => one.localName === 'li' ).forEach( glow );
		return added !== null;
	}

	/** What the router owns, by the router; not while somebody writes. */
	async hand( owned, answer ) {
		const fresh = owned.filter( ( { element, id } ) => this.isNews( element, answer.blocks[ id ] ) );
		if ( ! fresh.length ) {
			return false;
		}
		if ( isWrittenIn( document ) ) {
			this.#held = { answer, href: window.location.href };
			return false;
		}
		if ( ! ( await this.route( answer.page ) ) ) {
			return fresh.filter( ( block ) => this.replace( block, answer.blocks[ block.id ] ) ).length > 0;
		}
		fresh.forEach( ( { element, id } ) => this.#shown.set( element, answer.blocks[ id ] ) );
		return true;
	}

	isNews( element, html ) {
		const shown = this.#shown.get( element );
		const to = shown === undefined && parse( html );
		return to ? differs( element, to ) : shown !== html;
	}

	/** The answer that had to wait. */
	showHeld() {
		const held = this.#held;
		if ( ! held || isWrittenIn( document ) ) {
			return;
		}
		this.#held = undefined;
		if ( held.href === window.location.href ) {
			this.show( held.answer );
		}
	}

	tell( changed ) {
		const { posts, comments } = this.settings;
		const texts = changed.map( ( { post } ) => ( post ? comments : posts ) );
		if ( texts.length ) {
			this.say( [ ...new Set( texts ) ].join( ' ' ) );
		}
		for ( const { element } of changed ) {
			element.dispatchEvent( new CustomEvent( 'wordsocket:live', { bubbles: true } ) );
		}
	}
}

const parse = ( html ) => new DOMParser().parseFromString( html, 'text/html' ).body.firstElementChild;

function glow( element ) {
	element.classList.add( NEW );
	setTimeout( () => {
		element.classList.remove( NEW );
		if ( ! element.className ) {
			element.removeAttribute( 'class' );
		}
	}, GLOW_MS );
}

/** Changes a block; the focus and what is read stay where they are. */
function keepPlace( block, change ) {
	const { activeElement: focused } = document;
	const selection = focused && 'selectionStart' in focused ? [ focused.selectionStart, focused.selectionEnd ] : undefined;
	const anchor = CSS.supports( 'overflow-anchor', 'auto' ) ? undefined : inView( block );
	const before = anchor?.getBoundingClientRect().top;
	const result = change();
	if ( anchor?.isConnected ) {
		window.scrollBy( 0, anchor.getBoundingClientRect().top - before );
	}
	if ( focused && focused !== document.activeElement && focused !== document.body ) {
		if ( focused.isConnected ) {
			focused.focus( { preventScroll: true } );
			if ( selection && selection[ 0 ] !== null ) {
				focused.setSelectionRange( ...selection );
			}
		} else {
			// What had the focus is gone; the next Tab goes on from the block.
			block.tabIndex = -1;
			block.focus( { preventScroll: true } );
		}
	}
	return result;
}

/** What is at the upper edge of the window, for browsers that do not anchor. */
function inView( block ) {
	const shown = ( element ) => element.getBoundingClientRect().bottom > 0;
	const inside = [ ...block.querySelectorAll( 'li, p, h2, h3' ) ].find( shown );
	return window.scrollY > 0 && block.getBoundingClientRect().top < 0 ? inside : undefined;
}
