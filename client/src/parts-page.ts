/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of parts.ts as scripts beside the page's own: an element and no
 * `import()`, so that a script from another host needs no CORS, and one with a
 * nonce hands it on.
 */

import { besideScript, scriptNonce } from './script.js';

/** Where the scripts leave what they hold. */
interface Shelf {
  wpsignalParts?: { [name: string]: unknown };
}

const loading = new Map<string, Promise<unknown>>();

function fetched(name: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const element = document.createElement('script');
    const url = besideScript(`wpsignal-${name}.js`);
    if (!url) {
      throw new Error(`nobody knows where ${name} is`);
    }
    element.src = url;
    element.nonce = scriptNonce;
    element.onload = () => {
      const part = (globalThis as Shelf).wpsignalParts?.[name];
      if (part) {
        resolve(part);
      } else {
        reject(new Error(`${name} came empty`));
      }
    };
    element.onerror = () => reject(new Error(`${name} did not load`));
    document.head.append(element);
  });
}

function load(name: string): Promise<unknown> {
  let part = loading.get(name);
  if (!part) {
    part = fetched(name);
    loading.set(name, part);
    part.catch(() => loading.delete(name));
  }
  return part;
}

export const loadAes = () =>
  load('aes') as Promise<typeof import('./aes.js')>;

export const loadHttp = () =>
  load('http') as Promise<typeof import('./transport/http.js')>;
