/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes docs/status.png: the status page of a demo with some traffic, as on a
 * desk and, dark, as on a telephone.
 *
 *     make t/load/swarm
 *     t/browser/with-demo --relay-only -- node build/tools/status-picture.mjs
 */
import { spawn } from 'node:child_process';
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { demo, faultsOf, launch } from '../../t/browser/lib.mjs';

const FILE = process.env.STATUS_PICTURE ?? 'docs/status.png';
const MAX_BYTES = 200_000;
const SECONDS = 45;
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
  const stay = swarm('--ws', 160, '--sse', 60, '--hold', '--no-reconnect');
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

const browser = await launch();
const views = [await open(browser, 1280, 'light'), await open(browser, 390, 'dark')];
const stay = await traffic(Date.now() + SECONDS * 1000);
const shots = [];
for (const { page, faults } of views) {
  shots.push(await page.screenshot());
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
  if (faults.length || overflow > 0 || await page.locator('#live').innerText() !== 'live') {
    throw new Error(`the page is not well: ${faults.join('; ')}, ${overflow} px too wide`);
  }
}
stay.kill();
const image = (png, width) => `<img src="data:image/png;base64,${png.toString('base64')}" width="${width}" height="${HEIGHT}">`;
const sheet = await browser.newPage({ viewport: { width: 1280 + 390 + 72, height: HEIGHT + 48 } });
await sheet.setContent(`<style>
  body { margin: 0; padding: 24px; display: flex; gap: 24px; background: #c9d1dc; }
  img { border-radius: 8px; }
</style>${image(shots[0], 1280)}${image(shots[1], 390)}`);
await sheet.screenshot({ path: FILE });
await browser.close();
rmSync(folder, { recursive: true });

const { size } = statSync(FILE);
console.log(`${FILE}: ${size} bytes`);
if (size > MAX_BYTES) {
  console.error(`more than ${MAX_BYTES}`);
  process.exit(1);
}
