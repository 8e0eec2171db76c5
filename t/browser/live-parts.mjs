/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of a live page's script, by themselves: when it asks, and how it changes a tree. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { is, ok } from './lib.mjs';

const plugin = new URL('../../wordpress/', import.meta.url);
const { buildSync } = createRequire(new URL('package.json', plugin))('esbuild');

/** A part as one module, by the plugin's own tools. */
const source = (name) => buildSync({
  entryPoints: [fileURLToPath(new URL(`src/live/${name}.ts`, plugin))],
  bundle: true, format: 'esm', write: false, logLevel: 'warning',
}).outputFiles[0].text;

const { concerns, digest, LEAST_MS, Plan, RETRIES } = await import(`data:text/javascript,${encodeURIComponent(source('plan'))}`);

function whatConcernsABlock() {
  const list = { types: ['post'], comments: false, post: 0 };
  const any = { types: null, comments: true, post: 0 };
  const comments = { types: [], comments: true, post: 7 };
  const of = (event, data) => [list, any, comments].map((block) => concerns(block, event, data));
  is(of('post.updated', { post_type: 'post' }), [true, true, false], 'a post concerns lists of posts');
  is(of('post.deleted', { post_type: 'page' }), [false, true, false], 'a page only those of any type');
  is(of('post.updated', {}), [true, true, false], 'what an event does not say counts as a yes');
  is(of('comment.created', { post_id: 7 }), [false, true, true], 'a comment concerns the comments of its post');
  is(of('comment.deleted', { post_id: '8' }), [false, true, false], 'and of no other');
  is(of('stock.low', { post_id: 7, post_type: 'post' }), [false, false, false], 'another event nobody');
  is(of('post.updated', null), [true, true, false], 'an event may say nothing at all');
  ok(digest('a') === digest('a') && new Set(Array.from({ length: 5000 }, (_, n) => digest(`post.updated ${n}`))).size === 5000, 'pages name an event alike, and each otherwise');
}

/** A clock by hand, a server that answers when told. */
function planned({ answers = true } = {}) {
  const self = { asked: [], timers: [], visible: true };
  self.plan = new Plan({
    ask: (news) => {
      self.asked.push(news);
      return answers === 'wait' ? new Promise((done) => { self.answer = done; }) : Promise.resolve(answers);
    },
    spreadMs: 1000,
    visible: () => self.visible,
    later: (act, ms) => self.timers.push({ act, ms }),
    random: () => 0.5,
  });
  self.tick = async () => {
    self.timers.shift()?.act();
    await new Promise((wake) => setImmediate(wake));
  };
  return self;
}

async function whenAPageAsks() {
  const burst = planned();
  ['a', 'b', 'c'].forEach((news) => burst.plan.hear(news));
  is(burst.timers.map(({ ms }) => ms), [LEAST_MS + 500], 'a burst plans one question, somewhere within the spread');
  await burst.tick();
  is([burst.asked, burst.timers.length], [['c'], 0], 'about the last of it');

  const slow = planned({ answers: 'wait' });
  slow.plan.hear('a');
  await slow.tick();
  slow.plan.hear('b');
  is([slow.asked, slow.timers.length], [['a'], 0], 'while one is asked there is no second');
  slow.answer(true);
  await new Promise((wake) => setImmediate(wake));
  await slow.tick();
  is(slow.asked, ['a', 'b'], 'but one after it');

  const hidden = planned();
  hidden.visible = false;
  hidden.plan.hear('a');
  is(hidden.timers.length, 0, 'nobody looks, nobody asks');
  hidden.visible = true;
  hidden.plan.look();
  await hidden.tick();
  is(hidden.asked, ['a'], 'until somebody does');

  const broken = planned({ answers: false });
  broken.plan.hear('a');
  const waits = [];
  while (broken.timers.length) {
    waits.push(broken.timers[0].ms);
    await broken.tick();
  }
  is([broken.asked.length, waits], [RETRIES + 1, [750, 3000, 12000, 48000]], 'a server that fails is asked again, each time later, and then left alone');
  broken.plan.hear('b');
  is(broken.timers.map(({ ms }) => ms), [3000], 'until there is news');
}

/** Morphs in a page; `inside` runs there with both trees, the result comes back. */
async function whatChanges(page) {
  await page.setContent('<main></main>');
  await page.addScriptTag({ type: 'module', content: `${source('morph')}\nwindow.live = { morph, remember };` });
  await page.waitForFunction(() => window.live);
  const changed = (before, after, act) => page.evaluate(([old, fresh, script]) => {
    const main = document.querySelector('main');
    const parse = (html) => new DOMParser().parseFromString(html, 'text/html').body.firstElementChild;
    main.innerHTML = old;
    const from = main.firstElementChild;
    window.live.remember(from);
    from.querySelectorAll('*').forEach((element, at) => { element.was = at; });
    // eslint-disable-next-line no-new-func
    new Function('from', script)(from);
    const added = window.live.morph(from, parse(fresh));
    return { html: from.outerHTML, was: [...from.children].map((child) => child.was ?? null), added: added && added.map((one) => one.textContent) };
  }, [before, after, act ?? '']);
  const items = (...names) => `<ul>${names.map((name) => `<li id="${name}">${name}</li>`).join('')}</ul>`;

  is(await changed(items('a', 'b'), items('a', 'b')), { html: items('a', 'b'), was: [0, 1], added: null }, 'what is alike is no change');
  is(await changed(items('a', 'b'), items('c', 'a')), { html: items('c', 'a'), was: [null, 0], added: ['c'] }, 'a new item comes, an old one stays, another goes');
  is((await changed(items('a', 'b', 'c'), items('c', 'a', 'b'))).was, [2, 0, 1], 'items are moved, not rewritten');
  is((await changed(items('a', 'b', 'c'), items('c', 'b', 'a'))).html, items('c', 'b', 'a'), 'into any order');
  is((await changed('<ul><li id="a">a</li><li id="a">b</li></ul>', '<ul><li id="a">c</li><li id="a">d</li></ul>')).html, '<ul><li id="a">c</li><li id="a">d</li></ul>', 'also where two have one name');
  is((await changed('<ul><li class="wp-block-post post-1 x">1</li><li class="wp-block-post post-2">2</li></ul>', '<ul><li class="wp-block-post post-2">2!</li></ul>')).was, [1], 'a post is known by its class');
  is((await changed('<ul><li><a href="/1">1</a></li><li><a href="/2">2</a></li></ul>', '<ul><li><a href="/2">2!</a></li></ul>')).was, [2], 'and in Latest Posts by its address');
  const script = "from.firstChild.classList.add('js'); from.firstChild.append('!')";
  is((await changed(items('a'), items('b', 'a'), script)).html, '<ul><li id="b">b</li><li id="a" class="js">a!</li></ul>', 'what scripts did to an item that is as before stays');
  is((await changed('<div class="a" title="t"><b>x</b>y</div>', '<div class="b"><i>x</i>z</div>')).html, '<div class="b"><i>x</i>z</div>', 'attributes, elements and text become what they are now');
  is((await changed('<div></div>', '<div><script>window.evil = 2</script></div>')).added.length, 1, 'a script in an answer');
  is(await page.evaluate(() => window.evil ?? null), null, 'is not run');

  const form = (text) => `<form action="/s"><input name="s" value="${text}"></form>`;
  const type = "from.querySelector('input').value = 'typed'";
  const read = () => page.evaluate(() => [...document.querySelectorAll('input')].map((one) => one.value));
  await changed(`<div><p>a</p>${form('')}</div>`, `<div><p>b</p>${form('reset')}<p>c</p></div>`, type);
  is(await read(), ['typed'], 'a field that somebody wrote in keeps it');
  is((await changed(`<ul><li id="a">${form('')}</li><li id="b"></li></ul>`, items('b'), type)).was.length, 2, 'and the item around it stays as long');
  await changed(`<div><p>a</p>${form('')}</div>`, `<div><p>b</p>${form('new')}</div>`);
  is(await page.evaluate(() => document.querySelector('input').getAttribute('value')), 'new', 'another changes');
}

export async function parts(browser) {
  whatConcernsABlock();
  await whenAPageAsks();
  const page = await browser.newPage();
  await whatChanges(page);
  await page.close();
}
