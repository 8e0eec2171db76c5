/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the page's script came from, for the files that lie beside it. Asked
 * while the script runs; later nobody knows.
 */

const own =
  typeof document === 'undefined'
    ? null
    : (document.currentScript as HTMLScriptElement | null);
const ownUrl = own?.src ?? '';
const ownNonce = own?.nonce ?? '';

/** Set where several scripts were made into one, which then lies elsewhere. */
let told: string | undefined;

export function scriptIsAt(url: string | undefined): void {
  told = url;
}

/**
 * With the version of the script itself, so that they are of one kind.
 * Undefined where nobody can tell.
 */
export function besideScript(name: string): string | undefined {
  const own = told || ownUrl;
  if (!own) {
    return undefined;
  }
  const base = new URL(own, document.baseURI);
  const url = new URL(name, base);
  url.search = base.search;
  return url.href;
}

/** What the page's policy lets scripts in by. */
export const scriptNonce = ownNonce;
