/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes one tree of the page like another, touching as little as it can.
 *
 * Promise   What the server sent alike twice stays as it is, also where scripts
 *           have changed it since. Elements that are in both trees stay the same
 *           objects. A form that somebody writes in is neither changed nor
 *           removed, nor is the comment form, wherever it was moved to.
 */

/** What the server said of an element: the whole of it, and its own tag. */
const said = new WeakMap();

const ELEMENT = 1;

/** Remembers a tree as the server sent it. */
export function remember( element ) {
	said.set( element, { all: element.outerHTML, tag: tagOf( element ) } );
	for ( const child of element.children ) {
		remember( child );
	}
}

const tagOf = ( element ) => element.cloneNode( false ).outerHTML;

/** Whether the server now says something else of an element. */
export const differs = ( element, to ) => said.get( element )?.all !== to.outerHTML;

/** By what an element is known again: what stands for itself among others. */
export function keyOf( node ) {
	if ( node.nodeType !== ELEMENT ) {
		return undefined;
	}
	const key = node.getAttribute( 'data-wp-key' ) || node.id;
	if ( key ) {
		return key;
	}
	if ( node.localName !== 'li' ) {
		return undefined;
	}
	// An item of a Query Loop by its post, one of Latest Posts by its address.
	return (
		/(?:^|\s)(post-\d+)(?:\s|$)/.exec( node.className )?.[ 1 ] ??
		node.querySelector( 'a[href]' )?.getAttribute( 'href' ) ??
		undefined
	);
}

/** Whether a field holds what the page did not put there. */
export function isDirty( field ) {
	if ( field.type === 'hidden' ) {
		return false;
	}
	if ( field.type === 'checkbox' || field.type === 'radio' ) {
		return field.checked !== field.defaultChecked;
	}
	if ( field.localName === 'select' ) {
		return [ ...field.options ].some( ( one ) => one.selected !== one.defaultSelected ) && field.selectedIndex > 0;
	}
	return field.value !== field.defaultValue;
}

const FIELDS = 'input, textarea, select';

/** Whether somebody writes in a tree. */
export function isWrittenIn( root ) {
	return [ ...root.querySelectorAll( FIELDS ) ].some(
		( field ) => field === field.ownerDocument.activeElement || isDirty( field )
	);
}

/** The comment form, and what holds its place while it is at a comment. */
const RESPOND = 'respond';
const PLACE = 'wp-temp-form-div';

function pinnedIn( root, to ) {
	const pinned = new Set( root.querySelectorAll( `#${ PLACE }` ) );
	const respond = root.querySelector( `#${ RESPOND }` );
	// Comments may have been closed: then an empty form goes.
	if ( respond && ( pinned.size || isWrittenIn( respond ) || to.querySelector( `#${ RESPOND }` ) ) ) {
		pinned.add( respond );
	}
	for ( const form of root.querySelectorAll( 'form' ) ) {
		if ( isWrittenIn( form ) ) {
			pinned.add( form );
		}
	}
	return pinned;
}

const holds = ( node, pinned ) => [ ...pinned ].some( ( one ) => node.contains( one ) );

/**
 * Whoever answers a comment that is gone answers the post; the text stays.
 * The theme's own link does it, so that its script knows.
 */
function leaveGone( from, to ) {
	const parent = from.querySelector( `#${ RESPOND } [name="comment_parent"]` )?.value;
	if ( parent > 0 && ! to.querySelector( `#comment-${ parent }, #div-comment-${ parent }` ) ) {
		from.querySelector( '#cancel-comment-reply-link' )?.click();
	}
}

/**
 * Makes `from`, in the page, like `to`, which is taken apart.
 *
 * @param {Element} from In the page.
 * @param {Element} to   As the server has it now.
 * @return {Element[]|null} What is new; null if nothing changed.
 */
export function morph( from, to ) {
	if ( ! differs( from, to ) ) {
		return null;
	}
	leaveGone( from, to );
	const work = { pinned: pinnedIn( from, to ), added: [], changed: false };
	element( from, to, work );
	return work.changed ? work.added : null;
}

function element( from, to, work ) {
	const was = said.get( from );
	const now = { all: to.outerHTML, tag: tagOf( to ) };
	if ( was?.all === now.all ) {
		return;
	}
	said.set( from, now );
	if ( was?.tag !== now.tag ) {
		attributes( from, to );
		work.changed = true;
	}
	children( from, to, work );
}

function attributes( from, to ) {
	for ( const { name } of [ ...from.attributes ] ) {
		if ( ! to.hasAttribute( name ) ) {
			from.removeAttribute( name );
		}
	}
	for ( const { name, value } of to.attributes ) {
		if ( from.getAttribute( name ) !== value ) {
			from.setAttribute( name, value );
		}
	}
}

const alike = ( one, other ) => one.nodeType === other.nodeType && one.nodeName === other.nodeName;

/** The old child that a new one continues, if there is one. */
function partner( fresh, keyed, loose ) {
	const key = keyOf( fresh );
	if ( key !== undefined ) {
		const found = keyed.get( key );
		keyed.delete( key );
		return found && alike( found, fresh ) ? found : undefined;
	}
	const at = loose.findIndex( ( old ) => alike( old, fresh ) );
	// Those before it had no counterpart: they go.
	return at < 0 ? undefined : loose.splice( 0, at + 1 )[ at ];
}

function children( from, to, work ) {
	const keyed = new Map();
	const loose = [];
	for ( const old of from.childNodes ) {
		const key = keyOf( old );
		if ( work.pinned.has( old ) ) {
			continue;
		}
		if ( key !== undefined && ! keyed.has( key ) ) {
			keyed.set( key, old );
		} else {
			loose.push( old );
		}
	}
	const pairs = [ ...to.childNodes ].map( ( fresh ) => [ fresh, partner( fresh, keyed, loose ) ] );
	const kept = new Set( pairs.map( ( [ , old ] ) => old ) );
	for ( const old of [ ...from.childNodes ] ) {
		if ( ! kept.has( old ) && ! holds( old, work.pinned ) ) {
			work.changed ||= old.nodeType === ELEMENT || old.nodeValue.trim() !== '';
			old.remove();
		}
	}
	place( from, pairs, work );
}

/** Puts the children into their order; those that hold a pinned one do not move. */
function place( from, pairs, work ) {
	const stays = ( node ) => node && ! pairs.some( ( [ , old ] ) => old === node );
	let cursor = from.firstChild;
	for ( const [ fresh, old ] of pairs ) {
		while ( stays( cursor ) && holds( cursor, work.pinned ) ) {
			cursor = cursor.nextSibling;
		}
		if ( ! old ) {
			if ( ! ( fresh.nodeType === ELEMENT && isThere( fresh, work.pinned ) ) ) {
				insert( from, fresh, cursor, work );
			}
			continue;
		}
		if ( old === cursor ) {
			cursor = cursor.nextSibling;
		} else {
			from.insertBefore( old, cursor );
			work.changed = true;
		}
		update( old, fresh, work );
	}
}

/** Whether a new element is a pinned one's counterpart. */
const isThere = ( fresh, pinned ) =>
	[ ...pinned ].some( ( one ) =>
		one.id ? one.id === fresh.id : one.localName === fresh.localName && one.action === fresh.action
	);

function insert( from, fresh, before, work ) {
	const isElement = fresh.nodeType === ELEMENT;
	if ( isElement ) {
		// The same form somewhere deeper would be there twice.
		for ( const one of work.pinned ) {
			if ( one.id ) {
				fresh.querySelector( `#${ one.id }` )?.remove();
			}
		}
		remember( fresh );
		work.added.push( fresh );
	}
	work.changed ||= isElement || fresh.nodeValue.trim() !== '';
	from.insertBefore( from.ownerDocument.adoptNode( fresh ), before );
}

function update( old, fresh, work ) {
	if ( fresh.nodeType === ELEMENT ) {
		element( old, fresh, work );
	} else if ( old.nodeValue !== fresh.nodeValue ) {
		old.nodeValue = fresh.nodeValue;
		work.changed = true;
	}
}
