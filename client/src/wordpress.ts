/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The script `wpsignal` of a WordPress page: makes `window.WPS` from
 * `window.wpSignalConfig` and connects.
 */

import { Client } from './client.js';
import { DebugLog, type TestLevers, testLevers } from './debug.js';
import { browserPlatform } from './platform.js';
import { besideScript, scriptIsAt } from './script.js';
import { createWps, type Wps, type WpsConfig } from './wps.js';

declare global {
  interface Window {
    wpSignalConfig?: WpsConfig;
    WPS?: Wps;
    /** The last debug lines; only where `isDebug` is set. */
    wpsDebug?: () => string[];
    wpsTest?: TestLevers;
  }
}

/**
 * The page carries it as data, since a policy may let no script stand in it.
 * Extensions read it where the ecosystem has it.
 */
function configOf(page: Window): WpsConfig {
  const text = page.document.getElementById('wpsignal-config')?.textContent;
  page.wpSignalConfig ??= text ? (JSON.parse(text) as WpsConfig) : { baseUrl: '' };
  return page.wpSignalConfig;
}

function install(page: Window): void {
  const config = configOf(page);
  const log = config.isDebug ? new DebugLog() : undefined;
  const platform = { ...browserPlatform(), ...(log && { debug: log.add }) };
  scriptIsAt(config.scriptUrl);
  const workerUrl = besideScript('wpsignal-worker.js');
  const client = new Client({ workerUrl, ...config }, platform);
  page.WPS = createWps(client, platform);
  if (log) {
    page.wpsDebug = log.read;
    page.wpsTest = testLevers(client);
  }
  if (config.baseUrl) {
    client.start();
  }
}

// A page that carries the script twice has one connection.
if (!window.WPS) {
  install(window);
}
