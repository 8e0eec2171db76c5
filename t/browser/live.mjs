/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Live blocks on a real WordPress: switched on by clicks in the editor, they
 * show on an open page what others publish, change and remove, while whoever
 * reads it writes a comment there.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isConnected, logIn, openEditor, SITE } from './editor.mjs';
import { parts } from './live-parts.mjs';
import { demo, faultsOf, is, launch, log, note, ok, run, shoot, until, wp } from './lib.mjs';

const QUERY = (attrs, inner = '') => `<!-- wp:query ${JSON.stringify({ queryId: 3, query: { perPage: 3, pages: 0, offset: 0, postType: 'post', order: 'desc', orderBy: 'date', inherit: false }, ...attrs })} -->
<div class="wp-block-query"><!-- wp:post-template -->
<!-- wp:post-title {"isLink":true,"level":3} /-->
<!-- /wp:post-template -->${inner}</div>
<!-- /wp:query -->`;

const LATEST = (attrs) => `<!-- wp:latest-posts ${JSON.stringify({ postsToShow: 3, displayPostContent: true, ...attrs })} /-->`;

const COMMENTS = (attrs) => `<!-- wp:comments${attrs ? ` ${JSON.stringify(attrs)}` : ''} -->
<div class="wp-block-comments"><!-- wp:comments-title {"level":3} /-->

<!-- wp:comment-template -->
<!-- wp:comment-author-name /-->

<!-- wp:comment-content /-->

<!-- wp:comment-reply-link /-->
<!-- /wp:comment-template -->

<!-- wp:post-comments-form /--></div>
<!-- /wp:comments -->`;

const PAGING = `
<!-- wp:query-pagination -->
<!-- wp:query-pagination-previous /-->

<!-- wp:query-pagination-next /-->
<!-- /wp:query-pagination -->`;

const ON = { wordsocketLive: true };

/** A page of WordPress; its ID and address. */
function page(title, content, ...more) {
  const id = wp('post', 'create', '--post_type=page', '--post_status=publish', `--post_title=${title}`,
    `--post_content=${content}`, '--comment_status=open', '--porcelain', ...more);
  return { id, url: wp('eval', `echo get_permalink( ${id} );`) };
}

const post = (title, ...more) => wp('post', 'create', '--post_status=publish', `--post_title=${title}`, '--porcelain', ...more);

const comment = (of, text, ...more) => wp('comment', 'create', `--comment_post_ID=${of}`, `--comment_content=${text}`,
  '--comment_author=Ada', '--comment_author_email=ada@example.test', '--porcelain', ...more);

/** A request of nobody in particular, on a connection of its own. */
const get = (url, headers = {}) => new Promise((done, failed) => {
  request(url, { headers, agent: false }, async (answer) => {
    const text = Buffer.concat(await answer.toArray()).toString();
    done({ status: answer.statusCode, headers: answer.headers, text });
  }).on('error', failed).end();
});

const texts = (tab, selector) => tab.locator(selector).allInnerTexts();

const TITLES = '.wp-block-query .wp-block-post-title';

/** Whether a tab shows a list, within the time an update may take. */
async function shows(tab, selector, want, name) {
  const same = async () => JSON.stringify(await texts(tab, selector)) === JSON.stringify(want);
  if (!ok(await until(same, 4000), name)) note(`got ${JSON.stringify(await texts(tab, selector))}`);
}

/** Opens a page and counts what it asks for. */
async function visit(context, url) {
  const tab = await context.newPage();
  const asked = [];
  tab.on('request', (one) => {
    if (one.url().includes('wordsocket-live=')) asked.push(one);
  });
  await tab.addInitScript(() => { window.since = Math.random(); });
  const faults = faultsOf(tab);
  await tab.goto(url);
  const since = await tab.evaluate(() => window.since);
  return { tab, asked, faults, reloaded: async () => (await tab.evaluate(() => window.since)) !== since };
}

/** The switch, by the clicks of a site owner. */
async function switchedOnInTheEditor(context) {
  const { id, url } = page('Switched', `${QUERY({})}\n\n${LATEST({})}\n\n${COMMENTS()}`);
  const editor = await context.newPage();
  const faults = faultsOf(editor);
  await openEditor(editor, id);
  for (const name of ['core/query', 'core/latest-posts', 'core/comments']) {
    await editor.evaluate((wanted) => {
      const { dispatch, select } = window.wp.data;
      const block = select('core/block-editor').getBlocks().find((one) => one.name === wanted);
      dispatch('core/block-editor').selectBlock(block.clientId);
      dispatch('core/interface').enableComplementaryArea('core', 'edit-post/block');
    }, name);
    const panel = editor.getByRole('button', { name: 'Live', exact: true });
    await panel.click();
    const toggle = editor.getByRole('checkbox', { name: 'Update in place' });
    ok(!(await toggle.isChecked()), `${name} has a switch, which is off`);
    await toggle.click();
    ok(await toggle.isChecked(), 'a click switches it on');
    if (name === 'core/query') {
      ok(await editor.getByText('Only people who are logged in get updates').isVisible(), 'it says who gets updates');
      await editor.getByRole('button', { name: 'Update for visitors, too' }).scrollIntoViewIfNeeded();
      const waits = async () => (await Promise.all(editor.frames().map((frame) => frame.locator('.components-spinner').count()))).some((count) => count > 0);
      await until(async () => !await waits(), 10000);
      await shoot(editor, 'live-switch');
      await editor.getByRole('button', { name: 'Update for visitors, too' }).click();
      ok(await until(() => editor.getByText('Everybody who has the page open gets updates.').isVisible()), 'and opens them to visitors by one click');
      is(wp('option', 'get', 'wordsocket_live_visitors'), '1', 'which is kept');
    }
  }
  const button = editor.locator('.editor-post-publish-button');
  await button.click();
  ok(await until(() => editor.evaluate(() => !window.wp.data.select('core/editor').isEditedPostDirty()), 10000), 'the page is saved');
  is((wp('post', 'get', id, '--field=post_content').match(/"wordsocketLive":true/g) ?? []).length, 3, 'with three blocks switched on');
  await openEditor(editor, id);
  const blocks = await editor.evaluate(() => window.wp.data.select('core/block-editor').getBlocks().map((one) => [one.isValid, one.attributes.wordsocketLive]));
  is(blocks, [[true, true], [true, true], [true, true]], 'after a reload they are, and every block is valid');
  is(faults, [], 'the editor reports no error');
  await editor.close();
  return { id, url };
}

/** What others do shows in place, while somebody reads and writes. */
async function updatedInPlace(visitor, { id, url }) {
  const { tab, asked, faults, reloaded } = await visit(visitor, url);
  ok(await isConnected(tab, 'ws'), 'a visitor of the page is connected');
  const before = await texts(tab, TITLES);

  const first = post('Brand new');
  await shows(tab, TITLES, ['Brand new', ...before].slice(0, 3), 'a post that is published appears in the Query Loop');
  is((await texts(tab, '.wp-block-latest-posts__post-title'))[0], 'Brand new', 'and in Latest Posts');
  is(asked.length, 1, 'by one request');
  ok(await until(() => tab.locator('#wordsocket-live').textContent().then((text) => text === 'The list of posts was updated.')), 'a screen reader is told');
  await shoot(tab, 'live-new-post');

  const link = tab.locator(`${TITLES} a`).nth(1);
  const focused = await link.innerText();
  await link.focus();
  wp('post', 'update', first, '--post_title=Renamed');
  await shows(tab, TITLES, ['Renamed', ...before].slice(0, 3), 'a changed title shows');
  const second = post('Another');
  await shows(tab, TITLES, ['Another', 'Renamed', ...before].slice(0, 3), 'so does another post');
  is(await tab.evaluate(() => document.activeElement.innerText), focused, 'the focus stays on the link it was on');
  wp('post', 'delete', second);
  await shows(tab, TITLES, ['Renamed', ...before].slice(0, 3), 'what goes to the trash disappears');

  // What an earlier answer showed already is still asked for.
  await tab.waitForTimeout(1000);
  const told = asked.length;
  for (const status of ['draft', 'private']) wp('post', 'create', `--post_status=${status}`, '--post_title=Hidden');
  wp('post', 'create', '--post_status=publish', '--post_type=page', '--post_title=A page');
  await tab.waitForTimeout(1500);
  is(asked.length, told, 'a draft, a private post and one of another type ask for nothing');

  await whileSomebodyWrites(tab, id);
  for (const one of asked) {
    const answer = await one.response();
    if (!ok(answer.status() === 200 && /^application\/json/.test(answer.headers()['content-type']), 'every question is answered')) break;
  }
  ok(!(await reloaded()), 'the page was not loaded again');
  is(faults, [], 'and reports no error');
  note(`${asked.length} requests in all`);
  await tab.close();
  wp('post', 'delete', first, '--force');
}

async function whileSomebodyWrites(tab, id) {
  const CONTENT = '.wp-block-comment-content';
  const one = comment(id, 'First words');
  await shows(tab, CONTENT, ['First words'], 'a comment appears');
  await tab.locator('.comment-reply-link').first().click();
  const field = tab.locator('#comment');
  await field.pressSequentially('A half-written answ');
  await tab.locator('#author').fill('Bob');
  await field.focus();
  await tab.evaluate(() => document.querySelector('#comment').setSelectionRange(2, 6));

  const two = comment(id, 'Waits', '--comment_approved=0');
  await tab.waitForTimeout(1000);
  is(await texts(tab, CONTENT), ['First words'], 'one that waits for approval does not');
  wp('comment', 'approve', two);
  await shows(tab, CONTENT, ['First words', 'Waits'], 'until it is approved');
  wp('comment', 'update', one, '--comment_content=Better words');
  await shows(tab, CONTENT, ['Better words', 'Waits'], 'a changed one changes');
  is([await field.inputValue(), await tab.locator('#author').inputValue(), await tab.locator('#comment_parent').inputValue()],
    ['A half-written answ', 'Bob', one], 'what is being written stays, with whom it answers');
  is(await tab.evaluate(() => [document.activeElement.id, document.activeElement.selectionStart, document.activeElement.selectionEnd]),
    ['comment', 2, 6], 'so do the focus and the selection');
  ok(await tab.evaluate((to) => document.querySelector(`#comment-${to}`).nextElementSibling?.id === 'respond', one), 'and where the form is');
  await field.scrollIntoViewIfNeeded();
  await shoot(tab, 'live-comment');

  wp('comment', 'delete', one, '--force');
  await shows(tab, CONTENT, ['Waits'], 'a deleted one disappears');
  is([await field.inputValue(), await tab.locator('#comment_parent').inputValue(), await tab.locator('#respond').count()],
    ['A half-written answ', '0', 1], 'and the answer to it becomes one to the page');
}

/** A Query Loop that the Interactivity API pages through. */
async function withEnhancedPagination(visitor) {
  for (const n of [1, 2, 3, 4]) post(`Older ${n}`, `--post_date=2026-01-0${n} 10:00:00`);
  const { url } = page('Paged', QUERY({ ...ON, enhancedPagination: true, query: { perPage: 2, postType: 'post', order: 'desc', orderBy: 'date', inherit: false, search: 'Older' } }, PAGING));
  const { tab, faults, reloaded } = await visit(visitor, `${url}#top`);
  await isConnected(tab, 'ws');
  await shows(tab, TITLES, ['Older 4', 'Older 3'], 'a Query Loop with enhanced pagination shows its first page');
  const id = post('Older 5', '--post_date=2026-01-05 10:00:00');
  await shows(tab, TITLES, ['Older 5', 'Older 4'], 'a post appears in it');
  is(tab.url(), `${url}#top`, 'the address stays');
  ok(!(await tab.locator('.wp-block-query-pagination-next').getAttribute('href')).includes('wordsocket-live'), 'and the links are those of the page');
  await tab.locator('.wp-block-query-pagination-next').click();
  await shows(tab, TITLES, ['Older 3', 'Older 2'], 'its pages still turn');
  wp('post', 'update', id, '--post_title=Older five');
  const gone = post('Older 6', '--post_date=2026-01-06 10:00:00');
  await shows(tab, TITLES, ['Older 4', 'Older 3'], 'and the second page is live as the first');
  wp('post', 'delete', gone, '--force');
  await shows(tab, TITLES, ['Older 3', 'Older 2'], 'in both directions');
  ok(!(await reloaded()), 'without loading the page');
  is(faults, [], 'or an error');
  await tab.close();
}

/** A burst is one question, and so are a hundred visitors for what is kept. */
async function notAHerd(visitor, { url }) {
  const { tab, asked } = await visit(visitor, url);
  await isConnected(tab, 'ws');
  wp('eval', "for ( $i = 0; $i < 20; $i++ ) { wp_insert_post( array( 'post_title' => \"Burst $i\", 'post_status' => 'publish' ) ); }");
  ok(await until(async () => (await texts(tab, TITLES)).includes('Burst 19'), 5000), 'twenty posts at once arrive');
  ok(asked.length <= 3, 'by three requests at most');
  note(`${asked.length} requests for twenty posts`);
  const last = asked.at(-1);
  const headers = await last.allHeaders();
  ok(!headers.cookie, 'a visitor asks without cookies');
  const again = await get(last.url());
  is(again.headers['cache-control'], 'public, max-age=30', 'so any cache may keep the answer');
  const made = wp('eval', "echo count( get_transient( 'wordsocket_live_answers' )['answers'] );");
  is(made, '1', 'and WordPress keeps it, too');
  const personal = await get(last.url(), { Cookie: 'comment_author_x=Ada' });
  is(personal.headers['cache-control'], 'private, no-store', 'but nothing that is made for somebody');
  await tab.close();
}

/** The posts page of a block theme, whose list is the page's own query. */
async function inATemplate(visitor) {
  const template = wp('eval', `
    $found = get_block_template( get_stylesheet() . '//home' ) ?? get_block_template( get_stylesheet() . '//index' );
    $id = wp_insert_post( array( 'post_type' => 'wp_template', 'post_name' => $found->slug, 'post_title' => 'Live', 'post_status' => 'publish',
      'post_content' => wp_slash( '<!-- wp:query {"queryId":9,"query":{"inherit":true},"wordsocketLive":true} --><div class="wp-block-query"><!-- wp:post-template --><!-- wp:post-title /--><!-- wp:post-comments-count /--><!-- /wp:post-template --></div><!-- /wp:query -->' ) ) );
    wp_set_post_terms( $id, get_stylesheet(), 'wp_theme' );
    echo $id;`);
  const { tab, asked } = await visit(visitor, `${SITE}/`);
  await isConnected(tab, 'ws');
  const id = post('On the front page', '--comment_status=open');
  ok(await until(async () => (await texts(tab, TITLES))[0] === 'On the front page', 4000), 'a template\'s own query is live');
  comment(id, 'Counts');
  ok(await until(async () => (await texts(tab, '.wp-block-post-comments-count'))[0] === '1', 4000), 'and a comment counts where comments are counted');
  const before = asked.length;
  await tab.evaluate(() => document.dispatchEvent(new CustomEvent('wpsignal:wps.gap', { detail: { channel: null, data: {} } })));
  ok(await until(() => asked.length > before, 3000), 'after a gap the page asks by itself');
  await tab.close();
  wp('post', 'delete', template, '--force');
  wp('post', 'delete', id, '--force');
}

/** What a shared cache kept too long is noticed, and asked for past it. */
async function anOldAnswer(visitor, { url }) {
  const { tab, asked } = await visit(visitor, url);
  await isConnected(tab, 'ws');
  const { text: old } = await get(`${url}?wordsocket-live=old`);
  let kept = 0;
  await tab.route(/wordsocket-live=\w+$/, (route) => {
    kept++;
    route.fulfill({ body: old, contentType: 'application/json' });
  });
  const id = post('Newer than the cache');
  ok(await until(async () => (await texts(tab, TITLES))[0] === 'Newer than the cache', 5000), 'an answer from before the event is not taken for news');
  is([kept, asked.length], [1, 2], 'the second question passes the cache');
  await tab.close();
  wp('post', 'delete', id, '--force');
}

/** WordPress 6.4 has no script modules: the same without, and a classic theme. */
async function withoutModules(visitor, { url }) {
  const content = join(demo.WORDPRESS_PATH, 'wp-content');
  mkdirSync(join(content, 'themes/old'), { recursive: true });
  writeFileSync(join(content, 'themes/old/style.css'), '/* Theme Name: Old */');
  writeFileSync(join(content, 'themes/old/index.php'), '<!doctype html><html><head><title>Old</title><?php wp_head(); ?></head><body><?php while ( have_posts() ) { the_post(); the_content(); } wp_footer(); ?></body></html>');
  const theme = wp('eval', "echo get_stylesheet(); switch_theme( 'old' );");
  const { tab, faults } = await visit(visitor, url);
  ok(await isConnected(tab, 'ws'), 'a classic theme, whose blocks come after the head, has the client, too');
  const id = post('Classic');
  ok(await until(async () => (await texts(tab, TITLES))[0] === 'Classic', 4000), 'and live blocks');
  await tab.route('**/live-module.js*', (route) => route.fulfill({
    path: join(demo.WORDPRESS_PATH, 'wp-content/plugins/wordsocket/assets/live-view.js'), contentType: 'text/javascript' }));
  await tab.goto(url);
  await isConnected(tab, 'ws');
  wp('post', 'update', id, '--post_title=Old script');
  ok(await until(async () => (await texts(tab, TITLES))[0] === 'Old script', 4000), 'so has a WordPress without script modules');
  ok(await until(async () => (await tab.locator('#wordsocket-live').textContent()) === 'The list of posts was updated.'), 'and says so');
  is(faults, [], 'without an error');
  await tab.close();
  wp('eval', `switch_theme( '${theme}' );`);
  wp('post', 'delete', id, '--force');
}

/** Blocks that the Interactivity API draws, in what was not there at first. */
async function whatInteracts(visitor) {
  const image = '<!-- wp:image {"lightbox":{"enabled":true}} --><figure class="wp-block-image"><img src="/wp-includes/images/w-logo-blue.png" alt="W"/></figure><!-- /wp:image -->';
  const shown = post('Pictured', '--post_date=2025-01-01 10:00:00', `--post_content=${image}`);
  const { url } = page('Pictures', `<!-- wp:query {"queryId":5,"query":{"perPage":3,"postType":"post","inherit":false,"search":"Pictured"},"wordsocketLive":true} --><div class="wp-block-query"><!-- wp:post-template --><!-- wp:post-title /--><!-- wp:post-content /--><!-- /wp:post-template --></div><!-- /wp:query -->`);
  const { tab, faults, reloaded } = await visit(visitor, url);
  await isConnected(tab, 'ws');
  const id = post('Pictured later', `--post_content=${image}`);
  await shows(tab, TITLES, ['Pictured later', 'Pictured'], 'a post with an interactive block appears');
  await tab.locator('.wp-block-query img').first().click();
  ok(await until(() => tab.locator('.wp-lightbox-overlay.active').isVisible()), 'and the block in it works');
  ok(!(await reloaded()), 'without loading the page');
  is(faults, [], 'or an error');
  await tab.close();
  wp('post', 'delete', shown, id, '--force');
}

/** Whoever is logged in gets answers of their own. */
async function forOneself(admin, { url }) {
  const { tab, asked, faults } = await visit(admin, url);
  await isConnected(tab, 'ws');
  const id = post('For users');
  ok(await until(async () => (await texts(tab, TITLES))[0] === 'For users', 4000), 'a user sees what is new');
  const answer = await asked[0].response();
  is([/wordsocket-live=u-\w+$/.test(answer.url()), answer.headers()['cache-control']], [true, 'private, no-store'], 'by an answer that no cache may keep');
  is(faults, [], 'without an error');
  await tab.close();
  wp('post', 'delete', id, '--force');
}

/** Blocks that are off load nothing, and visitors get in by the option alone. */
async function offIsOff(visitor, live) {
  const html = async (url) => (await get(url)).text;
  const off = page('Off', `${QUERY({})}\n\n${LATEST({})}\n\n${COMMENTS()}`);
  ok(!/wordsocket/i.test((await html(off.url)).replaceAll(/WordSocket demo/g, '')), 'with the switch off a visitor\'s page loads nothing of this');
  ok(/live-module\.js/.test(await html(live.url)) && /wpsignal\.js/.test(await html(live.url)), 'with it on it loads the client and the script');
  const token = JSON.parse((await get(`${SITE}/wp-json/wpsignal/v1/token`)).text);
  const claims = JSON.parse(Buffer.from(token.token.split('.')[1], 'base64url'));
  is([claims.user_id, claims.allowed_channel_prefixes, claims.allowed_publish_prefixes],
    ['0', [`site:${claims.site_id}:events`], []], 'a visitor\'s token reads events and sends nothing');
  wp('option', 'update', 'wordsocket_live_visitors', '0');
  ok(!/live-module\.js|wpsignal\.js/.test(await html(live.url)), 'with the option off visitors load nothing');
  is((await get(`${SITE}/wp-json/wpsignal/v1/token`)).status, 401, 'and get no token');
}

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());
  // The demo opens the client to visitors and jitter makes tests slow.
  writeFileSync(join(demo.WORDPRESS_PATH, 'wp-content/mu-plugins/zz-live-test.php'), `<?php
    add_filter( 'wpsignal_allow_client', 'is_user_logged_in', 99 );
    add_filter( 'wordsocket_live_spread', fn() => 100 );
    add_filter( 'comment_flood_filter', '__return_false' );
  `);
  wp('eval', "foreach ( array( 'comment_moderation', 'comments_notify', 'moderation_notify' ) as $o ) { update_option( $o, '0' ); }");
  const admin = await browser.newContext({ viewport: { width: 1280, height: 1000 } });
  const visitor = await browser.newContext({ viewport: { width: 1000, height: 900 } });
  await parts(browser);
  ok(await logIn(admin), 'the admin logs in');

  const script = readFileSync(join(demo.WORDPRESS_PATH, 'wp-content/plugins/wordsocket/assets/live-module.js'));
  ok(gzipSync(script, { level: 9 }).length < 5120, 'the script of a page is under 5 KiB');

  const live = await switchedOnInTheEditor(admin);
  await updatedInPlace(visitor, live);
  await withEnhancedPagination(visitor);
  await whatInteracts(visitor);
  await inATemplate(visitor);
  await anOldAnswer(visitor, live);
  await withoutModules(visitor, live);
  await forOneself(admin, live);
  await notAHerd(visitor, live);
  await offIsOff(visitor, live);
  is(log('php.log'), '', 'PHP reports nothing');
});
