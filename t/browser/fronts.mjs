/* SPDX-License-Identifier: Apache-2.0 */
/* One page with a client behind each front: the best transport that passes. */
import { demo, faultsOf, is, launch, ok, run, until } from './lib.mjs';

const bases = JSON.parse(demo.FRONTS);
const wanted = {
  'directly': 'ws',
  'nginx': 'ws',
  'cPanel and our file': 'ws',
  'cPanel': 'sse',
  'a front that keeps streams for itself': 'poll',
};
const names = Object.keys(wanted);
/* The fronts end what is silent for 2 s; the relay pings every second. */
const QUIET_MS = 5000;
const POLL_MS = 7000;

run(async (atEnd) => {
  is(Object.keys(bases).sort(), [...names].sort(), 'every front is up');
  const browser = await launch();
  atEnd(() => browser.close());
  const page = await browser.newPage();
  const faults = faultsOf(page);
  await page.goto(demo.PAGE);
  await page.evaluate(async ({ bases, token }) => {
    const { Client } = await import('/client.js');
    window.clients = {};
    window.heard = {};
    window.moves = {};
    for (const [name, baseUrl] of Object.entries(bases)) {
      const client = new Client({ baseUrl, token, channels: ['events'] });
      heard[name] = [];
      moves[name] = [];
      client.on('message', ({ data }) => heard[name].push(data.text));
      client.on('state', ({ connected, transport }) => moves[name].push(connected ? transport : '-'));
      client.start();
      clients[name] = client;
    }
  }, { bases, token: demo.TOKEN });

  const transport = (name) => page.evaluate((of) => clients[of].state.connected && clients[of].state.transport, name);
  const publish = (name, text) => page.evaluate(([of, said]) =>
    clients[of].publishConfirmed('events', 'said', { text: said }).then(() => true, (error) => String(error)), [name, text]);
  const hears = (name, text, ms) => until(() => page.evaluate(([of, said]) => heard[of].includes(said), [name, text]), ms);

  for (const name of names) {
    await until(async () => await transport(name) === wanted[name], 25000);
    is(await transport(name), wanted[name], `${name}: ${wanted[name]}`);
  }
  const everywhere = async (when) => {
    for (const from of names) is(await publish(from, `${when} from ${from}`), true, `${from} publishes ${when}`);
    for (const to of names) {
      for (const from of names) {
        ok(await hears(to, `${when} from ${from}`, wanted[to] === 'poll' ? POLL_MS : 1000), `${to} hears ${from} ${when}`);
      }
    }
  };
  await everywhere('at first');
  const before = await page.evaluate(() => structuredClone(moves));
  await new Promise((wake) => setTimeout(wake, QUIET_MS));
  is(await page.evaluate(() => structuredClone(moves)), before, 'nothing moves in the silence');
  await everywhere('after the silence');
  is(await page.evaluate(() => Object.values(heard).map((texts) => texts.length - new Set(texts).size)), names.map(() => 0), 'nothing comes twice');
  ok(faults.some((fault) => /Unexpected response code: 426/.test(fault)), 'a refused upgrade was answered by 426');
  is(faults.filter((fault) => !/Unexpected response code: 426/.test(fault)), [], 'and the page reports no other error');
});
