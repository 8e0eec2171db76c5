/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 100 posts saved by one bulk edit while the relay refuses, and while it is silent,
 * with PHP-FPM and without: nobody waits, nothing breaks, the administrator is
 * told once, and when the relay is back the newest state of each post goes out
 * once. With the plugin and without it take turns, and the fastest of each is
 * compared: the machine is shared, and what the plugin costs is in every round.
 * A machine that does other things besides shows only whether a time-out was
 * waited for; WSK_LONG=1 holds the plugin to SLOWER_MS.
 */
import { execFile, spawn } from 'node:child_process';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { createDecipheriv } from 'node:crypto';
import { gate } from './gate.mjs';
import { demo, is, log, note, ok, run, state, until } from './lib.mjs';

const POSTS = 100;
const TIMEOUT_MS = 2000;
const LONG = process.env.WSK_LONG === '1';
const FEWEST = LONG ? 11 : 2;
const ROUNDS = 4 * FEWEST;
const SLOWER_MS = LONG ? 50 : TIMEOUT_MS / 2;
const SITE = demo.WORDPRESS_URL;

/* As if it were not active, for a request that says so. */
const SWITCH = `isset( $_SERVER['HTTP_X_WITHOUT_PLUGIN'] ) && add_filter( 'option_active_plugins', static fn( $all ) => array_values( array_diff( $all, array( 'wordsocket/wordsocket.php' ) ) ) );\n`;

const owner = statSync(demo.WORDPRESS_PATH);
const asOwner = { cwd: state, uid: owner.uid, gid: owner.gid, env: { PATH: process.env.PATH, HOME: join(state, 'tmp') } };

/* Not lib.mjs's: while that waits, the gate would not answer. */
async function wp(...args) {
  const { stdout } = await promisify(execFile)('php8.2', [join(state, 'php/wp-cli.phar'), `--path=${demo.WORDPRESS_PATH}`, ...args], { ...asOwner, timeout: 60000 });
  return stdout.trim();
}

/** A person with cookies, at a server of the site. */
class Person {
  constructor(server) {
    this.server = server;
    this.jar = new Map();
  }

  async ask(path, form, headers = {}) {
    const begun = performance.now();
    const answer = await fetch(`${this.server}${path}`, {
      method: form ? 'POST' : 'GET',
      body: form && new URLSearchParams(form),
      redirect: 'manual',
      headers: { Cookie: [...this.jar].map(([name, value]) => `${name}=${value}`).join('; '), Connection: 'close', ...headers },
    });
    const text = await answer.text();
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      this.jar.set(name, value);
    }
    return { status: answer.status, text, ms: performance.now() - begun };
  }

  async logIn(user, password) {
    await this.ask('/wp-login.php');
    await this.ask('/wp-login.php', { log: user, pwd: password, testcookie: '1' });
    return this;
  }

  /** Saves posts by the form of the list; milliseconds it took. */
  async bulkEdit(ids, headers = {}) {
    const list = await this.ask('/wp-admin/edit.php');
    const nonce = /name="_wpnonce" value="([0-9a-f]+)"/.exec(list.text)?.[1];
    const query = new URLSearchParams({ post_type: 'post', _wpnonce: nonce, action: 'edit', action2: '-1', bulk_edit: 'Update', post_author: '-1', _status: '-1', comment_status: (this.open = !this.open) ? 'open' : 'closed', ping_status: '', sticky: '-1', post_format: '-1' });
    for (const id of ids) query.append('post[]', id);
    const answer = await this.ask(`/wp-admin/edit.php?${query}`, undefined, headers);
    if (answer.status !== 302) throw new Error(`the bulk edit answers ${answer.status}`);
    return answer.ms;
  }
}

/** The plugin as if nothing had ever gone wrong. */
const forget = () => wp('eval', 'WordSocket\\Queue_Rows::delete_all(); WordSocket\\Notices::clear(); WordSocket\\Circuit::close();');

/** As if the relay had said nothing so long that it is asked again in so many seconds. */
const askedIn = (seconds) => wp('eval', `$is = get_option( 'wordsocket_circuit' ); $is['retry_at'] = time() + ${seconds}; update_option( 'wordsocket_circuit', $is );`);

const waiting = async () => Number(await wp('eval', 'global $wpdb; echo $wpdb->get_var( "SELECT COUNT(*) FROM $wpdb->options WHERE option_name LIKE \'wordsocket\\_queue\\_m\\_%\'" );'));

/** Events in messages. */
function opened(messages, key) {
  return messages.map(({ data }) => {
    const raw = Buffer.from(data.p, 'base64');
    const cipher = createDecipheriv('aes-256-gcm', key, raw.subarray(0, 12)).setAuthTag(raw.subarray(-16));
    return JSON.parse(Buffer.concat([cipher.update(raw.subarray(12, -16)), cipher.final()]));
  });
}

/**
 * How long a bulk edit takes with the plugin and without, in turns, until the
 * fastest ones tell or there were enough; `prepare` comes before each with it.
 */
async function inTurns(admin, ids, most, prepare) {
  const took = { with: [], without: [] };
  const more = () => Math.min(...took.with) - Math.min(...took.without);
  for (let round = 0; round < ROUNDS && (round < FEWEST || more() > most); round++) {
    took.without.push(await admin.bulkEdit(ids, { 'X-Without-Plugin': '1' }));
    await prepare();
    took.with.push(await admin.bulkEdit(ids));
  }
  for (const all of Object.values(took)) all.sort((a, b) => a - b);
  return { ...took, rounds: took.with.length, more: more() };
}

const told = ({ with: took, without, rounds }) => `${rounds} rounds, ${took[0].toFixed(0)} ms at best and ${took[rounds >> 1].toFixed(0)} in the middle; without the plugin ${without[0].toFixed(0)} and ${without[rounds >> 1].toFixed(0)}`;

async function freePort() {
  const server = createServer();
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address();
  await new Promise((closed) => server.close(closed));
  return port;
}

/** The same WordPress by PHP's own server, which cannot finish an answer early. */
async function withoutFpm(atEnd) {
  const at = `127.0.0.1:${await freePort()}`;
  const child = spawn('php8.2', ['-d', 'opcache.enable_cli=1', '-S', at, '-t', demo.WORDPRESS_PATH], { ...asOwner, stdio: 'ignore' });
  atEnd(() => child.kill());
  if (!await until(() => fetch(`http://${at}/wp-login.php`).then(() => true, () => false), 10000)) throw new Error('php -S does not answer');
  return `http://${at}`;
}

/** Whether a page says it, and how often. */
const notices = ({ text }) => text.split('WordSocket could not deliver events').length - 1;

async function away({ name, server, relay, ids, key, early }) {
  const admin = await new Person(server).logIn(demo.WORDPRESS_ADMIN, demo.WORDPRESS_PASSWORD);
  await admin.bulkEdit(ids);

  await relay.is('refuse');
  const refused = await inTurns(admin, ids, SLOWER_MS, forget);
  note(`${name}, a relay that refuses: ${told(refused)}`);
  ok(refused.more <= SLOWER_MS, `${name}: refused, ${POSTS} posts take no more than ${SLOWER_MS} ms longer than without the plugin`);
  is(notices(await admin.ask('/wp-admin/index.php')), 1, `${name}: the administrator sees one notice on the dashboard`);
  const list = await admin.ask('/wp-admin/edit.php');
  is(notices(list), 1, `${name}: one on the list`);
  ok(list.text.includes(`${POSTS} events wait`), `${name}: which says how many wait`);
  const editor = await new Person(server).logIn('bulk-editor', 'bulk-editor');
  is([notices(await editor.ask('/wp-admin/index.php')), (await editor.ask('/wp-admin/edit.php')).status], [0, 200], `${name}: others see none`);

  await forget();
  await relay.is('silent');
  const begun = relay.connections;
  const most = SLOWER_MS + (early ? 0 : TIMEOUT_MS);
  const settled = () => until(async () => await waiting() === POSTS, 10000);
  const silent = await inTurns(admin, ids, most, async () => {
    // The process that gave its answer early is still busy.
    if (relay.connections > begun) await settled();
    await forget();
  });
  note(`${name}, a relay that is silent: ${told(silent)}`);
  ok(silent.more <= most, `${name}: silent, they take ${early ? `no more than ${SLOWER_MS} ms` : 'one time-out'} longer`);
  await settled();
  is(relay.connections, begun + silent.rounds, `${name}: each asks the relay once`);
  await askedIn(3600);
  const open = await inTurns(admin, ids, SLOWER_MS, () => {});
  note(`${name}, nobody asks the relay: ${told(open)}`);
  ok(open.more <= SLOWER_MS, `${name}: the next ones no more than ${SLOWER_MS} ms`);
  is(relay.connections, begun + silent.rounds, `${name}: and leave the relay alone`);
  is(await waiting(), POSTS, `${name}: of each post one event waits`);

  await back({ name, server, relay, ids, key });
}

/** The relay returns, while many ask for pages. */
async function back({ name, server, relay, ids, key }) {
  await wp('eval', `wp_update_post( array( 'ID' => ${ids[0]}, 'post_title' => 'The newest of ${name}' ) );`);
  await wp('eval', `global $wpdb; foreach ( array( ${ids[1]}, ${ids[2]} ) as $id ) { $name = 'wordsocket_queue_m_' . md5( "events\\npost.updated\\npost:$id" ); $value = $wpdb->get_var( "SELECT option_value FROM $wpdb->options WHERE option_name = '$name'" ); $wpdb->update( $wpdb->options, array( 'option_value' => sprintf( '%016d', ( time() - 601 ) * 1000000 ) . substr( $value, 16 ) ), array( 'option_name' => $name ) ); }`);
  await relay.is('pass');
  relay.published();
  await askedIn(2);
  await new Promise((wake) => setTimeout(wake, 2100));
  const pages = await Promise.all(Array.from({ length: 6 }, () => new Person(server).ask('/wp-login.php')));
  ok(pages.every(({ status }) => status === 200), `${name}: the relay is back, and pages are served`);
  await until(async () => await waiting() === 0, 10000);
  await new Person(server).ask('/wp-login.php');
  await until(() => relay.requests.length > 1);
  const requests = relay.published();
  const events = opened(requests.flat(), key).filter(({ event }) => event === 'post.updated').map(({ data }) => data);
  is(requests.length, 1, `${name}: all of it in one request`);
  is(events.map(({ post_id }) => post_id).sort((a, b) => a - b), ids.filter((id) => id !== ids[1] && id !== ids[2]), `${name}: each post once, but for those older than ten minutes`);
  is(events.find(({ post_id }) => post_id === ids[0])?.post_title, `The newest of ${name}`, `${name}: in its newest state`);
  is(await waiting(), 0, `${name}: nothing waits any more`);
  const admin = await new Person(server).logIn(demo.WORDPRESS_ADMIN, demo.WORDPRESS_PASSWORD);
  is(notices(await admin.ask('/wp-admin/index.php')), 0, `${name}: and the notice is gone`);
}

/** The relay takes a batch, and its answer is lost: the same bytes are known to it. */
async function lost({ relay, ids, server }) {
  await forget();
  await relay.is('deaf');
  const admin = await new Person(server).logIn(demo.WORDPRESS_ADMIN, demo.WORDPRESS_PASSWORD);
  await admin.bulkEdit(ids.slice(0, 10));
  await until(async () => await waiting() === 10, 10000);
  await relay.is('pass');
  await until(() => relay.requests.length);
  const [first] = relay.published();
  is(first?.length, 10, 'a batch reaches the relay, and no answer the site');
  await askedIn(2);
  await new Promise((wake) => setTimeout(wake, 2100));
  await new Person(server).ask('/wp-login.php');
  await until(async () => await waiting() === 0, 10000);
  await until(() => relay.requests.length > 1);
  is(relay.published(), [first], 'it goes out once more, with the very same bytes');
}

/** A long run of the command line does not keep everything to its end. */
async function longRun({ relay, ids, key }) {
  await forget();
  await relay.is('pass');
  relay.published();
  await wp('eval', `foreach ( array( ${ids.slice(0, 5)} ) as $id ) { wp_update_post( array( 'ID' => $id, 'post_title' => "Run $id" ) ); usleep( 700000 ); }`);
  await until(() => relay.requests.length > 1);
  const requests = relay.published();
  ok(requests.length >= 3, 'a run of four seconds sends each second');
  is(opened(requests.flat(), key).map(({ data }) => data.post_id), ids.slice(0, 5), 'and each event once');
}

/** The builder's route, and what a saved trigger does in the next process. */
async function saved({ relay, ids, key }) {
  const rest = async (user, method, triggers) => JSON.parse(await wp('eval', `
    wp_set_current_user( ${user} );
    $request = new WP_REST_Request( '${method}', '/wpsignal/v1/triggers' );
    $request->set_header( 'Content-Type', 'application/json' );
    $request->set_body( '${JSON.stringify({ triggers })}' );
    $answer = rest_do_request( $request );
    echo wp_json_encode( array( $answer->get_status(), $answer->get_data() ) );`));
  is((await rest(0, 'GET'))[0], 401, 'the triggers are not for everybody');
  const row = { type: 'hook', hook: 'profile_update', event: 'user.changed', object: 'id', data: [{ name: 'id', arg: 1, kind: 'value' }, { name: 'who', arg: 1, kind: 'user', field: 'display_name' }], conditions: [{ arg: 1, kind: 'user', field: 'roles', operator: 'contains', value: 'editor' }] };
  const [status, refused] = await rest(1, 'POST', [row, { ...row, event: '', data: [{ name: 'mail', kind: 'user', field: 'user_email' }] }]);
  is([status, refused.code, refused.data.errors.map(({ row: at, field }) => [at, field])], [400, 'wpsignal_invalid_triggers', [[1, 'data.0.field'], [1, 'object'], [1, 'event']]], 'what is wrong is told by row and field, in the order of the form');
  const [, before] = await rest(1, 'GET');
  is(before.triggers, [], 'and nothing is saved');
  const built = before.registered.filter(({ source }) => source === 'built-in').map(({ event }) => event);
  is([...new Set(built)].sort(), ['comment.created', 'comment.deleted', 'comment.updated', 'option.blogdescription.updated', 'option.blogname.updated', 'post.deleted', 'post.updated'], 'what is built in is listed');
  is((await rest(1, 'POST', [row]))[0], 200, 'a good row is saved');
  relay.published();
  await wp('user', 'update', 'bulk-editor', '--display_name=Somebody new');
  await wp('user', 'update', demo.WORDPRESS_ADMIN, '--nickname=x');
  await until(() => relay.requests.length);
  const id = Number(await wp('user', 'get', 'bulk-editor', '--field=ID'));
  is(opened(relay.published().flat(), key), [{ event: 'user.changed', data: { id, who: 'Somebody new' } }], 'and is an event where its condition holds');
  await wp('option', 'delete', 'wpsignal_custom_triggers');

  const say = `$id = wp_insert_comment( array( 'comment_post_ID' => ${ids[0]}, 'comment_content' => 'Hi', 'comment_author' => 'Ann', 'comment_author_email' => 'ann@example.test', 'comment_author_IP' => '192.0.2.7', 'comment_approved' => 0 ) );`;
  await wp('eval', `${say} wp_set_comment_status( $id, 'approve' ); wp_delete_comment( $id, true ); wp_trash_post( ${ids[0]} ); wp_untrash_post( ${ids[0]} ); update_option( 'blogname', 'Renamed' );`);
  await until(() => relay.requests.length);
  const events = opened(relay.published().flat(), key);
  is(events.map(({ event }) => event), ['comment.created', 'comment.deleted', 'post.deleted', 'option.blogname.updated'], 'comments, posts that go, and the title, on a real WordPress');
  ok(!/ann@|192\.0/.test(JSON.stringify(events)), 'without an address of anybody');
}

run(async (atEnd) => {
  const relay = await gate(demo.WORDSOCKET_URL);
  atEnd(relay.close);
  const site = JSON.parse(readFileSync(demo.WORDSOCKET_SITE_FILE, 'utf8'));
  const constants = join(demo.WORDPRESS_PATH, 'wp-content/mu-plugins/bulk.php');
  writeFileSync(constants, `<?php\ndefine( 'WORDSOCKET_URL', '${relay.url}' );\ndefine( 'WPSIGNAL_SITE_KEY', '${site.site_key}' );\ndefine( 'WPSIGNAL_SITE_SECRET', '${site.publish_secret}' );\ndefine( 'WPSIGNAL_JWT_SECRET', '${site.jwt_secret}' );\ndefine( 'WPSIGNAL_SIGNATURE', 2 );\nadd_filter( 'edit_posts_per_page', static fn() => 150 );\n${SWITCH}`, { mode: 0o644 });
  atEnd(() => rmSync(constants));
  const key = Buffer.from(await wp('eval', 'echo bin2hex( WordSocket\\WPS::instance()->config()->encryption_key() );'), 'hex');
  await wp('user', 'create', 'bulk-editor', 'bulk@example.test', '--role=editor', '--user_pass=bulk-editor');
  atEnd(() => wp('user', 'delete', 'bulk-editor', '--yes'));
  const ids = (await wp('post', 'generate', `--count=${POSTS}`, '--format=ids')).split(/\s+/).map(Number).sort((a, b) => a - b);
  atEnd(() => wp('post', 'delete', ...ids, '--force'));

  await away({ name: 'PHP-FPM', server: SITE, relay, ids, key, early: true });
  await away({ name: 'without it', server: await withoutFpm(atEnd), relay, ids, key, early: false });
  await lost({ relay, ids, server: SITE });
  await longRun({ relay, ids, key });
  await saved({ relay, ids, key });
  ok(!/PHP (?:Fatal|Parse|Warning|Notice)/.test(log('php.log')), 'PHP has nothing to complain of');
});
