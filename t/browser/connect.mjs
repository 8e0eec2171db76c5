/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real WordPress at 127.0.0.1 and a relay at localhost, which is another site
 * to a browser: what the relay posts bears no cookie. Everything that may come of
 * one click, of an API key, and of Disconnect.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, createServer as createTcp } from 'node:net';
import { join } from 'node:path';
import { heard, isConnected, logIn, openEditor, record, save, SITE } from './editor.mjs';
import { demo, faultsOf, is, launch, log, note, ok, readEnv, run, shoot, until, wp } from './lib.mjs';

const relayDemo = readEnv(process.env.RELAY_ENV);
const SCREEN = `${SITE}/wp-admin/admin.php?page=wordsocket`;
const CALLBACK = /admin-post\.php\?action=wpsignal_oauth_callback/;
const CODE_LIFE_MS = 60000;
const ACCOUNT_SITES = 100;

/** The wire to the relay, which can be cut. */
async function wire() {
  const { port } = new URL(relayDemo.WORDSOCKET_URL);
  const sockets = new Set();
  const self = { cut: false };
  const keep = (socket) => sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
  const server = createTcp((socket) => {
    if (self.cut) {
      socket.destroy();
      return;
    }
    const onward = connect(port, '127.0.0.1');
    keep(socket);
    keep(onward);
    socket.pipe(onward).pipe(socket);
    socket.on('close', () => onward.destroy());
    onward.on('close', () => socket.destroy());
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  self.url = `http://localhost:${server.address().port}/wordsocket`;
  self.cutOff = (cut) => {
    self.cut = cut;
    for (const socket of cut ? sockets : []) socket.destroy();
  };
  self.close = () => {
    self.cutOff(true);
    server.close();
  };
  return self;
}

/** A server that wants what is not for it. */
async function stranger() {
  const self = { calls: [] };
  const server = createServer((from, to) => {
    self.calls.push(`${from.method} ${from.url}`);
    to.end('<!doctype html><title>stranger</title>');
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  self.url = `http://127.0.0.1:${server.address().port}`;
  self.close = () => server.close();
  return self;
}

const api = async (path, body, headers = {}) => {
  const answer = await fetch(`${relayDemo.WORDSOCKET_URL}/api/sites/${path}`, {
    method: 'POST', headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body),
  });
  return { status: answer.status, ...(await answer.json()) };
};

/** What the plugin keeps of its credentials, by the ecosystem's names. */
const kept = () => JSON.parse(wp('eval', `
  $kept = array();
  foreach ( array( 'wpsignal_site_key', 'wpsignal_site_secret', 'wpsignal_jwt_secret' ) as $name ) {
    $kept[ $name ] = get_option( $name, '' );
  }
  echo json_encode( (object) array_filter( $kept ) );`));

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());
  const relay = await wire();
  atEnd(() => relay.close());
  const evil = await stranger();
  atEnd(() => evil.close());
  const people = () => browser.newContext({
    viewport: { width: 1280, height: 1000 },
    httpCredentials: { username: relayDemo.DASHBOARD_USER, password: relayDemo.DASHBOARD_PASSWORD, origin: new URL(relay.url).origin },
  });
  const admin = await people();
  ok(await logIn(admin), 'the admin logs in to WordPress');
  /* As browsers take them that are older than two minutes: not posted from elsewhere. */
  await admin.addCookies((await admin.cookies()).map((cookie) => ({ ...cookie, sameSite: 'Lax' })));
  const page = await admin.newPage();
  const faults = faultsOf(page);
  const outcome = page.locator('#wordsocket-outcome');
  const button = (name) => page.getByRole('button', { name, exact: true });

  /** The notice that is there once the browser is back, and of which kind. */
  const told = async (of = page) => {
    await of.waitForURL(/page=wordsocket/, { timeout: CODE_LIFE_MS + 30000 });
    const notice = of.locator('#wordsocket-outcome');
    await notice.waitFor({ timeout: 5000 });
    const kind = (await notice.getAttribute('class')).match(/notice-(success|info|error)/)?.[1];
    return `${kind}: ${await notice.innerText()}`;
  };
  const open = () => page.goto(SCREEN);
  const begin = async (url = relay.url) => {
    await open();
    await page.getByLabel('Server URL').fill(url);
    await button('Connect through the relay').click();
  };
  const asked = () => page.getByText('This site asks to be connected').waitFor();
  /** Begins and approves; `change` has the answer in its hands on the way. */
  const approve = async (change = (route) => route.continue()) => {
    await begin();
    await asked();
    await page.route(CALLBACK, change);
    // `change` may take a minute; a click waits for pages that are on their way.
    await button('Approve').click({ noWaitAfter: true });
    const said = await told();
    await page.unroute(CALLBACK);
    return said;
  };
  const withFields = (fields) => (route) => {
    const form = new URLSearchParams(route.request().postData());
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    return route.continue({ postData: form.toString() });
  };
  const disconnect = async () => {
    await open();
    await button('Disconnect').click();
    await button('Yes, disconnect').click();
  };

  /* From host mode, as the demo sets it up. */
  await disconnect();
  await until(() => page.getByText('Not connected.').isVisible(), 10000);
  is(kept(), {}, 'the site is not connected');
  await shoot(page, 'connect-1-nothing');

  await page.getByText('Connect by API key instead').click();
  await page.setViewportSize({ width: 390, height: 844 });
  ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'the screen fits a phone');
  await shoot(page, 'connect-1-phone');
  await page.setViewportSize({ width: 1280, height: 1000 });

  /* Who may press. */
  wp('user', 'create', 'eve', 'eve@example.test', '--role=editor', '--user_pass=eve');
  const eve = await people();
  ok(await logIn(eve, 'eve', 'eve'), 'an editor logs in');
  const press = async (who, form) => {
    const answer = await who.request.post(`${SITE}/wp-admin/admin-post.php`, { form: { relay_url: relay.url, ...form }, maxRedirects: 0 });
    return [answer.status(), answer.headers().location ?? ''];
  };
  is(await press(eve, { action: 'wpsignal_oauth_start' }), [403, ''], 'an editor cannot begin');
  is(await press(eve, { action: 'wordsocket_oauth_finish' }), [403, ''], 'nor finish');
  is(await press(admin, { action: 'wpsignal_oauth_start' }), [403, ''], 'nor can a page elsewhere press the button for the admin');
  await eve.close();
  const passer = await browser.newContext();
  is((await press(passer, { action: 'wpsignal_oauth_start' }))[1], '', 'a stranger is sent nowhere');
  is((await press(passer, { action: 'wpsignal_oauth_callback', wps_state: 'x', wps_code: 'y' })), [303, `${SCREEN}&wps_notice=error_state`], 'nor does an answer to nothing do anything');
  await passer.close();
  is(wp('eval', "var_export( get_transient( 'wpsignal_oauth_state' ) );"), 'false', 'nothing was begun');

  /* Before the browser leaves. */
  await begin('http://relay.example.org/wordsocket');
  ok(/^error: This is not the URL of a relay/.test(await told()), 'without https an address elsewhere is none');
  await begin('http://localhost:1/wordsocket');
  ok(/^error: The relay did not answer.*Check the server URL/.test(await told()), 'a relay that is not there is told before the browser leaves');
  await shoot(page, 'connect-2-unreachable');
  await begin(`${SITE}/wordsocket`);
  ok(/^error: There is no relay for other sites.*WordSocketRegistry/.test(await told()), 'so is a server that takes no sites');

  /* Cancelled. */
  await begin(`${relay.url}/dashboard/`);
  await asked();
  ok(page.url().startsWith(`${relay.url}/dashboard/connect?state=`), 'the browser is at the relay, whose dashboard was typed');
  ok(await page.getByText('WordSocket demo').isVisible() && await page.getByText(SITE, { exact: true }).isVisible(), 'which says who asks');
  await shoot(page, 'connect-3-approve');
  const request = new URL(page.url());
  await button('Cancel').click();
  is(await told(), 'info: Cancelled at the relay. Nothing was changed.', 'Cancel leads back, and is told');
  ok(!page.url().includes('wps_notice'), 'a reload will not say it again');
  await shoot(page, 'connect-4-cancelled');
  is(kept(), {}, 'nothing is connected');
  await page.goto(`${SITE}/wp-admin/admin-post.php?action=wpsignal_oauth_callback&wps_error=x&wps_message=call+evil+now`);
  const spoofed = await told();
  ok(/^error: This answer of a relay belongs to no request/.test(spoofed) && !/evil/.test(spoofed), 'a link cannot put its words here');

  /* A callback elsewhere. */
  await begin();
  await asked();
  request.search = new URL(page.url()).search;
  request.searchParams.set('callback_url', `${evil.url}/wp-admin/admin-post.php?action=wpsignal_oauth_callback`);
  await page.goto(request.href);
  ok(await page.getByText(/The answer would go to another place than the site\. Nothing was connected\. Begin again in WordPress/).isVisible(), 'a callback of another origin is refused by the relay\'s own page');
  is(await page.getByRole('button').count(), 0, 'there is nothing to approve');
  await shoot(page, 'connect-5-foreign');
  await begin();
  await asked();
  await page.evaluate((url) => { document.querySelector('[name=callback_url]').value = url; }, `${evil.url}/cb`);
  await button('Approve').click();
  ok(await page.getByText(/The answer would go to another place than the site\./).isVisible(), 'also where the form was tampered with');
  is(evil.calls, [], 'the stranger was told nothing');
  is(kept(), {}, 'nothing is connected by it');

  /* Refused by the relay. */
  const bearer = { Authorization: `Bearer ${relayDemo.WORDSOCKET_API_KEY}` };
  const others = [];
  for (let i = 0; i < ACCOUNT_SITES; i++) others.push(await api('register', { site_url: `https://n${i}.example`, site_name: `n${i}` }, bearer));
  is(others.filter(({ status }) => status !== 200).length, 0, 'the account has as many sites as it may');
  const refused = await approve();
  ok(/^error: The relay refused, and nothing was changed\..*It was said: This account has as many sites as it may\. Disconnect one, such as https:\/\/n0\.example/.test(refused), 'a refusal is told in the relay\'s words');
  note(refused);
  await shoot(page, 'connect-6-refused');
  is(kept(), {}, 'nothing is connected by that');
  for (const { site_key, publish_secret } of others) await api('unregister', { site_key, publish_secret });

  /* The answer is tampered with, comes twice, or comes too late. */
  is((await approve(withFields({ wps_state: '0'.repeat(64) }))).slice(0, 34), 'error: This answer of a relay belo', 'a wrong state');
  is((await approve((route) => {
    wp('option', 'update', '_transient_timeout_wpsignal_oauth_state', String(Math.floor(Date.now() / 1000) - 1));
    return route.continue();
  })).slice(0, 34), 'error: This answer of a relay belo', 'a state that is older than ten minutes');
  await shoot(page, 'connect-7-state');
  ok(/^error: The relay approved but sent no code/.test(await approve(withFields({ wps_code: '' }))), 'no code');
  is(kept(), {}, 'none of it connects anything');
  const unreachable = await approve((route) => {
    relay.cutOff(true);
    return route.continue();
  });
  relay.cutOff(false);
  ok(/^error: The relay did not answer\. Nothing was changed\. Check the server URL/.test(unreachable), 'a relay that is gone at the last step is told');
  note(unreachable);

  /* Approved. */
  let body;
  let answer;
  ok((await approve((route) => {
    answer = route.request();
    body = answer.postData();
    return route.continue();
  })) === 'success: Done: this site is connected. Pages that are open go live when they are loaded again.', 'Approve leads back, and the site is connected');
  is([/wordpress_logged_in/.test((await answer.allHeaders()).cookie ?? ''), [...new URLSearchParams(body).keys()]], [false, ['wps_state', 'wps_code']], 'though what the relay posted bore no login, but a state and a code');
  const code = new URLSearchParams(body).get('wps_code');
  ok(await page.getByText('Connected through a relay. Open connections: 0 of 5,000').isVisible(), 'the relay says so');
  ok(await until(() => page.getByText('Connected by WebSocket.').isVisible(), 10000), 'and this very browser hears it');
  await shoot(page, 'connect-8-connected');
  const keys = kept();
  is(Object.keys(keys), ['wpsignal_site_key', 'wpsignal_site_secret', 'wpsignal_jwt_secret'], 'the credentials are under the names of the ecosystem');
  const html = await page.content();
  ok(html.includes(keys.wpsignal_site_key) && !html.includes(keys.wpsignal_site_secret) && !html.includes(keys.wpsignal_jwt_secret), 'the screen shows the key and no secret');
  is(wp('eval', "echo get_transient( 'wpsignal_oauth_state' ) ? 'state' : '', get_transient( 'wordsocket_oauth_code' ) ? 'code' : '', WPSignal\\WPS::instance()->config()->signature_version();"), '2', 'neither state nor code is left, and publishes are signed by version 2');

  /* The same answer once more, from a page of another site and with nothing but it. */
  const replay = async (of, fields) => {
    await of.goto(`${relay.url}/healthz`);
    await of.evaluate(({ action, form }) => {
      const node = document.createElement('form');
      node.method = 'post';
      node.action = action;
      for (const [name, value] of form) {
        const field = document.createElement('input');
        Object.assign(field, { type: 'hidden', name, value });
        node.append(field);
      }
      document.documentElement.append(node);
      node.submit();
    }, { action: `${SITE}/wp-admin/admin-post.php?action=wpsignal_oauth_callback`, form: [...new URLSearchParams(fields)] });
  };
  await replay(page, body);
  ok(/^error: This answer of a relay belongs to no request.*used already/.test(await told()), 'the same answer again is told to be used');
  ok(await page.getByText('Connected through a relay.').isVisible(), 'and the site stays connected');
  is(kept(), keys, 'by the same credentials');
  await shoot(page, 'connect-9-replayed');

  /* A post that is saved. */
  const visitor = await browser.newContext();
  const watching = await visitor.newPage();
  await record(watching);
  await watching.goto(`${SITE}/`);
  ok(await isConnected(watching, 'ws'), 'a visitor\'s page connects');
  is(await watching.evaluate(() => window.wpSignalConfig.baseUrl), relay.url, 'to the relay');
  const editor = await admin.newPage();
  await openEditor(editor, 1);
  const title = `Saved by way of another server ${Date.now()}`;
  const { begun, failed } = await save(editor, { title });
  ok(!failed, 'the editor saves the post');
  const event = await until(async () => (await heard(watching)).find((one) => one.data.post_title === title));
  ok(event, 'the visitor\'s page hears of it through the relay');
  note(`${event ? event.at - begun : '?'} ms after Save was pressed`);
  await editor.close();

  /* Disconnect. */
  await open();
  await button('Disconnect').click();
  ok(await page.getByText('the keys of this site are revoked').isVisible() && !await button('Disconnect').isVisible(), 'Disconnect asks again, in its place');
  await shoot(page, 'connect-10-disconnect');
  await button('Cancel').click();
  is(kept(), keys, 'and can be taken back');
  relay.cutOff(true);
  await button('Disconnect').click();
  await button('Yes, disconnect').click();
  ok(await until(() => page.getByText(/The relay did not answer\. Nothing was changed\./).isVisible(), 15000), 'a relay that does not answer is told');
  ok(await button('Forget the relay').isVisible(), 'and the site may part alone');
  await shoot(page, 'connect-11-disconnect-unreachable');
  is(kept(), keys, 'until then it keeps its keys');
  relay.cutOff(false);
  await until(() => isConnected(watching, 'ws'), 30000);
  const closed = watching.evaluate(() => new Promise((tell) => { window.WPS.onConnectionChange((is) => is || tell(Date.now())); }));
  const pressed = Date.now();
  await button('Yes, disconnect').click();
  is(await told(), 'success: Disconnected. The relay closed all connections of this site.', 'once it answers, the site is disconnected');
  ok(await closed - pressed < 2000, 'the visitor\'s socket was closed at once');
  is(kept(), {}, 'and the credentials are gone');
  is((await api('unregister', { site_key: keys.wpsignal_site_key, publish_secret: keys.wpsignal_site_secret })).error, 'not_found', 'at the relay as well');
  await page.goto(`${relay.url}/dashboard`);
  ok(await page.getByText('No site is connected yet').isVisible(), 'its dashboard lists no site');
  await visitor.close();

  /* A code that is good no more. */
  const used = await approve(withFields({ wps_code: code }));
  ok(/^error: The relay does not take this code: it was used already/.test(used), 'a code that was used is told');
  await shoot(page, 'connect-12-used');
  const expired = await approve(async (route) => {
    await new Promise((wake) => setTimeout(wake, CODE_LIFE_MS + 1500));
    return route.continue();
  });
  ok(/^error: The approval took more than a minute/.test(expired), 'so is one that is older than a minute');
  await shoot(page, 'connect-13-expired');
  is(kept(), {}, 'neither connects anything');

  /* The answer reaches somebody else, or nobody. */
  wp('user', 'create', 'ada', 'ada@example.test', '--role=administrator', '--user_pass=ada');
  await begin();
  await asked();
  await page.route(CALLBACK, (route) => {
    body = route.request().postData();
    return route.fulfill({ body: 'held' });
  });
  await button('Approve').click();
  await page.getByText('held').waitFor();
  await page.unroute(CALLBACK);
  const nobody = await people();
  const login = await nobody.newPage();
  await replay(login, body);
  ok(await until(() => /wp-login\.php/.test(login.url())), 'a browser without a login is asked to log in');
  const onward = new URL(login.url()).searchParams.get('redirect_to');
  const other = await people();
  ok(await logIn(other, 'ada', 'ada'), 'another administrator is there');
  const hers = await other.newPage();
  await hers.goto(onward);
  ok(/^error: Another administrator began this connection/.test(await told(hers)), 'who cannot finish what she did not begin');
  await other.close();
  is(kept(), {}, 'nothing is connected so far');
  ok(await logIn(nobody), 'whoever began it logs in');
  await login.goto(onward);
  is(await told(login), 'success: Done: this site is connected. Pages that are open go live when they are loaded again.', 'and it is finished');
  await nobody.close();
  is(kept().wpsignal_site_key, keys.wpsignal_site_key, 'as the same site as before');
  await disconnect();
  await told();

  /* By API key. */
  await open();
  await page.getByText('Connect by API key instead').click();
  const key = page.getByLabel('API key', { exact: true });
  await key.fill('0'.repeat(64));
  await button('Connect by API key').click();
  ok(await until(() => page.getByText('The relay does not know this API key.').isVisible(), 10000), 'a wrong API key is told');
  await shoot(page, 'connect-14-api-key');
  await key.fill(relayDemo.WORDSOCKET_API_KEY);
  await key.press('Enter');
  is(await told(), 'success: Done: this site is connected. Pages that are open go live when they are loaded again.', 'the right one connects the site');
  is(kept().wpsignal_site_key, keys.wpsignal_site_key, 'as the same site again');
  ok(!wp('option', 'list', '--format=json').includes(relayDemo.WORDSOCKET_API_KEY), 'and is kept nowhere');
  relay.cutOff(true);
  await disconnect();
  await button('Forget the relay').waitFor();
  await button('Forget the relay').click();
  ok(await until(() => page.getByText('Not connected.').isVisible(), 15000), 'a relay that is gone for good is forgotten');
  relay.cutOff(false);
  const orphan = await api('register', { site_url: SITE, signature: 2 }, bearer);

  /* Constants. */
  const config = join(demo.WORDPRESS_PATH, 'wp-config.php');
  const plain = readFileSync(config, 'utf8');
  const define = (constants) => writeFileSync(config, plain.replace('<?php', `<?php\n${Object.entries(constants).map(([name, value]) => `define( '${name}', ${JSON.stringify(value)} );`).join('\n')}`));
  define({ WORDSOCKET_URL: relay.url });
  await until(async () => { await open(); return page.getByText('Set in wp-config.php.').isVisible(); }, 10000);
  const field = page.getByLabel('Server URL');
  is([await field.inputValue(), await field.getAttribute('readonly')], [relay.url, ''], 'an address that is a constant is shown and cannot be changed');
  define({ WORDSOCKET_URL: relay.url, WPSIGNAL_SITE_KEY: orphan.site_key, WPSIGNAL_SITE_SECRET: orphan.publish_secret, WPSIGNAL_JWT_SECRET: orphan.jwt_secret, WPSIGNAL_SIGNATURE: 2 });
  await until(async () => { await open(); return page.getByText('Connected by the constants').isVisible(); }, 10000);
  is([await page.locator('#wpbody-content').getByRole('button').allInnerTexts(), await page.locator('#wpbody-content').locator('input').count()], [['Send test'], 0], 'a site that is connected by constants has nothing to press but Send test');
  const shown = await page.content();
  ok(shown.includes(orphan.site_key) && !shown.includes(orphan.publish_secret) && !shown.includes(orphan.jwt_secret), 'it shows the key and no secret');
  await shoot(page, 'connect-15-constants');
  writeFileSync(config, plain);

  is(evil.calls, [], 'the stranger was told nothing to the end');
  is(faults.filter((fault) => !/status of (400|401|409|502)|net::ERR_|favicon\.ico|WebSocket connection to .* failed/.test(fault)), [], 'no page reports an error of its own');
  ok(await outcome.count() <= 1, 'an outcome is told once');
  for (const [name, of] of [['WordPress', demo], ['relay', relayDemo]]) {
    is(log('httpd-error.log', of).split('\n').filter((line) => /\[\w+:(warn|error|crit|alert|emerg)\]|exit signal/.test(line)), [], `httpd of the ${name} reports no warning`);
  }
  for (const [name, text] of [['code', code], ['publish secret', keys.wpsignal_site_secret], ['API key', relayDemo.WORDSOCKET_API_KEY]]) {
    ok(![demo, relayDemo].some((of) => ['httpd-access.log', 'httpd-error.log'].some((file) => log(file, of).includes(text))), `no ${name} is in any log`);
  }
  is(log('php.log'), '', 'PHP reports nothing');
});
