/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An extension that was written from the documented API alone, as it is: its
 * box on the site, its tab and its panel on the plugin's screen.
 */
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { logIn, SITE } from './editor.mjs';
import { faultsOf, is, launch, ok, run, state, until, wp } from './lib.mjs';

const SCREEN = `${SITE}/wp-admin/admin.php?page=wordsocket`;

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());

  for (const name of ['aa-shoutbox', 'zz-shoutbox']) {
    const folder = join(state, 'wordpress/wp-content/plugins', name);
    cpSync('t/extension', folder, { recursive: true });
    wp('plugin', 'activate', name);
    atEnd(() => rmSync(folder, { recursive: true, force: true }));

    const reader = await browser.newContext();
    ok(await logIn(reader), `${name}: a member logs in`);
    const page = await reader.newPage();
    const faults = faultsOf(page);
    const box = (what) => page.evaluate((key) => document.getElementById('shoutbox')?.dataset[key], what);
    await page.goto(SITE);
    is(await until(async () => (await box('state')) === 'ws', 10_000), true, `${name}: the box is connected`);

    const text = `Hello from ${name}`;
    wp('comment', 'create', '--comment_post_ID=1', '--comment_author=Ann', `--comment_content=${text}`, '--comment_approved=1');
    const items = () => page.locator('#shoutbox li').allTextContents();
    ok(await until(async () => (await items()).includes(`Ann: ${text}`), 10_000), `${name}: a comment appears as it is made`);
    is((await items()).length, 1, `${name}: and once`);
    ok(/^\d+$/.test(await box('last')), `${name}: the DOM was told too`);

    const other = await reader.newPage();
    await other.goto(SITE);
    ok(await until(async () => Number(await box('readers')) > 0, 10_000), `${name}: it sees who reads`);
    await other.close();

    await page.goto(`${SCREEN}&tab=shoutbox`);
    const status = page.locator('#shoutbox-status');
    await status.first().waitFor({ timeout: 10_000 });
    ok((await status.first().textContent()).startsWith('Comments go out live.'), `${name}: its tab knows of the connection`);
    await page.goto(`${SCREEN}&tab=extensions`);
    await status.first().waitFor({ timeout: 10_000 });
    const card = page.getByText('WordSocket: Shoutbox');
    ok(await until(() => card.first().isVisible(), 10_000), `${name}: it is among the extensions`);
    is(faults, [], `${name}: the pages had no fault`);

    await reader.close();
    wp('plugin', 'deactivate', name);
    rmSync(folder, { recursive: true, force: true });
  }
});
