/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that editors of a post see of each other: those of WordPress, and
 * not what another's browser says.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { demo, is, log, ok, run, until, wp } from './lib.mjs';
import { faultsBut, isIn, newPost, openAs, pause, peerOf, start, user } from './together-parts.mjs';

const PLUGIN = join(demo.WORDPRESS_PATH, 'wp-content/mu-plugins/names.php');

/** Her browser believes that she is somebody else, and says so to everybody. */
const LIAR = `<?php
add_filter( 'rest_prepare_user', function ( $answer, $user ) {
	if ( 'eve' === $user->user_login ) {
		$answer->set_data( array( 'name' => 'admin', 'slug' => 'admin' ) + $answer->get_data() );
	}
	return $answer;
}, 10, 2 );
`;
const PLAIN = "add_filter( 'wordsocket_collaboration_sealed', '__return_false' );\n";

/** Who is in the post, as an editor shows it. */
const shown = ({ page }) => page.evaluate(() =>
  [...document.querySelectorAll('.editor-collaborators-presence .editor-avatar')].map((one) => one.ariaLabel).sort());

const shows = async (person, names, what) => {
  const wanted = JSON.stringify([...names].sort());
  await until(async () => JSON.stringify(await shown(person)) === wanted, 5000);
  is(await shown(person), JSON.parse(wanted), what);
};

async function names(browser, form, code) {
  writeFileSync(PLUGIN, LIAR + code, { mode: 0o644 });
  const post = newPost(`Names, ${form}`);
  const people = [];
  const come = async (...who) => {
    people.push(await openAs(browser, ...who));
    ok(await isIn(people.at(-1), post), `${form}: ${who[0]} is in the room`);
    return people.at(-1);
  };
  try {
    const admin = await come(demo.WORDPRESS_ADMIN, post, demo.WORDPRESS_PASSWORD);
    const eve = await come(user('eve', 'editor'), post);
    await shows(admin, ['admin', 'eve'], `${form}: one who says that she is another is seen as who she is`);
    await shows(eve, ['admin', 'admin'], `${form}: and herself alone believes it`);
    const ann = await come(user('ann', 'editor'), post);
    await shows(ann, ['admin', 'ann', 'eve'], `${form}: who comes last sees everybody`);

    await admin.page.evaluate(() => window.wordsocketCollaboration.client.drop());
    await pause(300);
    ok(await isIn(admin, post), `${form}: after a break`);
    await shows(admin, ['admin', 'ann', 'eve'], `${form}: all are there again`);

    const other = await peerOf(ann, post);
    other.awareness.setLocalState({
      collaboratorInfo: { id: 1, name: 'admin', slug: 'admin', avatar_urls: {}, browserType: 'Chrome', enteredAt: Date.now() },
      editorState: {},
    });
    other.sayAwareness();
    await pause(1000);
    const stranger = form === 'plain' ? ['Somebody unverified'] : [];
    await shows(eve, ['admin', 'admin', 'ann', ...stranger], `${form}: one without a badge has no name`);
    other.close();
    is(faultsBut(people, /ERR_|Failed to load resource|WebSocket connection/), [], `${form}: no page complains`);
  } finally {
    await Promise.all(people.map((person) => person.close()));
  }
}

run(async (atEnd) => {
  atEnd(() => rmSync(PLUGIN, { force: true }));
  const browser = await start(atEnd);
  await names(browser, 'sealed', '');
  await names(browser, 'plain', PLAIN);
  ok(!/PHP (?:Fatal|Parse|Warning|Notice)/.test(log('php.log')), 'PHP has nothing to complain of');
});
