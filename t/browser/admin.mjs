/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The plugin's screen in wp-admin, as a site owner walks it, with an extension
 * that knows nothing but the public names.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { logIn, SITE } from './editor.mjs';
import { demo, faultsOf, is, launch, log, note, ok, run, shoot, until, wp } from './lib.mjs';

const SCREEN = `${SITE}/wp-admin/admin.php?page=wordsocket`;
const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const TABS = ['connection', 'settings', 'triggers', 'explorer', 'extensions'];

/* A plugin of somebody else. It sorts after ours, and reserves a namespace. */
const EXTENSION = `<?php
/**
 * Plugin Name: Zebra for WordSocket
 */
add_action( 'wpsignal_loaded', static function () {
	WPSignal\\WPS::instance()->channels()->reserve( 'zebra', 'read' );
	WPSignal\\WPS::instance()->extensions()->register( 'zebra', array(
		'title'       => 'Zebra',
		'description' => 'Stripes, live.',
		'version'     => '1.2.3',
		'docs_url'    => 'https://example.org/zebra',
		'file'        => __FILE__,
		'requires'    => array( 'Savannah' => 'savannah/savannah.php' ),
	) );
} );
add_action( 'wordsocket_settings_enqueue', static function () {
	wp_enqueue_script( 'zebra', plugins_url( 'zebra.js', __FILE__ ), array( 'wpsignal-settings', 'wp-element', 'wp-plugins' ), '1', true );
} );
`;
const EXTENSION_SCRIPT = `
( () => {
	const { createElement: el, useState } = wp.element;
	const { ExtensionPanel, ConnectionStatusFill, useConnection, useClientState, registerTab, version } = window.wordsocket;
	const Panel = () => {
		const { isConnected, siteKey, fetchStatus, lastError } = useConnection();
		const client = useClientState();
		const [ times, setTimes ] = useState( 0 );
		const again = () => fetchStatus().then( () => setTimes( times + 1 ) );
		return el( ExtensionPanel, { name: 'zebra', title: 'Stripes', description: 'How many', docsUrl: 'https://example.org/zebra' },
			el( 'p', { id: 'zebra-state' }, [ version, isConnected, siteKey.length > 0, lastError === null, client.connected, client.transport, times ].join( ' ' ) ),
			el( 'button', { type: 'button', onClick: again }, 'Ask again' ) );
	};
	wp.plugins.registerPlugin( 'zebra', { scope: 'wordsocket', render: () => el( wp.element.Fragment, null,
		el( Panel ), el( ConnectionStatusFill, null, el( 'p', { id: 'zebra-status' }, 'Zebra sees it too.' ) ) ) } );
	registerTab( { name: 'zebra', title: 'Zebra', render: () => {
		const [ stripes, add ] = useState( 1 );
		return el( 'button', { type: 'button', onClick: () => add( stripes + 1 ) }, 'Stripes: ' + stripes );
	} } );
} )();
`;

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());
  const admin = await browser.newContext({ viewport: { width: 1280, height: 900 } });
  ok(await logIn(admin), 'the admin logs in');
  const page = await admin.newPage();
  const faults = faultsOf(page);
  const open = (tab) => page.goto(`${SCREEN}&tab=${tab}`);
  const button = (name) => page.getByRole('button', { name, exact: true });
  const tab = (name) => page.locator('#wordsocket-tabs').getByRole('link', { name, exact: true });
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  const rest = (method, path, body) => page.evaluate(async ([how, where, what]) => {
    const answer = await fetch(`${window.wpSignalConfig.restUrl}${where}`, {
      method: how,
      headers: { 'X-WP-Nonce': window.wpSignalConfig.nonce, 'Content-Type': 'application/json' },
      body: what && JSON.stringify(what),
    });
    return { status: answer.status, ...(await answer.json()) };
  }, [method, path, body]);

  /** What a machine can find of what keeps people out. */
  const barriers = async () => {
    await page.addScriptTag({ path: AXE });
    const { violations } = await page.evaluate(() => window.axe.run('#wpbody-content', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }));
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
  };

  /* By keyboard from tab to tab. */
  await page.goto(SCREEN);
  is(await page.locator('#wordsocket-tabs .nav-tab').allInnerTexts(), ['Connect', 'Settings', 'Triggers', 'Explorer', 'Extensions'], 'the screen has its tabs');
  is(await page.locator('#wordsocket-tabs [aria-current=page]').innerText(), 'Connect', 'and opens at Connect');
  await tab('Connect').focus();
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  ok(await until(() => page.getByRole('heading', { name: 'Editing together' }).isVisible(), 10000), 'the keyboard leads to the next');
  is(await page.locator('#wordsocket-tabs [aria-current=page]').innerText(), 'Settings', 'which says that it is the one');

  /* The switches of editing together. */
  const option = (name) => wp('option', 'get', name, '--format=json');
  const toggle = page.getByRole('checkbox', { name: 'Collaboration over WordSocket' });
  ok(!await toggle.isChecked() && await page.getByText('asleep and unannounced').isVisible(), 'what WordPress has asleep is off at first, and said to be asleep');
  await toggle.focus();
  await page.keyboard.press('Space');
  ok(await until(() => option('wpsignal_yjs_provider_enabled') === '"1"'), 'a key switches it on');
  await open('settings');
  await toggle.waitFor();
  ok(await toggle.isChecked(), 'and it stays so');
  const seal = page.getByRole('checkbox', { name: 'Encrypt what editors write' });
  ok(await seal.isChecked(), 'what editors write is encrypted at first');
  await shoot(page, 'admin-6-together');
  await seal.click();
  ok(await until(() => option('wordsocket_collaboration_plain') === '"1"'), 'or is not');
  await open('settings');
  await seal.waitFor();
  ok(!await seal.isChecked() && await toggle.isChecked(), 'which stays so, beside the other');
  await seal.click();
  ok(await until(() => wp('option', 'list', '--search=wordsocket_collaboration_plain', '--format=count') === '0'), 'and is again');
  const more = join(demo.WORDPRESS_PATH, 'wp-content/mu-plugins');
  mkdirSync(more, { recursive: true });
  atEnd(() => rmSync(join(more, 'keyless.php'), { force: true }));
  writeFileSync(join(more, 'keyless.php'), "<?php add_filter( 'wpsignal_encryption_seed', '__return_empty_string' );");
  await open('settings');
  const keyless = page.locator('#wpsignal-settings-root').getByText('has no AUTH_KEY and no SECURE_AUTH_KEY');
  ok(await until(() => keyless.isVisible(), 10000), 'without anything to make keys from it is said that nobody edits together');
  await shoot(page, 'admin-7-together-without-keys');
  await seal.click();
  ok(await until(async () => !await keyless.isVisible()), 'and not encrypting is a way out');
  await seal.click();
  ok(await until(() => keyless.isVisible()), 'no longer when it is to be encrypted');
  for (const [name, code, words] of [
    ['with nothing to carry', "$GLOBALS['wp_version'] = '6.9.4';", 'WordPress 6.9.4 has no editing together'],
    ['where the experiment of Gutenberg is off', 'function wp_is_collaboration_enabled() { return false; }', 'its experiment is switched off, and stays so'],
  ]) {
    writeFileSync(join(more, 'keyless.php'), `<?php ${code}`);
    await open('settings');
    ok(await until(() => page.locator('#wpsignal-settings-root').getByText(words).isVisible(), 10000) && await toggle.isDisabled() && await seal.isDisabled(), `${name} the switches are off, and it is said why`);
    await shoot(page, 'admin-8-together-not-here');
  }
  rmSync(join(more, 'keyless.php'));
  await open('settings');

  await page.getByRole('checkbox', { name: 'For visitors, too' }).click();
  ok(await until(() => wp('option', 'get', 'wordsocket_live_visitors') === '1'), 'live blocks can be opened to visitors');
  await page.getByRole('checkbox', { name: 'For visitors, too' }).click();
  ok(await until(() => wp('option', 'get', 'wordsocket_live_visitors') !== '1'), 'and closed');
  await page.route(/\/wpsignal\/v1\/settings/, (route) => route.fulfill({ status: 500, json: { code: 'x', message: 'The disk is full.' } }));
  await toggle.click();
  ok(await until(() => page.getByText('The disk is full.').first().isVisible()) && await toggle.isChecked(), 'a switch that is not saved goes back, and says why');
  await page.unroute(/\/wpsignal\/v1\/settings/);

  /* Send test, each way measured. */
  const passed = async (of = page) => {
    await of.getByRole('button', { name: 'Send test' }).click();
    const cells = of.locator('.wordsocket-results tbody tr');
    await of.locator('tr[data-transport=poll] td').first().filter({ hasText: /ms|pass/ }).waitFor({ timeout: 30000 });
    return (await cells.allInnerTexts()).map((text) => text.split('\t').map((cell) => cell.trim()));
  };
  // What PHP counts as it makes the page is who was there before.
  const other = await admin.newPage();
  await other.goto(SCREEN);
  await other.waitForFunction(() => window.WPS?.connected);
  await page.goto(SCREEN);
  ok(await page.getByText(/Open connections: [1-9]\d* of/).isVisible(), 'the screen counts open connections');
  const first = await passed();
  is(first.map(([name, ms]) => [name, /^\d+ ms$/.test(ms)]), [['WebSocket', true], ['Event stream', true], ['Polling', true]], 'Send test shows the round trip of each transport');
  note(first.map((row) => row.join(' ')).join('; '));
  await shoot(page, 'admin-1-send-test');
  await other.close();
  const shut = await admin.newPage();
  await shut.routeWebSocket(/\/wordsocket\/ws/, (socket) => socket.close({ code: 4029, reason: 'full' }));
  await shut.route(/\/wordsocket\/sse/, (route) => route.abort());
  await shut.goto(SCREEN);
  const second = await passed(shut);
  is(second.map(([name, ms]) => [name, /ms$/.test(ms) || ms]), [['WebSocket', 'Does not pass'], ['Event stream', 'Does not pass'], ['Polling', true]], 'what does not pass is told');
  ok(/4029 full/.test(second[0][2]) && /could not reach the relay/.test(second[1][2]), 'with the reason');
  await shoot(shut, 'admin-2-send-test-refused');
  await shut.close();

  /* The routes. */
  const settings = await rest('GET', '/settings');
  is([settings.status, settings.is_connected, settings.credential_source, settings.api_key, settings.last_error], [200, true, 'server', '', null], '/settings says how things are');
  is(Object.keys(await rest('GET', '/stats')).sort(), ['active_connections', 'max_connections', 'status'], '/stats counts');
  is((await rest('POST', '/publish', { channel: 'events', event: 'admin.test', data: { n: 1 } })).ok, true, '/publish publishes');
  is([(await rest('POST', '/publish', { channel: '', event: 'x' })).code, (await rest('POST', '/publish', { event: 'x' })).code, (await rest('POST', '/settings', { yjs_provider_enabled: 'maybe' })).code], ['rest_invalid_param', 'rest_missing_callback_param', 'rest_invalid_param'], 'what is wrong is refused by its schema');
  is(wp('eval', `
    wp_set_current_user( 0 );
    foreach ( array( 'settings', 'stats', 'extensions', 'health' ) as $route ) {
      echo rest_do_request( new WP_REST_Request( 'GET', "/wpsignal/v1/$route" ) )->get_status(), ' ';
    }`), '401 401 401 401', 'nothing of it is for strangers');

  /* What went wrong last. */
  wp('eval', "WPSignal\\Notices::record( 'rate_limited', 'slow down', 'post.updated' );");
  await page.goto(SCREEN);
  const trouble = page.locator('#wordsocket-last-error');
  ok(await page.getByText('The last event, post.updated, was not delivered').isVisible() && await page.getByText('ask for a higher WordSocketPublishRate').isVisible(), 'the last failure is told with its remedy');
  ok(!await trouble.getByText('rate_limited').isVisible(), 'and its details on request');
  await trouble.locator('summary').focus();
  await page.keyboard.press('Enter');
  ok(await trouble.getByText('rate_limited').isVisible(), 'by the keyboard as well');
  await shoot(page, 'admin-3-last-error');
  wp('eval', 'WPSignal\\Notices::clear();');

  /* Site Health. */
  const health = await rest('GET', '/health');
  is([health.status, health.label], ['good', 'WordSocket reaches its relay'], 'Site Health finds the relay');
  const debug = wp('eval', `
    require_once ABSPATH . 'wp-admin/includes/class-wp-debug-data.php';
    echo WP_Debug_Data::format( apply_filters( 'debug_information', array() ), 'debug' );
    echo implode( ' ', array_keys( array_merge( ...array_values( apply_filters( 'site_status_tests', array( 'direct' => array(), 'async' => array() ) ) ) ) ) );`);
  const keys = JSON.parse(wp('option', 'get', 'wordsocket_connection', '--format=json'));
  ok(/encryption: true/.test(debug) && /wordsocket_ready wordsocket_relay/.test(debug), 'and has its tests and a section of debug information');
  ok(![keys.publish_secret, keys.jwt_secret, keys.site_key].some((secret) => debug.includes(secret)), 'which copies neither secret nor key');

  /* An extension. */
  const folder = join(demo.WORDPRESS_PATH, 'wp-content/plugins/zebra');
  mkdirSync(folder);
  atEnd(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'zebra.php'), EXTENSION);
  writeFileSync(join(folder, 'zebra.js'), EXTENSION_SCRIPT);
  wp('plugin', 'activate', 'zebra');
  await open('extensions');
  const card = page.locator('[data-slug=zebra]');
  ok(await until(async () => await card.count() === 1 && /Zebra 1\.2\.3.*Stripes, live\..*Missing: Savannah/s.test(await card.innerText())), 'an extension has its card, and says what it lacks');
  is(await page.locator('.wordsocket-card').evaluateAll((cards) => cards.filter((of) => !of.querySelector('a, button, .wordsocket-badge')).map((of) => of.dataset.slug)), [], 'no card leads nowhere');
  ok(await page.getByRole('listitem').filter({ hasText: 'ChatSocket' }).isVisible(), 'what others make is named');
  const panel = page.getByRole('region', { name: 'Stripes' });
  const said = page.locator('#zebra-state');
  ok(await until(async () => await said.innerText() === '1 true true true true ws 0', 10000), 'and its panel, which knows of the connection');
  note(await said.innerText());
  await panel.getByRole('button', { name: 'Ask again' }).click();
  ok(await until(async () => (await said.innerText()).endsWith('ws 1')), 'and can ask again');
  await shoot(page, 'admin-4-extensions');
  await tab('Zebra').click();
  await page.getByRole('button', { name: 'Stripes: 1' }).click();
  ok(await until(() => page.getByRole('button', { name: 'Stripes: 2' }).isVisible()), 'its tab is alive');
  is([new URL(page.url()).searchParams.get('tab'), await page.locator('#wordsocket-tabs [aria-current=page]').innerText()], ['zebra', 'Zebra'], 'and has an address');
  await page.goto(SCREEN);
  ok(await until(() => page.locator('#zebra-status').isVisible()), 'it adds to what Connect says');
  is((await passed()).map(([, ms]) => /ms$/.test(ms)), [true, true, true], 'Send test goes on where channels are reserved');
  await page.goto(`${SITE}/wp-admin/plugins.php`);
  is(await page.locator('tr[data-plugin="zebra/zebra.php"] .plugin-title strong').innerText(), 'WordSocket: Zebra', 'the list of plugins calls it by both names');
  is(await page.locator('tr[data-plugin="zebra/zebra.php"] .plugin-title').evaluate((cell) => getComputedStyle(cell).paddingLeft), '30px', 'and moves it in');

  /* On a phone, and while nothing is connected. */
  await page.setViewportSize({ width: 390, height: 844 });
  for (const name of TABS) {
    await open(name);
    await page.locator('#wpsignal-settings-root > *').first().waitFor({ state: 'attached' });
    ok(await fits(), `${name} fits a phone`);
    is(await barriers(), [], 'and keeps nobody out');
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  await page.goto(SCREEN);
  await button('Disconnect').click();
  await button('Yes, disconnect').click();
  ok(await until(() => page.getByText('This server offers it.').isVisible(), 15000), 'after Disconnect the server is known to offer it');
  is(await page.locator('#wordsocket-tabs a').allInnerTexts(), ['Connect', 'Extensions', 'Zebra'], 'only what makes sense can be opened');
  await open('explorer');
  ok(await page.getByText('This is for a site that is connected').isVisible() && await page.locator('#wpsignal-settings-root input').count() === 0, 'an address of the others says so');
  await open('extensions');
  ok(await until(() => card.isVisible()), 'Extensions work');

  /* A host that does not offer it. */
  await page.route(/\/wpsignal\/v1\/enroll/, (route) => route.fulfill({ status: 501, json: { code: 'wordsocket_not_offered', message: 'This web server did not hand over keys. Ask whoever runs it for mod_wordsocket with "WordSocket On" and "WordSocketHostKey"; PHP must run by FPM, and this page must be open by https.' } }));
  await admin.grantPermissions(['clipboard-read', 'clipboard-write']);
  await page.goto(SCREEN);
  ok(await until(() => page.getByText('This server does not offer it.').isVisible(), 10000), 'a server that does not is known for it');
  await button('Copy').click();
  ok(await until(() => page.getByText('Copied.').isVisible()), 'what to write to the host can be copied');
  ok(/WordSocketHostKey/.test(await page.evaluate(() => navigator.clipboard.readText())), 'and is in the clipboard');
  await shoot(page, 'admin-5-not-offered');
  is(await barriers(), [], 'and the screen keeps nobody out');
  await page.unroute(/\/wpsignal\/v1\/enroll/);

  /* Without JavaScript. */
  const plain = await browser.newContext({ javaScriptEnabled: false, storageState: await admin.storageState() });
  const still = await plain.newPage();
  await still.goto(SCREEN);
  ok(await still.getByText('Not connected.').isVisible() && await still.getByLabel('Server URL').isVisible(), 'without JavaScript Connect can be read');
  await still.locator('#wordsocket-tabs').getByRole('link', { name: 'Extensions' }).click();
  ok(await until(() => still.getByText('This tab needs JavaScript.').isVisible(), 10000), 'and the others say what they need');
  await plain.close();

  is(faults.filter((fault) => !/status of (400|500|501)/.test(fault)), [], 'no page reports an error');
  // The list of plugins asks wordpress.org, which is not there.
  is(log('php.log').split('\n').filter((line) => line && !/wp_update_(plugins|themes)\(\)/.test(line)), [], 'PHP reports nothing');
});
