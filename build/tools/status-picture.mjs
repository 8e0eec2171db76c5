/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes docs/status.png: the status page of a demo with some traffic, as on a
 * desk and, dark, as on a telephone. t/browser/picture.t takes it with each run
 * of the tests, into the folder of their screenshots, and
 *
 *     STATUS_PICTURE=docs/status.png t/browser/picture.t
 *
 * takes the one in docs.
 */
import { spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { demo, faultsOf, is, launch, note, ok, run, shots } from '../../t/browser/lib.mjs';

const FILE = process.env.STATUS_PICTURE ?? join(shots, 'status.png');
const MAX_BYTES = 200_000;
const SECONDS = 45;
const STAY = 220;
const HEIGHT = 840;
const site = JSON.parse(readFileSync(demo.WORDSOCKET_SITE_FILE, 'utf8'));
const relay = new URL(demo.WORDSOCKET_URL);
const folder = mkdtempSync(join(tmpdir(), 'wordsocket-status-'));
const pause = (seconds) => new Promise((wake) => { setTimeout(wake, seconds * 1000); });

function token() {
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const id = (kind) => createHash('sha256').update(`${kind}:${site.site_key}`).digest('hex');
  const now = Math.floor(Date.now() / 1000);
  const text = `${encode({ alg: 'HS256', typ: 'JWT' })}.${encode({
    v: 2, tenant_id: id('tenant'), site_id: id('site'), user_id: '1', iat: now, exp: now + 900,
    allowed_channel_prefixes: [`site:${id('site')}:`], allowed_publish_prefixes: [],
  })}`;
  return `${text}.${createHmac('sha256', site.jwt_secret).update(text).digest('base64url')}`;
}

function swarm(...options) {
  const tokens = join(folder, 'tokens');
  writeFileSync(tokens, `${token()}\n`);
  return spawn('t/load/swarm', ['--port', relay.port, '--path', relay.pathname, '--tokens', tokens,
    '--key', site.site_key, '--secret', site.publish_secret, '--seconds', '300', ...options.map(String)],
  { stdio: ['pipe', 'ignore', 'inherit'] });
}

const ended = (child) => new Promise((done) => { child.on('exit', done); });

/* Listeners who stay, and visits of others with bursts of messages. */
async function traffic(until) {
  const stay = swarm('--ws', STAY - 60, '--sse', 60, '--hold', '--no-reconnect');
  for (let visit = 0; Date.now() < until; visit++) {
    const visitor = swarm('--ws', 30 + 40 * (visit % 4), '--sse', 20, '--publish', 40 + 25 * (visit % 3), '--rate', 12 + 8 * (visit % 5), '--settle', 2);
    const refused = Array.from({ length: visit % 3 }, () => fetch(`${demo.WORDSOCKET_URL}/poll?token=old`));
    await Promise.all([ended(visitor), ...refused]);
    await pause(0.5 * (visit % 3));
  }
  return stay;
}

async function open(browser, width, colorScheme) {
  const context = await browser.newContext({ viewport: { width, height: HEIGHT }, colorScheme });
  const page = await context.newPage();
  const faults = faultsOf(page);
  await page.goto(new URL('/wordsocket-status', relay).href);
  return { page, faults };
}

const image = (png, width) => `<img src="data:image/png;base64,${png.toString('base64')}" width="${width}" height="${HEIGHT}">`;

async function paste(browser, shotOfDesk, shotOfPhone) {
  const sheet = await browser.newPage({ viewport: { width: 1280 + 390 + 72, height: HEIGHT + 48 } });
  await sheet.setContent(`<style>
  body { margin: 0; padding: 24px; display: flex; gap: 24px; background: #c9d1dc; }
  img { border-radius: 8px; }
</style>${image(shotOfDesk, 1280)}${image(shotOfPhone, 390)}`);
  mkdirSync(dirname(FILE), { recursive: true });
  await sheet.screenshot({ path: FILE });
}

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());
  atEnd(() => rmSync(folder, { recursive: true }));
  const views = [await open(browser, 1280, 'light'), await open(browser, 390, 'dark')];
  const stay = await traffic(Date.now() + SECONDS * 1000);
  atEnd(() => stay.kill());
  const images = [];
  for (const [i, name] of ['desk', 'telephone'].entries()) {
    const { page, faults } = views[i];
    images.push(await page.screenshot());
    is(faults, [], `${name}: no fault under traffic`);
    ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `${name}: nothing is too wide`);
    is(await page.locator('#live').innerText(), 'live', `${name}: live`);
    ok(parseFloat(await page.locator('#connections').innerText()) >= STAY, `${name}: who stays is there`);
    ok(/[1-9]/.test(await page.locator('#delivered').innerText()), `${name}: with what was delivered`);
  }
  await paste(browser, ...images);
  const { size } = statSync(FILE);
  note(`${FILE}: ${size} bytes`);
  ok(size > 20_000 && size <= MAX_BYTES, `the picture has ${MAX_BYTES} bytes at most`);
});
