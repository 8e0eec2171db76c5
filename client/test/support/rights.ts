/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a token allows, read from the documents and from nothing else. The
 * client never judges rights; this is the third opinion beside the relay's and
 * the plugin's.
 */

export interface Grant {
  readonly version: number;
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly rooms: { readonly [name: string]: string };
}

export function speaksOnlyRelay(bare: string): boolean {
  return bare.startsWith('wps:');
}

function bare(given: string, site: string): string {
  const prefix = `site:${site}:`;
  return given.startsWith(prefix) ? bare(given.slice(prefix.length), site) : given;
}

export function mayRead(grant: Grant, given: string, site: string): boolean {
  return allowed(grant, grant.read, /^rw?$/, given, site);
}

export function mayWrite(grant: Grant, given: string, site: string): boolean {
  const prefixes = grant.version === 1 ? grant.read : grant.write;
  return (
    !speaksOnlyRelay(bare(given, site)) &&
    allowed(grant, prefixes, /^rw$/, given, site)
  );
}

function allowed(
  { version, rooms }: Grant,
  prefixes: readonly string[],
  right: RegExp,
  given: string,
  site: string,
): boolean {
  const name = bare(given, site);
  const inRoom = Object.entries(rooms).some(
    ([room, has]) => bare(room, site) === name && right.test(has),
  );
  const reached = prefixes.some(
    (prefix) =>
      prefix !== '' &&
      (`site:${site}:${name}`.startsWith(prefix) || given.startsWith(prefix)),
  );
  const byPrefix = reached && !(version === 3 && name.startsWith('yjs:'));
  return byPrefix || (version === 3 && inRoom);
}
