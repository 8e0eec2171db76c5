/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the browser tests share: TAP, the demo that runs, Chromium, somebody
 * who looks at the wire.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, statSync } from 'node:fs';
import { createServer, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { chromium } from 'playwright-core';
import WebSocket from 'ws';

/* TAP */

let count = 0;
let failed = 0;

export function ok(passed, name) {
  count++;
  if (!passed) failed++;
  console.log(`${passed ? 'ok' : 'not ok'} ${count} - ${name}`);
  return Boolean(passed);
}

export function is(got, want, name) {
  if (!ok(isDeepStrictEqual(got, want), name)) {
    note(`got  ${JSON.stringify(got)}`);
    note(`want ${JSON.stringify(want)}`);
  }
}

export function note(text) {
  console.log(`# ${text}`);
}

/** Run a test's body; however it ends, there is a plan and an exit status. */
export async function run(body) {
  const closing = [];
  try {
    await body((close) => closing.push(close));
  } catch (error) {
    ok(false, 'the test ran to its end');
    note(String(error.stack ?? error).replaceAll('\n', '\n# '));
  }
  for (const close of closing.reverse()) await Promise.resolve(close()).catch(() => {});
  console.log(`1..${count}`);
  process.exit(failed || !count ? 1 : 0);
}

/** The first value of `ask` that is not false, or the last one after `ms`. */
export async function until(ask, ms = 5000) {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer || Date.now() > end) return answer;
    await new Promise((wake) => setTimeout(wake, 20));
  }
}

/* The demo */

const envFile = process.env.DEMO_ENV ?? '.demo/env';

/** Variables of a .demo/env, as a shell reads them. */
export const readEnv = (file) => Object.fromEntries(
  execFileSync('bash', ['-c', 'set -a; env -i bash -c \'set -a; . "$1"; env -0\' - "$1"', '-', file])
    .toString().split('\0').filter(Boolean)
    .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));

export const demo = readEnv(envFile);

export const state = dirname(demo.HTTPD_CONF);

export const log = (name, of = demo) => readFileSync(join(dirname(of.HTTPD_CONF), 'log', name), 'utf8');

/** wp-cli in the demo's WordPress, as the user who serves it. */
export function wp(...args) {
  const owner = statSync(demo.WORDPRESS_PATH);
  return execFileSync('php8.2', ['-d', 'memory_limit=512M', join(state, 'php/wp-cli.phar'), `--path=${demo.WORDPRESS_PATH}`, ...args], {
    cwd: state,
    uid: owner.uid,
    gid: owner.gid,
    env: { PATH: process.env.PATH, HOME: join(state, 'tmp') },
    timeout: 60000,
  }).toString().trim();
}

/* Chromium */

export const launch = () => chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});

/** Errors that a page reports while it lives. */
export function faultsOf(page) {
  const faults = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`${message.text()} (${message.location().url})`);
  });
  return faults;
}

/** Where screenshots go. */
export const shots = process.env.WORDSOCKET_SCREENSHOTS ?? mkdtempSync(join(tmpdir(), 'wordsocket-shots-'));

/** wp-admin fades from page to page; a picture of that is an empty one. */
async function settled(page) {
  await page.waitForLoadState('load');
  await page.evaluate(() => Promise.race([
    new Promise((done) => setTimeout(done, 2000)),
    Promise.all(document.getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime < Infinity)
      .map(({ finished }) => finished.catch(() => {}))),
  ]));
}

export async function shoot(page, name) {
  mkdirSync(shots, { recursive: true });
  await settled(page);
  const path = join(shots, `${name}.png`);
  await page.screenshot({ path });
  note(`screenshot ${path}`);
}

/**
 * A proxy in front of a browser. Plain requests pass, also long ones, and with
 * `tunnels` what a browser asks for when it opens a WebSocket; some companies
 * have one without. While `cut` nothing passes: the network is gone.
 */
export async function proxy({ tunnels }) {
  const self = { refused: 0, cut: false, tunnels };
  const sockets = new Set();
  const keep = (socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => sockets.delete(socket)));
  };
  const server = createServer((from, to) => {
    const { hostname, port, pathname, search } = new URL(from.url);
    const onward = request({ hostname, port, method: from.method, path: pathname + search, headers: from.headers }, (answer) => {
      to.writeHead(answer.statusCode, answer.headers);
      to.flushHeaders();
      answer.pipe(to);
    });
    onward.on('error', () => to.destroy());
    to.on('close', () => onward.destroy());
    from.pipe(onward);
  });
  server.on('connection', (socket) => (self.cut ? socket.destroy() : keep(socket)));
  server.on('connect', (from, socket) => {
    if (!self.tunnels) {
      self.refused++;
      socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n');
      return;
    }
    const [host, port] = from.url.split(':');
    const onward = connect(port, host, () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      onward.pipe(socket).pipe(onward);
    });
    keep(onward);
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  self.url = `http://127.0.0.1:${server.address().port}`;
  self.cutOff = (cut) => {
    self.cut = cut;
    for (const socket of cut ? sockets : []) socket.destroy();
  };
  /** Tunnels are there or not from now on; those that are there end. */
  self.allow = (tunnels_) => {
    self.tunnels = tunnels_;
    for (const socket of sockets) socket.destroy();
  };
  self.close = () => {
    self.cutOff(true);
    server.close();
  };
  return self;
}

/* The wire */

/** A client without a key: every frame that a subscriber of `channels` gets. */
export async function eavesdrop(token, channels) {
  const frames = [];
  const socket = new WebSocket(`${demo.WORDSOCKET_URL.replace(/^http/, 'ws')}/ws?token=${token}`);
  socket.on('message', (data) => {
    const frame = JSON.parse(data.toString());
    frames.push(frame);
    if (frame.type === 'ping') socket.send('{"type":"pong"}');
  });
  await new Promise((opened, refused) => {
    socket.on('open', opened);
    socket.on('error', refused);
    setTimeout(() => refused(new Error('the relay does not answer')), 5000).unref();
  });
  socket.send(JSON.stringify({ type: 'subscribe', channels }));
  await until(() => frames.some((frame) => frame.type === 'subscribed'));
  return {
    frames,
    messages: () => frames.filter((frame) => frame.type === 'message'),
    close: () => socket.terminate(),
  };
}
