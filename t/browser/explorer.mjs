/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Explorer and the trigger builder, as a developer and a site owner use
 * them on a real WordPress.
 */
import { createRequire } from 'node:module';
import { logIn, SITE } from './editor.mjs';
import { faultsOf, is, launch, note, ok, run, shoot, until, wp } from './lib.mjs';

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const SCREEN = `${SITE}/wp-admin/admin.php?page=wordsocket`;

run(async (atEnd) => {
  const browser = await launch();
  atEnd(() => browser.close());
  const admin = await browser.newContext({ viewport: { width: 1280, height: 1000 } });
  ok(await logIn(admin), 'the admin logs in');
  const page = await admin.newPage();
  const faults = faultsOf(page);
  const button = (name) => page.getByRole('button', { name, exact: true });
  const rows = page.locator('.wordsocket-log tbody tr');
  const barriers = async () => {
    await page.addScriptTag({ path: AXE });
    const { violations } = await page.evaluate(() => window.axe.run('#wpbody-content', { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }));
    return violations.flatMap(({ id, nodes }) => nodes.map(({ target }) => `${id}: ${target}`));
  };
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);

  /* What happens shows. */
  await page.goto(`${SCREEN}&tab=explorer`);
  ok(await until(async () => /Connected by WebSocket/.test(await page.locator('#wordsocket-explorer-state').innerText()), 10000), 'the connection is told');
  wp('post', 'update', '1', '--post_title=Seen in the Explorer');
  ok(await until(async () => /Seen in the Explorer/.test(await rows.first().innerText()), 10000), 'a saved post shows, decrypted');
  ok(/post\.updated/.test(await rows.first().innerText()), 'by its name');
  await rows.first().locator('summary').click();
  ok(/"post_id": 1/.test(await rows.first().locator('pre').innerText()), 'and opens');

  /* Publish, and see it come back. */
  const publish = page.getByRole('region', { name: 'Publish' });
  await publish.getByLabel('Name of the event').fill('explorer.test');
  await publish.getByLabel('Data, as JSON').fill('{"n": ');
  ok(/not JSON/.test(await publish.innerText()) && await publish.getByRole('button', { name: 'Publish' }).isDisabled(), 'what is no JSON is told as it is typed');
  await publish.getByLabel('Data, as JSON').fill('[1]');
  ok(/Data is an object/.test(await publish.innerText()), 'and what is no object');
  await publish.getByLabel('To channel').fill('explorer:lab');
  await publish.getByLabel('Data, as JSON').fill('{"n": 7}');
  await publish.getByRole('button', { name: 'Publish' }).click();
  const said = publish.locator('.components-notice');
  ok(await until(async () => await said.count() > 0 && /here after \d+ ms/.test(await said.innerText()), 10000), 'a published event comes back, with its time');
  note(await said.innerText());
  ok(await until(async () => /explorer:lab/.test(await rows.first().innerText())), 'and is in the log');

  /* Filter and pause. */
  await page.getByLabel('Event', { exact: true }).fill('explorer');
  is(await rows.count(), 1, 'the filter leaves one');
  await page.getByLabel('Event', { exact: true }).fill('');
  await button('Pause').click();
  wp('post', 'update', '1', '--post_title=While paused');
  ok(await until(async () => /1 event is waiting/.test(await page.locator('#wordsocket-explorer-count').innerText()), 10000), 'paused, it counts what comes');
  ok(!/While paused/.test(await page.locator('.wordsocket-log').innerText()), 'and does not show it');
  await button('Go on').click();
  ok(/While paused/.test(await rows.first().innerText()), 'until it goes on');

  /* As the relay sees it. */
  await button('Show raw frames').click();
  ok(await until(async () => /"type":"subscribed"/.test(await page.locator('.wordsocket-log').innerText()), 10000), 'raw frames show');
  wp('post', 'update', '1', '--post_title=Nobody reads this');
  const raw = page.locator('tr[data-kind=frame]').filter({ hasText: 'encrypted' });
  ok(await until(async () => await raw.count() > 0, 10000), 'as the relay sees them');
  ok(!/Nobody reads this/.test(await raw.first().innerText()), 'without a word of what they say');
  await button('Hide raw frames').click();

  /* The token. */
  const left = page.locator('#wordsocket-token-left');
  const [, before] = /Ends in (\d:\d\d)/.exec(await left.innerText()) ?? [];
  ok(before, 'the token counts down');
  ok(await until(async () => !(await left.innerText()).includes(before)), 'as time goes');
  const token = page.getByRole('region', { name: 'Token' });
  ok(/anything of this site\s*yes\s*yes/.test(await token.innerText()), 'its rights are told in words');
  const which = page.locator('#wordsocket-token-which');
  ok(/the page came with/.test(await which.innerText()), 'it is the one of the page');
  is(await page.locator('#wordsocket-token-transport').innerText(), 'Transport in use: WebSocket.', 'beside what it is used on');
  await admin.grantPermissions(['clipboard-read', 'clipboard-write']);
  await button('Copy token').click();
  ok(await until(async () => /in the clipboard/.test(await token.getByRole('status').last().innerText())), 'it can be copied, and that is said');
  ok(await page.evaluate(async () => await navigator.clipboard.readText() === window.wpSignalConfig.token), 'the whole of it');
  await token.evaluate((section) => {
    section.scrollIntoView();
    window.scrollBy(0, -60);
  });
  await page.mouse.move(1275, 700);
  await shoot(page, 'explorer-token');
  await button('New token').click();
  ok(await until(async () => /a new token/.test(await which.innerText())), 'a new one is told apart');
  is(await page.locator('#wordsocket-token-copied').innerText(), '', 'and is not what was copied');
  await token.getByText('Header and claims').click();
  ok(/"alg": "HS256"/.test(await page.locator('#wordsocket-token-claims').innerText()), 'and its claims');

  /* Latency. */
  await button('Measure').click();
  ok(await until(async () => await page.locator('.wordsocket-plot-dot').count() === 1, 10000), 'a measurement is a dot');
  await page.getByLabel('Every two seconds').click();
  ok(await until(async () => await page.locator('.wordsocket-plot-dot').count() >= 3, 10000), 'and more follow');
  await page.getByLabel('Every two seconds').click();
  ok(/3 round trips: median/.test(await page.locator('.wordsocket-plot svg').getAttribute('aria-label')) || await page.locator('.wordsocket-plot-dot').count() > 3, 'which screen readers hear as well');
  ok(await until(async () => /wp_after_insert_post/.test(await page.locator('#wordsocket-registered').innerText())), 'registered triggers are listed');
  is(await barriers(), [], 'nothing keeps people out');
  await page.evaluate(() => window.scrollTo(0, 0));
  await shoot(page, 'explorer');
  await page.setViewportSize({ width: 600, height: 1000 });
  ok(await fits(), 'it fits a phone');
  await shoot(page, 'explorer-narrow');
  await page.setViewportSize({ width: 1280, height: 1000 });

  /* A trigger by clicks. */
  await page.goto(`${SCREEN}&tab=triggers`);
  await button('Add for any hook').click();
  is(await page.locator('.wordsocket-seen').innerText(), '', 'what is not saved cannot be tried');
  await page.getByLabel('Action hook').fill('user_register');
  is(await page.getByLabel('Name of the event').inputValue(), 'user.register', 'a name is suggested');
  await button('Add value').click();
  const value = page.getByRole('group', { name: 'Value 1' });
  await value.getByLabel('Name', { exact: true }).fill('who');
  await value.getByLabel('Is').selectOption('user');
  await value.getByLabel('Field').selectOption('display_name');
  await button('Add condition').click();
  const condition = page.getByRole('group', { name: 'Condition 1' });
  await condition.getByLabel('Is').selectOption('user');
  await condition.getByLabel('Field').selectOption('display_name');
  await condition.getByLabel('Compared by').selectOption('contains');
  await condition.getByLabel('With').fill('Ada');
  await page.getByLabel('Channel').fill('bad,name');
  await value.getByLabel('Name', { exact: true }).fill('w-ho');
  await button('Save triggers').click();
  ok(await until(async () => await page.locator('.wordsocket-problem').count() > 0), 'what is wrong is told at its field');
  note(await page.locator('.wordsocket-problem').first().innerText());
  const channel = page.getByLabel('Channel');
  const described = (field) => field.evaluate((input) => [input.getAttribute('aria-invalid'), (input.getAttribute('aria-describedby') ?? '').split(' ').map((id) => document.getElementById(id)?.innerText).join(' ')]);
  const [wrongName, saysName] = await described(value.getByLabel('Name', { exact: true }));
  const [wrongChannel, saysChannel] = await described(channel);
  is([wrongName, /^Name: letters, digits/.test(saysName), wrongChannel, /^Channel: a name of/.test(saysChannel)], ['true', true, 'true', true], 'and read with it');
  ok(await value.getByLabel('Name', { exact: true }).evaluate((input) => input === document.activeElement), 'the first of them has the focus');
  ok(/Trigger 1, value 1 of the data, Name: letters.* 1 more field is wrong\./.test(await page.locator('.components-notice.is-error').innerText()), 'below it stands where, in the words of the form');
  note(await page.locator('.components-notice.is-error').innerText());
  is(await barriers(), [], 'nothing of it keeps people out');
  await shoot(page, 'triggers-wrong');
  await value.getByLabel('Name', { exact: true }).fill('who');
  is([await value.locator('[aria-invalid]').count(), await channel.getAttribute('aria-invalid')], [0, 'true'], 'what is mended is told no longer');
  await channel.fill('people');
  await button('Save triggers').click();
  ok(await until(() => JSON.parse(wp('option', 'get', 'wpsignal_custom_triggers', '--format=json') || '[]').length === 1, 10000), 'saved');
  ok(await until(async () => /can be tried/.test(await page.locator('.wordsocket-seen').innerText())), 'now it can, and says so');
  await page.setViewportSize({ width: 1280, height: 1270 });
  await page.mouse.move(1275, 700);
  await page.evaluate(() => window.scrollTo(0, 0));
  await shoot(page, 'triggers');
  await page.setViewportSize({ width: 1280, height: 1000 });
  wp('wordsocket', 'publish', 'elsewhere', 'user.register', '--data={"who":"nobody"}');
  wp('user', 'create', 'bob', 'bob@example.org', '--display_name=Bob');
  wp('user', 'create', 'ada', 'ada@example.org', '--display_name=Ada Lovelace');
  ok(await until(async () => /It just came: \{"who":"Ada Lovelace"\}/.test(await page.locator('.wordsocket-seen').innerText()), 10000), 'it fires where its condition holds, and says so here');
  ok(!/nobody/.test(await page.locator('.wordsocket-seen').innerText()), 'and not for the same name on another channel');
  wp('user', 'delete', 'ada', 'bob', '--yes');
  is(await barriers(), [], 'nothing keeps people out of it');

  /* Deleting can be taken back. */
  await button('Duplicate').click();
  is(await page.locator('[data-row]').count(), 2, 'a trigger is duplicated');
  is(await page.locator('.wordsocket-seen').nth(1).innerText(), '', 'of which only the saved one makes events');
  await button('Delete trigger').first().click();
  await button('Bring it back').click();
  is(await page.locator('[data-row]').count(), 2, 'a deleted one comes back');
  await button('Delete trigger').first().click();
  await button('Delete trigger').first().click();
  await button('Save triggers').click();
  ok(await until(() => JSON.parse(wp('option', 'get', 'wpsignal_custom_triggers', '--format=json') || '[]').length === 0, 10000), 'an empty list is saved as well');

  /* An option that is not on the list. */
  await button('Add for an option').click();
  await page.getByLabel('Option', { exact: true }).selectOption({ label: 'Another option' });
  const option = page.getByLabel('Name of the option');
  await option.fill('admin_email');
  await button('Save triggers').click();
  ok(await until(async () => await option.getAttribute('aria-invalid') === 'true'), 'an option that visitors do not see is refused');
  note((await described(option))[1]);
  await option.fill('date_format');
  is(await page.getByLabel('Name of the event').inputValue(), 'option.date_format.updated', 'one that they see has a name');
  await shoot(page, 'triggers-option');
  await button('Save triggers').click();
  ok(await until(() => /date_format/.test(wp('option', 'get', 'wpsignal_custom_triggers', '--format=json')), 10000), 'and is saved');
  wp('option', 'update', 'date_format', 'd.m.Y');
  ok(await until(async () => /"new_value":"d\.m\.Y"/.test(await page.locator('.wordsocket-seen').innerText()), 10000), 'and told of');
  await page.reload();
  is(await option.inputValue(), 'date_format', 'it is there again when the page is');
  is(await barriers(), [], 'nothing keeps people out of that');
  await button('Delete trigger').click();
  await button('Save triggers').click();
  await until(() => wp('option', 'get', 'wpsignal_custom_triggers', '--format=json') === '[]', 10000);
  await page.setViewportSize({ width: 600, height: 1000 });
  await button('Add for any hook').click();
  await button('Add value').click();
  ok(await fits(), 'the builder fits a phone');
  is(faults.filter((text) => !/status of 400 .*\/triggers/.test(text)), [], 'no page reports an error, but for the refused list');
});
