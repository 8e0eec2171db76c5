/* SPDX-License-Identifier: Apache-2.0 */
/* People in the demo's WordPress: they log in, save a post, and watch. */
import { demo, until } from './lib.mjs';

export const SITE = demo.WORDPRESS_URL;

/** Log in by request: the form's own focus script now and then eats the click. */
export async function logIn(context, user = demo.WORDPRESS_ADMIN, password = demo.WORDPRESS_PASSWORD, site = SITE) {
  await context.request.get(`${site}/wp-login.php`);
  const answer = await context.request.post(`${site}/wp-login.php`, {
    form: { log: user, pwd: password, testcookie: '1', redirect_to: `${site}/wp-admin/profile.php` },
  });
  return /wp-admin\/profile/.test(answer.url());
}

/** The block editor, ready. */
export async function openEditor(page, post) {
  await page.goto(`${SITE}/wp-admin/post.php?post=${post}&action=edit`, { waitUntil: 'domcontentloaded' });
  await page.waitForFunction(() => window.wp?.data?.select('core/editor')?.__unstableIsEditorReady?.(), null, { timeout: 60000 });
}

/** Press Save in the editor; the time just before. */
export const save = (page, edits) => page.evaluate(async (changed) => {
  const { dispatch, select } = window.wp.data;
  dispatch('core/editor').editPost(changed);
  const button = document.querySelector('.editor-post-publish-button');
  while (button.disabled || button.getAttribute('aria-disabled') === 'true') {
    await new Promise((wake) => setTimeout(wake, 10));
  }
  const begun = Date.now();
  button.click();
  do {
    await new Promise((wake) => setTimeout(wake, 5));
  } while (select('core/editor').isSavingPost());
  return { begun, saved: Date.now(), failed: !select('core/editor').didPostSaveRequestSucceed() };
}, edits);

/** Have a page remember what it hears of saved posts, from its start. */
export const record = (page) => page.addInitScript(() => {
  window.heard = [];
  window.gaps = [];
  document.addEventListener('wpsignal:wps.gap', ({ detail }) => window.gaps.push(detail));
  document.addEventListener('wpsignal:post.updated', ({ detail }) => {
    window.heard.push({ at: Date.now(), channel: detail.channel, data: detail.data });
  });
});

export const heard = (page) => page.evaluate(() => window.heard);

/** Whether a page gets connected, by this transport. */
export const isConnected = (page, transport) => until(() =>
  page.evaluate((wanted) => window.WPS?.state.connected && window.WPS.state.transport === wanted, transport), 10000);
