/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes docs/demo.png: the demo in two windows, a post saved in wp-admin on
 * the left, and what a visitor's page shows of it on the right.
 *
 *     t/browser/with-demo -- node build/tools/demo-picture.mjs
 */
import { statSync } from 'node:fs';
import { demo, launch, until } from '../../t/browser/lib.mjs';

const FILE = 'docs/demo.png';
const MAX_BYTES = 250_000;
const WINDOW = { width: 660, height: 540 };
const TITLE = 'Saved here, shown there';
const SITE = demo.WORDPRESS_URL;

async function logIn(context) {
  await context.request.get(`${SITE}/wp-login.php`);
  await context.request.post(`${SITE}/wp-login.php`, {
    form: { log: demo.WORDPRESS_ADMIN, pwd: demo.WORDPRESS_PASSWORD, testcookie: '1' },
  });
}

async function openEditor(context) {
  const page = await context.newPage();
  await page.goto(`${SITE}/wp-admin/post.php?post=1&action=edit`);
  await page.waitForFunction(() => window.wp?.data?.select('core/editor')?.__unstableIsEditorReady?.());
  await page.evaluate(() => window.wp.data.dispatch('core/interface').disableComplementaryArea('core'));
  return page;
}

async function saveAndShoot(browser) {
  const admin = await browser.newContext({ viewport: WINDOW });
  await logIn(admin);
  const editor = await openEditor(admin);
  const visitor = await browser.newPage({ viewport: WINDOW });
  await visitor.goto(`${SITE}/`);
  await visitor.getByText('live · WebSocket').waitFor();

  await editor.evaluate((title) => window.wp.data.dispatch('core/editor').editPost({ title }), TITLE);
  await editor.getByRole('button', { name: 'Save', exact: true }).click();
  await visitor.locator('.wsd-card', { hasText: TITLE }).waitFor();
  await until(() => editor.evaluate(() => !window.wp.data.select('core/editor').isSavingPost()));
  await editor.getByText('Post updated.').first().waitFor();
  await visitor.waitForTimeout(600); // the card is still moving, the mark fading
  return [await editor.screenshot(), await visitor.screenshot()];
}

const frame = (png, name) => `<figure><figcaption><i></i><i></i><i></i>${name}</figcaption>
  <img src="data:image/png;base64,${png.toString('base64')}" width="${WINDOW.width}" height="${WINDOW.height}"></figure>`;

const browser = await launch();
const [left, right] = await saveAndShoot(browser);
const page = await browser.newPage({ viewport: { width: 2 * WINDOW.width + 72, height: WINDOW.height + 80 } });
await page.setContent(`<style>
  body { margin: 0; padding: 24px; display: flex; gap: 20px; background: #e9edf3; font: 13px system-ui, sans-serif; }
  figure { margin: 0; border: 1px solid #b9c2cf; border-radius: 8px; overflow: hidden; background: #fff; }
  figcaption { padding: 8px 12px; color: #3c4654; background: #f6f7f9; border-bottom: 1px solid #d5dbe3; }
  i { display: inline-block; width: 9px; height: 9px; margin-right: 6px; border-radius: 50%; background: #c3cad5; }
  i:last-of-type { margin-right: 14px; }
  img { display: block; }
</style>${frame(left, 'wp-admin')}${frame(right, 'a visitor, not logged in')}`);
await page.screenshot({ path: FILE });
await browser.close();

const { size } = statSync(FILE);
console.log(`${FILE}: ${size} bytes`);
if (size > MAX_BYTES) {
  console.error(`more than ${MAX_BYTES}; make the windows smaller`);
  process.exit(1);
}
