/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What most pages never need, behind a promise each. The script of a page has
 * these in files of their own; there `parts-page.ts` takes the place of this.
 *
 * Errors    Rejects where the file cannot be had; asking again tries again.
 */

export const loadAes = (): Promise<typeof import('./aes.js')> =>
  import('./aes.js');

export const loadHttp = (): Promise<typeof import('./transport/http.js')> =>
  import('./transport/http.js');
