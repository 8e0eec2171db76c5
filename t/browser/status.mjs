/* SPDX-License-Identifier: Apache-2.0 */
/* The status page of the demo: whole without script, live with it. */
import { demo, faultsOf, is, launch, ok, run, shoot, until } from './lib.mjs';

const PAGE = new URL('/wordsocket-status', demo.WORDSOCKET_URL).href;
const DEMO = new URL('/', demo.WORDSOCKET_URL).href;

const number = async (page, id) => parseFloat((await page.locator(`#${id}`).innerText()).replaceAll(',', ''));
const points = async (page, name) => (await page.locator(`#line-${name}`).getAttribute('points') ?? '').split(' ').length;

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());
  const open = async (options) => {
    const page = await (await browser.newContext(options)).newPage();
    const faults = faultsOf(page);
    await page.goto(PAGE);
    return { page, faults };
  };

  const bare = await open({ javaScriptEnabled: false, viewport: { width: 1280, height: 900 } });
  is(await number(bare.page, 'connections'), 0, 'without script: the connections');
  is(await bare.page.locator('#slots tr').count(), 2, '... the processes');
  ok(await bare.page.locator('#sites tr').count() === 1, '... the sites');
  ok(await bare.page.getByText('messages appended by signed publish').isVisible(), '... the counters');

  const desk = await open({ viewport: { width: 1280, height: 900 }, colorScheme: 'light' });
  const phone = await open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark' });
  ok(await until(async () => await desk.page.locator('#live').innerText() === 'live'), 'with script it is live');

  const visitor = await browser.newPage();
  await visitor.goto(DEMO);
  ok(await until(async () => await number(desk.page, 'connections') === 1, 8000), 'who connects is seen within seconds');
  is(await number(desk.page, 'websocket'), 1, '... by transport');
  await visitor.getByRole('button', { name: 'Publish 20' }).click();
  ok(await until(async () => await number(desk.page, 'c-published') === 20, 8000), 'so is what is published');
  ok(await until(async () => await number(desk.page, 'delivered') === 20, 8000), '... and delivered');
  ok(/^at most [\d.]*[1-9]/.test(await desk.page.locator('#most-published').innerText()), '... as a rate');
  is(await desk.page.locator('#sites tr').first().locator('td').nth(3).innerText(), '20', '... in the table of sites');
  for (const name of ['connections', 'published', 'delivered', 'refused']) {
    ok(await points(desk.page, name) >= 2, `${name} is drawn`);
  }

  for (const [name, { page, faults }] of Object.entries({ desk, phone })) {
    is(await page.evaluate(() => Math.max(0, document.documentElement.scrollWidth - window.innerWidth)), 0, `${name}: nothing is wider than the window`);
    is(faults, [], `${name}: no fault, and nothing that the policy refused`);
    await shoot(page, `status-${name}`);
  }
  const ground = ({ page }) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  ok(await ground(desk) !== await ground(phone), 'dark where that is preferred');

  await visitor.close();
  await desk.page.route('**/wordsocket-status?json*', (route) => route.abort());
  ok(await until(async () => await desk.page.locator('#live').innerText() === 'no answer', 8000), 'it says when nobody answers');
});
