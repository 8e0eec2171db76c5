/* SPDX-License-Identifier: Apache-2.0 */
/* The dashboard of a relay in a real browser, on a phone: a site that stands in
 * for WordPress is connected by one click, listed, watched, and disconnected.
 * With WORDSOCKET_DASHBOARD_PICTURE, the wide page is also written there. */
import { createHash, createHmac } from 'node:crypto';
import { createServer } from 'node:http';
import WebSocket from 'ws';
import { demo, faultsOf, is, launch, note, ok, run, shoot, until } from './lib.mjs';

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

/** Publish as the site's server does; a wrong secret is refused. */
function publish({ site_key: key, publish_secret: secret }, event) {
  const body = JSON.stringify({ channel: 'events', event, data: { n: 1 } });
  const ts = String(Date.now());
  const sign = createHmac('sha256', secret).update(`${body}.${ts}`).digest('hex');
  return fetch(`${BASE}/publish`, {
    method: 'POST', body,
    headers: { 'Content-Type': 'application/json', 'X-WP-Signal-Key': key, 'X-WP-Signal-Ts': ts, 'X-WP-Signal-Sign': sign },
  });
}

const register = async (site_url, site_name) => (await fetch(`${BASE}/api/sites/register`, {
  method: 'POST', body: JSON.stringify({ site_url, site_name }),
  headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${demo.WORDSOCKET_API_KEY}` },
})).json();

async function visit(keys) {
  const socket = new WebSocket(`${BASE.replace(/^http/, 'ws')}/ws?token=${token(keys)}`);
  const self = { socket, closed: 0 };
  socket.on('close', (code) => { self.closed = code; });
  await new Promise((opened) => socket.on('open', opened));
  return self;
}

/** The page as somebody at a desk sees it, with some sites at work. */
async function atADesk(browser, shop) {
  const context = await browser.newContext({
    viewport: { width: 1120, height: 900 },
    httpCredentials: { username: demo.DASHBOARD_USER, password: demo.DASHBOARD_PASSWORD, origin: new URL(BASE).origin },
  });
  const page = await context.newPage();
  const faults = faultsOf(page);
  const news = await register('https://news.example', 'Harbour News');
  const garden = await register('https://garden.example/blog', 'The Garden Blog');
  const visitors = [];
  for (const site of [shop, shop, shop, news, news, news, news, news]) visitors.push(await visit(site));
  await page.goto(`${BASE}/dashboard`);
  const card = (key) => page.locator(`[data-site="${key}"]`);
  is(await card(news.site_key).locator('[data-n=connections]').innerText(), '5', 'a site has five visitors');
  is(await page.locator('[data-n=all-connections]').innerText(), '9', 'and all sites nine');
  ok(!(await card(garden.site_key).locator('.state.on').count()), 'another is quiet');
  await page.getByText('As it happens').waitFor();
  visitors.push(await visit(news));
  await page.locator('#log li', { hasText: 'Harbour News' }).waitFor({ timeout: 5000 });
  is(await page.locator('#log li b').first().innerText(), '+1, now 6', 'who comes is listed, by our own stream');
  is(await card(news.site_key).locator('[data-n=connections]').innerText(), '6', 'and counted');
  for (let round = 0; round < 9; round++) {
    for (let n = 0; n < 2 + (round * 5) % 7; n++) await publish(news, 'post.updated');
    for (let n = 0; n < 1 + (round * 3) % 4; n++) await publish(shop, 'order.paid');
    await new Promise((wake) => setTimeout(wake, round ? 4200 : 0));
  }
  const minute = Number(await card(news.site_key).locator('[data-n=minute]').innerText());
  ok(minute > 0, `messages are counted as they come (${minute})`);
  const line = await card(news.site_key).locator('polyline').getAttribute('points');
  ok(new Set(line.split(' ').map((point) => point.split(',')[1])).size > 2, 'and drawn');
  await publish({ ...news, publish_secret: 'no such secret' }, 'x');
  ok(await until(() => card(news.site_key).locator('.fault').isVisible(), 6000), 'what was refused is told');
  ok((await card(news.site_key).locator('.fault').innerText()).includes('invalid_signature'), 'by its name');
  visitors.pop().socket.terminate();
  await page.locator('#log li', { hasText: '\u22121, now 5' }).waitFor({ timeout: 5000 });
  ok(true, 'who goes is listed, too');
  await shoot(page, 'dashboard-wide');
  if (process.env.WORDSOCKET_DASHBOARD_PICTURE) {
    await page.screenshot({ path: process.env.WORDSOCKET_DASHBOARD_PICTURE, fullPage: true });
    note(`picture ${process.env.WORDSOCKET_DASHBOARD_PICTURE}`);
  }
  is(faults, [], 'no error in all that time');
  for (const visitor of visitors) visitor.socket.terminate();
  await context.close();
  return [news, garden];
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
    state: 'a state', callback_url: `${shop.url}/callback?action=x`, site_url: shop.url, site_name: 'Quay & Sons "Shop"' })}`);

  await ask();
  ok(await page.getByText('Quay & Sons "Shop"').isVisible(), 'the page says which site asks');
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

  const visitor = await visit(keys);
  await atADesk(browser, keys);
  await page.goto(`${BASE}/dashboard`);
  const card = page.locator(`[data-site="${keys.site_key}"]`);
  is(await card.locator('[data-n=connections]').innerText(), '1', 'the dashboard lists it, with its visitor');
  await card.getByText('Limits and key').click();
  ok(await card.getByText(keys.site_key).isVisible(), 'its key is there');
  ok(await fits(), 'and fits a phone');
  await card.getByText('Limits and key').click();
  await shoot(page, 'dashboard');
  ok(await fits(), 'so does all of the page');

  const yes = card.getByRole('button', { name: 'Yes, disconnect' });
  ok(!await yes.isVisible(), 'Disconnect asks first');
  await card.getByText('Disconnect', { exact: true }).click();
  ok(await fits(), 'in place');
  await card.scrollIntoViewIfNeeded();
  await shoot(page, 'dashboard-disconnect');
  await yes.click();
  await page.waitForURL(`${BASE}/dashboard`);
  ok(await until(async () => !(await card.count())), 'confirmed, it is gone from the list');
  is(await until(() => visitor.closed, 1000), 4003, 'and its visitor was cut off within a second');

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
