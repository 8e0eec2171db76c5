/* SPDX-License-Identifier: Apache-2.0 */
/* The page of build/demo --relay-only, in two windows. */
import { demo, faultsOf, is, launch, note, ok, run, shoot, until } from './lib.mjs';

const PAGE = new URL('/', demo.WORDSOCKET_URL).href;
const LATENCY_MS = 250;

const connected = (page, transport) => until(async () => await page.locator('#state').innerText() === `connected · ${transport}`, 10000);
const texts = (page) => page.locator('#log .data').allInnerTexts();
const number = async (page, id) => parseFloat(await page.locator(`#${id}`).innerText());

async function publish(page, text) {
  await page.getByLabel('Text').fill(text);
  await page.getByRole('button', { name: 'Publish', exact: true }).click();
}

const shows = (page, text) => until(async () => (await texts(page)).includes(text));

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());
  const open = async (options) => {
    const context = await browser.newContext(options);
    const page = await context.newPage();
    const faults = faultsOf(page);
    await page.goto(PAGE);
    return { page, faults };
  };
  const { page: one, faults } = await open({ viewport: { width: 1200, height: 900 }, colorScheme: 'light' });
  const { page: two, faults: phoneFaults } = await open({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, colorScheme: 'dark' });

  ok(await connected(one, 'WebSocket'), 'the page connects by WebSocket');
  ok(await connected(two, 'WebSocket'), 'so does a second one');
  is(await until(async () => await number(one, 'people') === 2 && 2), 2, 'each sees that two are connected');
  ok(await one.getByText('For the demo only').isVisible(), 'it says that its secrets are for the demo only');

  await publish(one, 'first <b>message</b>');
  ok(await shows(one, 'first <b>message</b>'), 'what one publishes, it shows');
  ok(await shows(two, 'first <b>message</b>'), 'and the other too');
  ok(/^Published, id [0-9a-f]{12}-\d+$/.test(await one.locator('#answer').innerText()), 'the relay gave it an id');
  ok(await number(one, 'latency') < LATENCY_MS, 'the latency is shown');
  note(`latency ${await one.locator('#latency').innerText()}`);

  await one.getByRole('button', { name: 'Publish 20' }).click();
  ok(await until(async () => await number(two, 'count') === 21), 'twenty more make twenty-one');
  is(new Set(await texts(two)).size, 21, 'each of them once');

  await one.getByRole('button', { name: 'Drop the connection' }).click();
  ok(!/connected ·/.test(await one.locator('#state').innerText()), 'a dropped connection is shown');
  await publish(two, 'while you were away');
  ok(await connected(one, 'WebSocket'), 'it comes back by itself');
  ok(await shows(one, 'while you were away'), 'and gets what it missed');
  is((await texts(one)).length, 22, 'nothing twice');
  await shoot(one, 'relay-page');

  await two.getByLabel('event stream only').check();
  ok(await connected(two, 'event stream'), 'it can do with the event stream');
  await publish(two, 'by another way');
  ok(await shows(two, 'by another way') && await shows(one, 'by another way'), 'and all goes on');
  await shoot(two, 'relay-page-phone');
  ok(await two.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), 'it fits a phone');

  await two.getByLabel('Channel').fill('news');
  await publish(two, 'on a channel of its own');
  ok(await shows(two, 'on a channel of its own'), 'another channel is subscribed to when it is used');
  ok(!(await texts(one)).includes('on a channel of its own'), 'and the other page does not hear it');

  await one.getByLabel('Channel').fill('wps:connections');
  await publish(one, 'forged');
  ok(await until(async () => /^Not published\./.test(await one.locator('#answer').innerText())), 'what the relay refuses is told');
  is(faults.filter((fault) => !/status of 40/.test(fault)), [], 'the page reports no error');
  is(phoneFaults, [], 'nor does the other');
});
