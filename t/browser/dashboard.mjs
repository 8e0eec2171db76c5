/* SPDX-License-Identifier: Apache-2.0 */
/* The dashboard of a relay in a real browser, on a phone: a site that stands in
 * for WordPress is connected by one click, listed, and disconnected. */
import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import WebSocket from 'ws';
import { demo, faultsOf, is, launch, ok, run, shoot, until } from './lib.mjs';

const BASE = demo.WORDSOCKET_URL;

/** A site's server: what reached its callback, and a page that frames us. */
async function site() {
  const self = { calls: [] };
  const server = createServer((from, to) => {
    let body = '';
    from.on('data', (bytes) => { body += bytes; });
    from.on('end', () => {
      const frame = `<!doctype html><p>a site</p><iframe src="${BASE}/dashboard"></iframe>`;
      if (from.url.startsWith('/callback')) {
        self.calls.push({ method: from.method, query: from.url.replace(/^[^?]*\??/, ''), form: new URLSearchParams(body) });
      }
      to.setHeader('Content-Type', 'text/html');
      to.end(from.url === '/frame' ? frame : '<!doctype html><title>back</title><p>back at the site</p>');
    });
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  self.url = `http://127.0.0.1:${server.address().port}`;
  self.close = () => server.close();
  return self;
}

const exchange = (code) => fetch(`${BASE}/api/connect/exchange`, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ code }),
});

function token({ site_key: key, jwt_secret: secret }) {
  const sha = (kind) => createHash('sha256').update(`${kind}:${key}`).digest('hex');
  const now = Math.floor(Date.now() / 1000);
  const signed = [{ alg: 'HS256', typ: 'JWT' }, {
    v: 2, tenant_id: sha('tenant'), site_id: sha('site'), user_id: '1', iat: now, exp: now + 300,
    allowed_channel_prefixes: [`site:${sha('site')}:`], allowed_publish_prefixes: [],
  }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`;
}

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());
  const shop = await site();
  atEnd(() => shop.close());
  const context = await browser.newContext({
    viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true,
    httpCredentials: { username: demo.DASHBOARD_USER, password: demo.DASHBOARD_PASSWORD, origin: new URL(BASE).origin },
  });
  const page = await context.newPage();
  const faults = faultsOf(page);
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
  const ask = () => page.goto(`${BASE}/dashboard/connect?${new URLSearchParams({
    state: 'a state', callback_url: `${shop.url}/callback?action=x`, site_url: shop.url, site_name: 'A "shop" & more' })}`);

  await ask();
  ok(await page.getByText('A "shop" & more').isVisible(), 'the page says which site asks');
  await shoot(page, 'dashboard-connect');
  ok(await fits(), 'it fits a phone');
  await page.getByRole('button', { name: 'Cancel' }).click();
  ok(await page.getByText('back at the site').isVisible(), 'Cancel leads back');
  is(shop.calls.map(({ method, query }) => `${method} ${query}`), ['GET action=x&wps_error=cancelled'], 'and says so');

  await ask();
  await page.getByRole('button', { name: 'Approve' }).click();
  await page.getByText('back at the site').waitFor();
  const { method, form } = shop.calls[1];
  is([method, form.get('wps_state'), [...form.keys()].join()], ['POST', 'a state', 'wps_state,wps_code'], 'Approve posts the code by itself');
  const answer = await exchange(form.get('wps_code'));
  is(answer.status, 200, 'the site exchanges it');
  const keys = await answer.json();

  const socket = new WebSocket(`${BASE.replace(/^http/, 'ws')}/ws?token=${token(keys)}`);
  let closed = 0;
  socket.on('close', (code) => { closed = code; });
  await new Promise((opened) => socket.on('open', opened));
  await page.goto(`${BASE}/dashboard`);
  ok(await page.getByText(keys.site_key).isVisible(), 'the dashboard lists it');
  ok(await page.getByText('1 of 5000').isVisible(), 'with its visitor');
  await shoot(page, 'dashboard');
  ok(await fits(), 'it fits a phone, too');

  ok(!await page.getByRole('button', { name: 'Yes, disconnect' }).isVisible(), 'Disconnect asks first');
  await page.getByText('Disconnect', { exact: true }).click();
  ok(await fits(), 'in place');
  await page.getByRole('button', { name: 'Yes, disconnect' }).click();
  ok(await page.getByText('None yet').isVisible(), 'confirmed, it is gone from the list');
  is(await until(() => closed, 1000), 4003, 'and its visitor was cut off within a second');

  await page.getByText('New API key').click();
  await page.getByRole('button', { name: 'Replace it' }).click();
  const key = await page.locator('#api-key').innerText();
  ok(/^[0-9a-f]{64}$/.test(key) && key !== demo.WORDSOCKET_API_KEY, 'a new API key is shown');
  await shoot(page, 'dashboard-api-key');
  ok(await fits(), 'and fits');
  await page.getByText('Back to the dashboard').click();
  ok(!(await page.content()).includes(key), 'once');
  is(faults, [], 'no page reports an error: what they do, their policy allows');

  await page.goto(`${shop.url}/frame`);
  ok(await until(() => faults.some((fault) => /frame-ancestors|X-Frame-Options/.test(fault))), 'no other page can frame the dashboard');
});
