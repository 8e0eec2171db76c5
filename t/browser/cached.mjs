/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages that a cache kept for longer than tokens and nonces live: what was sent
 * once is a file that httpd serves from then on.
 */
import { logIn, SITE } from './editor.mjs';
import { faultsOf, is, launch, log, note, ok, run, until, wp } from './lib.mjs';

/** Files beside WordPress, as a page cache has them. */
const keep = (name, content) => wp('eval', `file_put_contents( ABSPATH . ${JSON.stringify(name)}, base64_decode( '${Buffer.from(content).toString('base64')}' ) );`);
const configOf = (html) => JSON.parse(/<script type="application\/json" id="wpsignal-config">(.*?)<\/script>/.exec(html)?.[1] ?? 'null');

/** How often the site was asked for a token or a nonce: pages leave that to a worker they share. */
const asked = () => log('httpd-access.log').match(/wpsignal\/v1\/token|rest-nonce/g)?.length ?? 0;

/** Hears what its page is told of posts. */
const listens = async (context, path) => {
  const page = await context.newPage();
  await page.addInitScript(() => {
    window.heard = [];
    document.addEventListener('wpsignal:post.updated', ({ detail }) => window.heard.push(detail.data.post_title));
  });
  await page.goto(`${SITE}/${path}`);
  await page.waitForFunction(() => window.WPS, null, { timeout: 10000 });
  return { page, faults: faultsOf(page) };
};
const connected = ({ page }) => until(() => page.evaluate(() => window.WPS.connected), 15000);
let count = 0;
const hears = async (...pages) => {
  const title = `Kept ${++count}`;
  wp('post', 'update', '1', `--post_title=${title}`);
  for (const { page } of pages) {
    if (!await until(() => page.evaluate((what) => window.heard.includes(what), title), 10000)) return false;
  }
  return true;
};

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());
  // Visitors are let in; and what the site and caches do wrong below.
  const extra = `<?php
add_filter( 'wpsignal_allow_client', '__return_true' );
if ( str_contains( $_SERVER['REQUEST_URI'] ?? '', 'rest-nonce' ) && get_option( 'kept_down' ) ) {
	status_header( 503 );
	exit;
}
if ( str_ends_with( $_SERVER['REQUEST_URI'] ?? '', '/wpsignal/v1/token' ) && is_readable( ABSPATH . 'kept-token.json' ) ) {
	header( 'Content-Type: application/json' );
	readfile( ABSPATH . 'kept-token.json' );
	exit;
}
`;
  wp('eval', `wp_mkdir_p( WPMU_PLUGIN_DIR ); file_put_contents( WPMU_PLUGIN_DIR . '/visitors.php', base64_decode( '${Buffer.from(extra).toString('base64')}' ) );`);

  /* What a visitor's page holds. */
  const html = await (await fetch(`${SITE}/`)).text();
  const config = configOf(html);
  ok(config, 'a visitor\'s page says where the relay is');
  is(['anonymous', 'token', 'exp', 'channels', 'nonce', 'nonceUrl', 'encryptionKey'].map((name) => config[name]), [true, '', 0, [], '', undefined, ''], 'and has neither token nor nonce nor key');
  const secrets = JSON.parse(wp('eval', 'echo wp_json_encode( array( WordSocket\\WPS::instance()->token()->encryption_key(), WordSocket\\WPS::instance()->config()->jwt_secret(), WordSocket\\WPS::instance()->config()->site_secret() ) );'));
  ok(secrets.every((secret) => secret.length > 20 && !html.includes(secret)) && !/eyJ[\w-]+\.eyJ/.test(html), 'anywhere in it');
  const again = await (await fetch(`${SITE}/`)).text();
  is(configOf(again), config, 'and is the same for the next');
  keep('kept.html', html);

  /* A visitor, days later. */
  const visitors = await browser.newContext();
  const visitor = await listens(visitors, 'kept.html');
  ok(await connected(visitor), 'a visitor of a kept page connects');
  ok(await hears(visitor), 'and hears, decrypted');
  const token = await fetch(`${config.restUrl}/token`);
  is([token.status, token.headers.get('cache-control'), token.headers.get('set-cookie')], [200, 'public, max-age=60', null], 'by a token that a cache may hand out');
  const posted = await fetch(`${config.restUrl}/token`, { method: 'POST' });
  is(posted.headers.get('cache-control'), 'no-store, private', 'unless it was posted for');

  /* Somebody who is logged in. */
  const admins = await browser.newContext();
  ok(await logIn(admins), 'somebody logs in');
  const own = await (await admins.request.get(`${SITE}/`)).text();
  const mine = configOf(own);
  ok(mine.token && mine.nonce && mine.encryptionKey && !mine.anonymous, 'whose page has a token, a nonce and the key');
  const onKept = await listens(admins, 'kept.html');
  ok(await connected(onKept) && await hears(onKept), 'on a visitor\'s kept page there is a connection, too');
  await onKept.page.close();

  // Of yesterday: token and nonce are over.
  const old = JSON.parse(wp('eval', 'wp_set_current_user( 1 ); echo wp_json_encode( WordSocket\\WPS::instance()->token()->mint( time() - DAY_IN_SECONDS ) );'));
  const aged = JSON.stringify({ ...mine, ...old, nonce: '0123456789' }).replaceAll('<', '\\u003c');
  keep('aged.html', own.replace(/(id="wpsignal-config">).*?(<\/script>)/, (_all, before, after) => before + aged + after));
  const late = await listens(admins, 'aged.html');
  ok(await connected(late), 'a page whose token and nonce are over connects all the same');
  ok(await hears(late, visitor), 'and hears, as the visitor does');
  is(await late.page.evaluate(() => window.WPS.state.error ?? null), null, 'without an error');

  /* Who is gone is gone. */
  await late.page.close();
  await admins.clearCookies();
  const before = asked();
  const gone = await listens(admins, 'aged.html');
  ok(await until(() => gone.page.evaluate(() => window.WPS.state.error?.code === 'authentication-failed'), 15000), 'after logging out it ends');
  const tries = asked();
  ok(tries > before, 'having asked');
  await gone.page.waitForTimeout(1500);
  is(asked(), tries, 'and asks no more');
  note(`${tries - before} requests`);
  await gone.page.close();

  /* What is not there for a moment is no refusal. */
  await logIn(admins);
  wp('option', 'update', 'kept_down', '1');
  const patient = await listens(admins, 'aged.html');
  ok(await until(() => patient.page.evaluate(() => window.WPS.state.failures > 0), 15000), 'while no nonce is to be had a page waits');
  wp('option', 'delete', 'kept_down');
  ok(await connected(patient) && await hears(patient), 'and connects when there is one');
  await patient.page.close();

  /* A cache that keeps tokens for days, whatever they say. */
  keep('kept-token.json', wp('eval', 'wp_set_current_user( 0 ); $t = WordSocket\\WPS::instance()->token(); echo wp_json_encode( $t->mint( time() - DAY_IN_SECONDS ) + array( "encryptionKey" => $t->encryption_key() ) );'));
  is((await (await fetch(`${config.restUrl}/token`)).json()).exp < Date.now() / 1000, true, 'a cache hands out what is long over');
  const fooled = await listens(await browser.newContext(), 'kept.html');
  ok(await connected(fooled) && await hears(fooled), 'a visitor connects all the same');
  await fooled.page.close();
  wp('eval', `unlink( ABSPATH . 'kept-token.json' );`);

  /* The route without permalinks. */
  const structure = wp('option', 'get', 'permalink_structure').trim();
  wp('rewrite', 'structure', '');
  const plain = await (await fetch(`${SITE}/`)).text();
  ok(/rest_route=/.test(configOf(plain)?.restUrl), 'without permalinks the route is in the query');
  keep('plain.html', plain);
  const query = await listens(await browser.newContext(), 'plain.html');
  ok(await connected(query) && await hears(query), 'and is found there');
  await query.page.close();
  wp('rewrite', 'structure', structure);

  /* A policy that lets no script stand in the page. */
  keep('strict.php', `<?php header( "Content-Security-Policy: script-src 'self'; object-src 'none'" ); readfile( __DIR__ . '/kept.html' );`);
  const strict = await listens(await browser.newContext(), 'strict.php');
  ok(await connected(strict) && await hears(strict), 'a strict content security policy changes nothing');
  is(visitor.faults, [], 'no page reports an error');
});
