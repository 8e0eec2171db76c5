/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens as a site makes them.
 */
import { createHmac } from 'node:crypto';

export const SITE =
  '85efa1fa3f9a64ba0ef5a644315bff74c044d324925e31e8c080c3e72284b56e';

export function base64url(data: string | Uint8Array): string {
  return Buffer.from(data as Uint8Array).toString('base64url');
}

export function signed(header: string, claims: string, secret: string): string {
  const signing = `${base64url(header)}.${base64url(claims)}`;
  const signature = createHmac('sha256', secret).update(signing).digest();
  return `${signing}.${base64url(signature)}`;
}

/** A token that began at `iat` and lives so many seconds. */
export function makeToken(iat: number, lifeS = 300, mark = '', user = '1'): string {
  return signed(
    '{"alg":"HS256","typ":"JWT"}',
    JSON.stringify({ v: 2, site_id: SITE, user_id: user, iat, exp: iat + lifeS, mark }),
    'jwt-secret',
  );
}
