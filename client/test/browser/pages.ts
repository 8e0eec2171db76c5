/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Chromium, and a page that carries the script as WordPress's does.
 */
import { createCipheriv, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { after } from 'node:test';
import { type Browser, chromium, type Page } from 'playwright-core';

import { Relay } from '../support/relay.js';
import { makeToken } from '../support/token.js';

export const KEY = randomBytes(32);

/** A name that leads to this machine but is no secure context, as a LAN's is. */
export const PLAIN_HOST = 'plain.test';

export function seal(event: string, data: unknown): { v: 1; p: string } {
  const iv = randomBytes(12);
  const cipher = createCipheriv('aes-256-gcm', KEY, iv);
  const text = JSON.stringify({ event, data });
  const body = Buffer.concat([cipher.update(text), cipher.final()]);
  return { v: 1, p: Buffer.concat([iv, body, cipher.getAuthTag()]).toString('base64') };
}

let browser: Promise<Browser> | undefined;
after(async () => (await browser)?.close());

export function chrome(): Promise<Browser> {
  browser ??= chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--host-resolver-rules=MAP ${PLAIN_HOST} 127.0.0.1`,
    ],
  });
  return browser;
}

/** What a page collects, for the test to look at. */
declare global {
  interface Window {
    heard: string[];
  }
}

const COLLECT = `
  window.heard = [];
  document.addEventListener('wpsignal:greeting', (event) => {
    const { channel, data } = event.detail;
    window.heard.push('DOM ' + channel + ' ' + JSON.stringify(data));
  });
  WPS.on('greeting', (data, channel) => window.heard.push('on ' + channel));
  WPS.onMessage((event) => window.heard.push('onMessage ' + event));
`;

/** What of a page's configuration a test may say otherwise. */
export interface Changes {
  readonly share?: boolean;
  readonly token?: string | undefined;
  readonly nonce?: string;
  readonly user?: string;
}

export function html(
  baseUrl: string,
  token: string,
  changes: Changes = {},
): string {
  const config = {
    baseUrl,
    endpoints: { ws: `${baseUrl.replace('http', 'ws')}/ws`, sse: `${baseUrl}/sse` },
    restUrl: `${baseUrl}/wp-json/wpsignal/v1/`,
    nonce: 'abc',
    isDebug: true,
    token,
    channels: ['events'],
    exp: Math.floor(Date.now() / 1000) + 300,
    forceSSE: false,
    encryptionKey: KEY.toString('base64'),
    ...changes,
  };
  return `<!doctype html><title>page</title>
<script>window.wpSignalConfig = ${JSON.stringify(config)};</script>
<script src="/wpsignal.js"></script><script>${COLLECT}</script>`;
}

/** The files of the plugin's folder `assets`. */
export function scripts(): Map<string, { type: string; text: string }> {
  return new Map(
    readdirSync('dist')
      .filter((name) => /^wpsignal.*\.js$/.test(name))
      .map((name) => [
        `/${name}`,
        { type: 'text/javascript', text: readFileSync(`dist/${name}`, 'utf8') },
      ]),
  );
}

export interface Visit {
  readonly relay: Relay;
  readonly page: Page;
  /** What the page's console and its errors said. */
  readonly faults: string[];
  close(): Promise<void>;
}

/** A page of this host with a connection of its own, over plain HTTP; `prepare` runs before its scripts. */
export async function visit(
  host: string,
  change: (relay: Relay) => void = () => {},
  prepare = '',
): Promise<Visit> {
  const files = scripts();
  const relay = await Relay.start(files);
  change(relay);
  const base = `http://${host}:${relay.port}`;
  const token = makeToken(Math.floor(Date.now() / 1000));
  files.set('/', { type: 'text/html', text: html(base, token, { share: false }) });
  const context = await (await chrome()).newContext();
  const page = await context.newPage();
  page.setDefaultTimeout(10_000);
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  if (prepare) {
    await page.addInitScript(prepare);
  }
  await page.goto(`${base}/`);
  return {
    relay,
    page,
    faults,
    close: async () => {
      await context.close();
      await relay.stop();
    },
  };
}
