/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real WordPress behind the real module, real browsers on both sides: what
 * is saved in wp-admin shows on an open page at once, and the relay cannot
 * read it.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import WebSocket from 'ws';
import { heard, isConnected, logIn, openEditor, record, save, SITE } from './editor.mjs';
import { demo, eavesdrop, faultsOf, is, launch, log, note, ok, proxy, run, shoot, until, wp } from './lib.mjs';

const SAVED_WITHIN_MS = 1000;

async function mintAsVisitor(request) {
  const answer = await request.post(`${SITE}/wp-json/wpsignal/v1/token`);
  return { headers: answer.headers(), ...(await answer.json()) };
}

/** One save, as every kind of onlooker sees it. */
async function savedAndSeen({ editor, socketPage, streamPage, onlooker }) {
  const title = `Saved at ${new Date().toISOString()} & <b>seen</b>`;
  const before = onlooker.messages().length;
  const { begun, saved, failed } = await save(editor, { title });
  ok(!failed, 'the editor saves the post');

  for (const [page, name] of [[socketPage, 'WebSocket'], [streamPage, 'the event stream']]) {
    const event = await until(async () => (await heard(page)).find((one) => one.data.post_title === title));
    ok(event, `another page hears of it by ${name}, decrypted`);
    const ms = event ? event.at - begun : Infinity;
    ok(ms < SAVED_WITHIN_MS, `within a second of pressing Save, by ${name}`);
    note(`by ${name} ${ms} ms after Save was pressed; the save itself took ${saved - begun} ms`);
    is(event && Object.keys(event.data), ['post_id', 'post_type', 'post_title', 'permalink', 'excerpt', 'updated'], 'with all it should carry');
    ok(/^(site:[0-9a-f]{64}:)?events$/.test(event?.channel ?? ''), 'on the channel events');
  }
  ok(await until(() => socketPage.getByText(title).first().isVisible()), 'the page shows the new title');

  await until(() => onlooker.messages().length > before);
  const message = onlooker.messages()[before];
  is(message?.event, 'encrypted', 'somebody without the key sees the event "encrypted"');
  is(message && Object.keys(message.data), ['v', 'p'], 'and an envelope');
  ok(/^[A-Za-z0-9+/]+={0,2}$/.test(message?.data.p ?? ''), 'of base64');
  const wire = JSON.stringify(onlooker.frames);
  ok(!wire.includes('Saved at') && !wire.includes('post.updated'), 'neither the title nor the name of the event is on the wire');
}

async function whoGetsATokenAndWho401() {
  const ask = (user) => wp('eval', `
    remove_all_filters( 'wpsignal_allow_client' );
    wp_set_current_user( ${user} );
    $answer = rest_do_request( new WP_REST_Request( 'POST', '/wpsignal/v1/token' ) );
    echo $answer->get_status(), ' ', $answer->get_data()['code'] ?? implode( ',', array_keys( $answer->get_data() ) );`);
  is(ask(0), '401 wpsignal_not_allowed', 'without the demo\'s filter a visitor gets 401');
  is(ask(1), '200 token,channels,exp,encryptionKey', 'and a user a token');
}

/** A user's own token, by both methods; WordPress looks at the nonce. */
async function theTokenRouteKnowsWhoAsks(context, page) {
  const nonce = await page.evaluate(() => window.wpSignalConfig.nonce);
  const route = `${SITE}/wp-json/wpsignal/v1/token`;
  const ask = async (method, headers) => {
    const answer = await context.request[method](route, { headers });
    const { token } = await answer.json();
    const user = token && JSON.parse(Buffer.from(token.split('.')[1], 'base64url')).user_id;
    return [answer.status(), user];
  };
  const eve = wp('user', 'get', 'eve', '--field=ID');
  is(await ask('get', { 'X-WP-Nonce': nonce }), [200, eve], 'GET with a nonce gives an editor a token of their own');
  is(await ask('post', { 'X-WP-Nonce': nonce }), [200, eve], 'so does POST');
  is(await ask('post', { 'X-WP-Nonce': 'aaaaaaaaaa' }), [403, undefined], 'a wrong nonce gives none');
  is(await ask('post', {}), [200, '0'], 'and without one a cookie is worth nothing');
}

/** A visitor's page as a cache would have kept it since yesterday. */
async function aPageFromACache(context) {
  const page = await context.newPage();
  await page.addInitScript(() => {
    let config;
    Object.defineProperty(window, 'wpSignalConfig', {
      get: () => config,
      set: (fresh) => {
        config = { ...fresh, token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.e30.stale', exp: 1700000000, nonce: fresh.nonce && 'aaaaaaaaaa' };
      },
    });
  });
  await page.goto(`${SITE}/`);
  ok(await isConnected(page, 'ws'), 'a page that a cache kept since yesterday connects all the same');
  await page.close();
}

async function nothingAboutDrafts(onlooker) {
  const before = onlooker.messages().length;
  wp('post', 'create', '--post_title=Secret draft', '--post_status=draft');
  wp('post', 'create', '--post_title=Private', '--post_status=private');
  wp('post', 'create', '--post_title=Public', '--post_status=publish');
  await until(() => onlooker.messages().length > before);
  await new Promise((wake) => setTimeout(wake, 300));
  is(onlooker.messages().length - before, 1, 'of a draft, a private and a public post one is told of');
}

async function theSettingsScreen(page) {
  const text = async () => {
    await page.goto(`${SITE}/wp-admin/admin.php?page=wordsocket`);
    return page.locator('#wpbody-content').innerText();
  };
  const shown = await text();
  ok(/Connected through this server\. Open connections: [1-9]/.test(shown), 'the settings screen says that the site is connected, and how often');
  ok(!/was not delivered/.test(shown), 'and of no failure');
  ok(/Payloads\s+Encrypted by AES-256-GCM/.test(shown), 'it says that payloads are encrypted');
  ok(await until(() => page.getByText('Connected by WebSocket.').isVisible()), 'and how this very browser is connected');
  await shoot(page, 'settings-connected');

  wp('eval', `
    add_filter( 'pre_http_request', fn() => new WP_Error( 'http_request_failed', 'Connection refused' ) );
    WPSignal\\WPS::publish( 'events', 'lost.event' );`);
  ok(/lost\.event, was not delivered .* ago: Connection refused\. The relay did not answer in time\. Check its address/.test(await text()), 'a failed publish is told, with what to do');
  await shoot(page, 'settings-failure');
  wp('eval', "WPSignal\\WPS::publish( 'events', 'works.again' );");
  ok(!/was not delivered/.test(await text()), 'and forgotten when one succeeds');
}

const keysOfSite = () => JSON.parse(wp('option', 'get', 'wordsocket_connection', '--format=json'));

/** What the relay says of a publish that these keys sign. */
async function published(keys) {
  const body = JSON.stringify({ channel: 'events', event: 'by.key', data: {} });
  const [ts, nonce] = [String(Date.now()), randomBytes(16).toString('hex')];
  const signed = ['v2', 'POST', '/publish', keys.site_key, ts, nonce, createHash('sha256').update(body).digest('hex')].join('\n');
  const answer = await fetch(`${demo.WORDSOCKET_URL}/publish`, {
    method: 'POST',
    body,
    headers: {
      // wp takes seconds between two of these: httpd may close what is kept just as it is used again.
      Connection: 'close',
      'X-WordSocket-Key': keys.site_key,
      'X-WordSocket-Timestamp': ts,
      'X-WordSocket-Nonce': nonce,
      'X-WordSocket-Signature': `v2=${createHmac('sha256', keys.publish_secret).update(signed).digest('hex')}`,
    },
  });
  return `${answer.status} ${(await answer.json()).error ?? ''}`.trim();
}

/** What it says of a token: to a poll, and how it closes a socket. */
async function opened(token) {
  const answer = await fetch(`${demo.WORDSOCKET_URL}/poll?channels=events&token=${token}`);
  const { socket } = await listening(token);
  return [`${answer.status} ${(await answer.json()).error ?? ''}`.trim(), await socket];
}

/** A socket of this token: when it is open, and the code it is closed with. */
async function listening(token) {
  const ws = new WebSocket(`${demo.WORDSOCKET_URL.replace(/^http/, 'ws')}/ws?token=${token}`);
  const socket = new Promise((tell) => { ws.on('close', tell); ws.on('error', () => tell('refused')); });
  await new Promise((tell) => { ws.on('open', tell); ws.on('error', tell); });
  return { socket, close: () => ws.terminate() };
}

const publish = () => wp('eval', "$e = WPSignal\\WPS::publish( 'events', 'by.hand' ); echo is_wp_error( $e ) ? $e->get_error_code() : 'sent';");

/** Disconnect asks again, and is final; Connect is one click. */
async function disconnectedAndConnected(page) {
  const open = () => page.goto(`${SITE}/wp-admin/admin.php?page=wordsocket`);
  const asks = page.getByText('the keys of this site are revoked');
  const old = keysOfSite();
  const { token } = await mintAsVisitor(page.request);
  is(await published(old), '200', 'the keys of the site publish');
  const { socket } = await listening(token);
  await open();
  await page.getByRole('button', { name: 'Disconnect', exact: true }).click();
  ok(await asks.isVisible() && !await page.getByRole('button', { name: 'Disconnect', exact: true }).isVisible(), 'Disconnect asks again, in its place');
  await page.getByRole('button', { name: 'Cancel' }).click();
  ok(await asks.isHidden(), 'and can be taken back');
  is(publish(), 'sent', 'nothing has happened');
  await page.getByRole('button', { name: 'Disconnect', exact: true }).click();
  await page.getByRole('button', { name: 'Yes, disconnect' }).click();
  is(await socket, 4003, 'Disconnect closes open sockets with 4003');
  ok(await until(() => page.getByText('Not connected.').isVisible(), 10000), 'the screen says so');
  is(publish(), 'wpsignal_not_configured', 'and nothing is sent any more');
  is(await published(old), '401 unknown_site_key', 'the key is worth nothing');
  is(await opened(token), ['401 invalid_token', 4003], 'nor is a token that it signed');
  ok(await until(() => page.getByText('This server offers it.').isVisible(), 15000), 'the screen offers to connect again');
  await shoot(page, 'settings-not-connected');

  is(await page.locator('#wordsocket-here').locator('input, textarea, select').count(), 0, 'there is nothing to type');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  ok(await until(() => page.getByText('Connected through this server.').isVisible(), 10000), 'one click connects it again');
  const fresh = keysOfSite();
  is([fresh.site_key === old.site_key, fresh.publish_secret === old.publish_secret, fresh.jwt_secret === old.jwt_secret, fresh.generation > old.generation],
    [true, false, false, true], 'as the same site, with another pair of secrets');
  is(publish(), 'sent', 'events are sent');
  ok(await until(() => page.getByText('Connected by WebSocket.').isVisible()), 'and this browser is connected');
  is(await published(old), '401 invalid_signature', 'the old key is worth nothing');
  is(await opened(token), ['401 invalid_token', 4001], 'nor is the old token');
}

/** The same database at another URL, as a copy of the site has it. */
async function aCopySpeaksForNobody(browser) {
  const copy = SITE.replace('127.0.0.1', 'localhost');
  const config = join(demo.WORDPRESS_PATH, 'wp-config.php');
  const move = (to) => writeFileSync(config, readFileSync(config, 'utf8').replace(/('WP_(?:HOME|SITEURL)', )'[^']*'/g, `$1'${to}'`));
  const original = keysOfSite();
  const context = await browser.newContext();
  const page = await context.newPage();

  move(copy);
  ok(await until(() => logIn(context, undefined, undefined, copy), 10000), 'the admin logs in to a copy');
  await page.goto(`${copy}/wp-admin/admin.php?page=wordsocket`);
  ok(await page.getByText(`this is a copy of ${SITE}`).isVisible(), 'which is told what it is a copy of');
  await shoot(page, 'settings-copy');
  is(publish(), 'wpsignal_not_configured', 'and does not speak in its name');
  is(await page.getByRole('button', { name: 'Disconnect' }).count(), 0, 'nor can it disconnect it');
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  ok(await until(() => page.getByText('Connected through this server.').isVisible(), 10000), 'it can be connected as a site of its own');
  const own = keysOfSite();
  ok(own.site_key !== original.site_key && own.publish_secret !== original.publish_secret, 'with other keys');
  is([await published(own), await published(original)], ['200', '200'], 'beside the original, which goes on');
  await context.close();
  move(SITE);
  await until(async () => (await (await fetch(`${SITE}/`)).text()).includes(SITE), 10000);
}

/** What an anonymous request, and one of an editor, get of it: nothing. */
async function nobodyElseConnects(author) {
  const home = { 'X-WordSocket-Home': SITE };
  const ask = async (request, path, headers) => {
    const answer = await request.post(`${SITE}${path}`, { headers: { ...home, ...headers } });
    const text = await answer.text();
    return [answer.status(), /publish_secret|[0-9a-f]{64}/.test(text)];
  };
  for (const path of ['/wp-json/wpsignal/v1/enroll', '/?rest_route=/wpsignal/v1/enroll', '/wp-json/wpsignal/v1/connect', '/wp-json/wpsignal/v1/disconnect']) {
    is(await ask(author.request, path, {}), [401, false], `an anonymous POST to ${path} gets nothing`);
    is(await ask(author.request, path, { 'WordSocket-Enroll': '{}', WORDSOCKET_ENROLL: '{}' }), [401, false], 'nor with a header of that name');
  }
}

/** Deleted as an admin deletes a plugin. */
async function uninstalledWithoutATrace(page) {
  await page.goto(`${SITE}/wp-admin/admin.php?page=wordsocket`);
  await page.getByRole('button', { name: 'Connect', exact: true }).click();
  ok(await until(() => page.getByText('Connected through this server.').isVisible(), 10000), 'the site is connected as before');
  const keys = keysOfSite();
  is(await published(keys), '200', 'by the keys in force');
  wp('eval', "WPSignal\\Notices::record( 'x', 'y' );");
  const left = () => wp('eval', `
    global $wpdb;
    foreach ( array( array( $wpdb->options, 'option_name' ), array( $wpdb->usermeta, 'meta_key' ), array( $wpdb->postmeta, 'meta_key' ) ) as list( $table, $column ) ) {
      foreach ( $wpdb->get_col( "SELECT $column FROM $table WHERE $column LIKE '%wpsignal%' OR $column LIKE '%wordsocket%'" ) as $name ) {
        echo "$name ";
      }
    }`);
  is(left().trim().split(' ').sort(), ['wordsocket_circuit', 'wordsocket_connection', 'wpsignal_last_publish_error'], 'a connection, one failure and whether to ask the relay are all that is ever stored');
  wp('plugin', 'uninstall', 'wordsocket', '--deactivate');
  is(left(), '', 'uninstalling leaves nothing in the database');
  is(await published(keys), '401 unknown_site_key', 'nor a key that is good');
  ok(!existsSync(join(demo.WORDPRESS_PATH, 'wp-content/plugins/wordsocket')), 'nor on the disk');
}

/** A page of a visitor, listening. */
async function visit(context, transport) {
  const page = await context.newPage();
  const faults = faultsOf(page);
  await record(page);
  await page.goto(`${SITE}/`);
  ok(await isConnected(page, transport), `a visitor's front page connects by ${transport}`);
  return { page, faults };
}

/**
 * A graceful reload while pages are listening. Two of them are cut off until a
 * post is saved, so that only what the relay remembers can tell them of it.
 */
async function aReloadLosesNothing({ editor, socketPage, away }) {
  const title = `Saved while they were away ${Date.now()}`;
  const count = async (page) => (await heard(page)).filter((one) => one.data.post_title === title).length;

  // Each has a place in the log, from which it can resume.
  await save(editor, { title: `${title}, not yet` });
  for (const { page, transport } of away) {
    ok(await until(async () => (await heard(page)).length > 0, 10000), `a page that will be away hears by ${transport}`);
  }

  process.kill(Number(demo.HTTPD_PID), 'SIGUSR1');
  for (const { through } of away) through.cutOff(true);
  for (const { page, transport } of away) {
    ok(await until(() => page.evaluate(() => !window.WPS.state.connected), 10000), `while httpd is reloaded a page is cut off, by ${transport}`);
  }
  ok(!(await save(editor, { title })).failed, 'meanwhile a post is saved');
  ok(await until(() => count(socketPage), 10000), 'the page that was not cut off hears of it');
  const back = Date.now();
  for (const { through } of away) through.cutOff(false);
  for (const { page, transport } of away) {
    if (!ok(await until(() => count(page), 20000), `by ${transport} it is not lost`)) {
      note(JSON.stringify(await page.evaluate(() => [window.WPS.status, window.heard, window.gaps, window.wpsDebug?.().slice(-40)])));
    }
    note(`by ${transport} ${Date.now() - back} ms after the network was back`);
    ok(await isConnected(page, transport), 'the page is connected as before');
  }
  await editor.waitForTimeout(300);
  is(await Promise.all([socketPage, ...away.map(({ page }) => page)].map(count)), [1, 1, 1], 'and each was told once');
  ok(await isConnected(editor, 'ws'), 'the page that saved is connected again, too');
}

/** Lines of httpd's error log that somebody would have to look into. */
const worries = () => log('httpd-error.log').split('\n')
  .filter((line) => /\[\w+:(warn|error|crit|alert|emerg)\]|exit signal/.test(line));

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());
  const narrow = await proxy({ tunnels: false });
  const wide = await proxy({ tunnels: true });
  atEnd(() => [narrow, wide].forEach((one) => one.close()));
  const admin = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const author = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const visitor = await browser.newContext({ viewport: { width: 1100, height: 800 } });
  const behind = await browser.newContext({ proxy: { server: narrow.url } });

  wp('user', 'create', 'eve', 'eve@example.test', '--role=editor', '--user_pass=eve');
  ok(await logIn(admin), 'the admin logs in');
  ok(await logIn(author, 'eve', 'eve'), 'so does an editor');

  const { page: socketPage, faults } = await visit(visitor, 'ws');
  const { page: streamPage, faults: streamFaults } = await visit(behind, 'sse');
  ok(narrow.refused > 0, 'where a proxy lets no WebSocket pass');

  const minted = await mintAsVisitor(visitor.request);
  is(Object.keys(minted).filter((name) => name !== 'headers'), ['token', 'channels', 'exp', 'encryptionKey'], 'the token route answers a visitor of the demo');
  ok(/no-store/.test(minted.headers['cache-control']), 'and nobody may keep the answer');
  const onlooker = await eavesdrop(minted.token, ['events']);
  atEnd(onlooker.close);

  const editor = await author.newPage();
  const editorFaults = faultsOf(editor);
  await openEditor(editor, 1);
  ok(await isConnected(editor, 'ws'), 'the client is in wp-admin, too');
  await savedAndSeen({ editor, socketPage, streamPage, onlooker });
  await socketPage.waitForTimeout(300); // the card is still moving
  await shoot(socketPage, 'front-page-toast');
  await savedAndSeen({ editor, socketPage, streamPage, onlooker });
  await shoot(editor, 'editor');

  await nothingAboutDrafts(onlooker);
  await whoGetsATokenAndWho401();
  await theTokenRouteKnowsWhoAsks(author, editor);
  await aPageFromACache(visitor);
  await theSettingsScreen(await admin.newPage());
  const refused = await author.request.get(`${SITE}/wp-admin/admin.php?page=wordsocket`);
  is(refused.status(), 403, 'the settings screen is not for an editor');

  is(faults, [], 'the front page reports no error');
  is(streamFaults.filter((fault) => !/^WebSocket connection to .* failed/.test(fault)), [], 'nor does the one behind the proxy, but for the WebSocket it tried');
  is(editorFaults, [], 'nor does the editor');
  is(worries(), [], 'httpd reports no warning');

  const { page: widePage } = await visit(await browser.newContext({ proxy: { server: wide.url } }), 'ws');
  await aReloadLosesNothing({ editor, socketPage, away: [
    { page: widePage, transport: 'ws', through: wide },
    { page: streamPage, transport: 'sse', through: narrow },
  ] });
  is(worries(), [], 'nor while it is reloaded');
  await nobodyElseConnects(author);
  await disconnectedAndConnected(await admin.newPage());
  await aCopySpeaksForNobody(browser);
  is(worries(), [], 'nor by connecting and disconnecting');
  await uninstalledWithoutATrace(await admin.newPage());
  is(log('php.log'), '', 'PHP reports nothing');
});
