/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A real WordPress behind the real module, real browsers on both sides: what
 * is saved in wp-admin shows on an open page at once, and the relay cannot
 * read it.
 */
import { demo, eavesdrop, faultsOf, is, launch, log, note, ok, run, shoot, until, wp } from './lib.mjs';

const SITE = demo.WORDPRESS_URL;
const SAVED_WITHIN_MS = 1000;

/** Log in by request: the form's own focus script now and then eats the click. */
async function logIn(context) {
  await context.request.get(`${SITE}/wp-login.php`);
  const answer = await context.request.post(`${SITE}/wp-login.php`, {
    form: { log: demo.WORDPRESS_ADMIN, pwd: demo.WORDPRESS_PASSWORD, testcookie: '1', redirect_to: `${SITE}/wp-admin/profile.php` },
  });
  return /wp-admin\/profile/.test(answer.url());
}

async function openEditor(page, post) {
  await page.goto(`${SITE}/wp-admin/post.php?post=${post}&action=edit`, { waitUntil: 'domcontentloaded' });
  await page.waitForFunction(() => window.wp?.data?.select('core/editor')?.__unstableIsEditorReady?.(), null, { timeout: 60000 });
  await page.evaluate(() => {
    window.wp.data.dispatch('core/preferences').set('core/edit-post', 'welcomeGuide', false);
    window.wp.data.dispatch('core/preferences').set('core', 'enableChoosePatternModal', false);
  });
}

/** Save through the editor's own store; the time just before. */
const save = (page, edits) => page.evaluate(async (changed) => {
  const { dispatch, select } = window.wp.data;
  dispatch('core/editor').editPost(changed);
  const begun = Date.now();
  await dispatch('core/editor').savePost();
  return { begun, saved: Date.now(), failed: select('core/editor').didPostSaveRequestFail() };
}, edits);

/** Keep every post.updated with the time it came, from before the page's scripts on. */
const record = (page) => page.addInitScript(() => {
  window.heard = [];
  document.addEventListener('wpsignal:post.updated', ({ detail }) => {
    window.heard.push({ at: Date.now(), channel: detail.channel, data: detail.data });
  });
});

const heard = (page) => page.evaluate(() => window.heard);
const isConnected = (page, transport) => until(() =>
  page.evaluate((wanted) => window.WPS?.state.connected && window.WPS.state.transport === wanted, transport), 10000);

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
  is(ask(1), '200 token,channels,exp', 'and a user a token');
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
  ok(/Connected by the constants in wp-config\.php\. Open connections: [1-9]/.test(shown), 'the settings screen says that the site is connected, and how often');
  ok(!/was not delivered/.test(shown), 'and of no failure');
  await shoot(page, 'settings-connected');

  wp('eval', `
    add_filter( 'pre_http_request', fn() => new WP_Error( 'http_request_failed', 'Connection refused' ) );
    WPSignal\\WPS::publish( 'events', 'lost.event' );`);
  ok(/lost\.event, was not delivered .* ago: Connection refused\. The relay did not answer in time\. Check WORDSOCKET_URL/.test(await text()), 'a failed publish is told, with what to do');
  await shoot(page, 'settings-failure');
  wp('eval', "WPSignal\\WPS::publish( 'events', 'works.again' );");
  ok(!/was not delivered/.test(await text()), 'and forgotten when one succeeds');
}

function uninstalledWithoutATrace() {
  wp('eval', "WPSignal\\Notices::record( 'x', 'y' );");
  const left = () => wp('option', 'list', '--search=wpsignal*', '--format=count');
  is(left(), '1', 'a failure is stored');
  wp('eval', "define( 'WP_UNINSTALL_PLUGIN', 'wordsocket/wordsocket.php' ); require WP_PLUGIN_DIR . '/wordsocket/uninstall.php';");
  is(left(), '0', 'uninstalling removes it');
}

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());
  const admin = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  const visitor = await browser.newContext({ viewport: { width: 1100, height: 800 } });
  const streaming = await browser.newContext();

  ok(await logIn(admin), 'the admin logs in');

  const socketPage = await visitor.newPage();
  const faults = faultsOf(socketPage);
  await record(socketPage);
  await socketPage.goto(`${SITE}/`);
  ok(await isConnected(socketPage, 'ws'), 'the front page of a visitor connects by WebSocket');

  const streamPage = await streaming.newPage();
  await record(streamPage);
  await streamPage.addInitScript(() => {
    let config;
    Object.defineProperty(window, 'wpSignalConfig', { get: () => config, set: (value) => { config = { ...value, forceSSE: true }; } });
  });
  await streamPage.goto(`${SITE}/`);
  ok(await isConnected(streamPage, 'sse'), 'one that is told to use the event stream does');

  const minted = await mintAsVisitor(visitor.request);
  is(Object.keys(minted).filter((name) => name !== 'headers'), ['token', 'channels', 'exp'], 'the token route answers a visitor of the demo');
  ok(/no-store/.test(minted.headers['cache-control']), 'and nobody may keep the answer');
  const onlooker = await eavesdrop(minted.token, ['events']);
  atEnd(onlooker.close);

  const editor = await admin.newPage();
  await openEditor(editor, 1);
  ok(await isConnected(editor, 'ws'), 'the client is in wp-admin, too');
  await savedAndSeen({ editor, socketPage, streamPage, onlooker });
  await socketPage.waitForTimeout(300); // the card is still moving
  await shoot(socketPage, 'front-page-toast');
  await savedAndSeen({ editor, socketPage, streamPage, onlooker });
  await shoot(editor, 'editor');

  await nothingAboutDrafts(onlooker);
  await whoGetsATokenAndWho401();
  await theSettingsScreen(editor);
  uninstalledWithoutATrace();

  is(faults, [], 'the front page reports no error');
  is(log('php.log'), '', 'PHP reports nothing');
  is(log('httpd-error.log').split('\n').filter((line) => /\[\w+:(warn|error|crit|alert|emerg)\]|exit signal/.test(line)), [], 'httpd reports no warning');
});
