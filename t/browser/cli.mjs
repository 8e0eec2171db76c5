/* SPDX-License-Identifier: Apache-2.0 */
/* wp wordsocket, on a real WordPress, as whoever has a shell there. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { demo, is, note, ok, run, state, until, wp } from './lib.mjs';

const owner = statSync(demo.WORDPRESS_PATH);
const PHAR = ['-d', 'memory_limit=512M', join(state, 'php/wp-cli.phar'), `--path=${demo.WORDPRESS_PATH}`];
const asOwner = { cwd: state, uid: owner.uid, gid: owner.gid, env: { PATH: process.env.PATH, HOME: join(state, 'tmp') } };
/** Status and output, also where it fails. */
const ask = (...args) => {
  const { status, stdout, stderr } = spawnSync('php8.2', [...PHAR, 'wordsocket', ...args], { ...asOwner, timeout: 60000 });
  return { status, out: `${stdout}`.trim(), err: `${stderr}`.trim() };
};

run(async (atEnd) => {
  const status = JSON.parse(ask('status', '--format=json').out);
  is([status.connected, status.through, status.relay, status.encrypted, status.events_waiting], ['yes', 'server', demo.WORDSOCKET_URL, 'yes', '0'], 'status says how it is connected');
  is(status.collaboration, 'off (core): switched-off', 'and that editors do not work together unless somebody says so');
  ok(/connected[\s|]+yes/.test(ask('status').out), 'for people as well');
  ok(/publish <channel> <event>/.test(wp('help', 'wordsocket', 'publish')), 'the commands have their help');

  /* Publish, and hear it. */
  const tail = spawn('php8.2', [...PHAR, 'wordsocket', 'tail', 'events', 'lab', '--format=json'], asOwner);
  atEnd(() => tail.kill());
  let heard = '';
  tail.stdout.on('data', (chunk) => (heard += chunk));
  const lines = () => heard.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line));
  ok(await until(async () => /^Success: Published as [\w-]+\.$/.test(ask('publish', 'lab', 'ready').out) && lines().length > 0, 20000), 'what is published is heard');
  is(ask('publish', 'lab', 'hello', '--data={"n":7,"text":"Grüße"}').status, 0, 'publish takes data');
  const hello = await until(() => lines().find(({ event }) => event === 'hello'), 10000);
  is([hello?.channel, hello?.data, /^\w+-\d+$/.test(hello?.id)], ['lab', { n: 7, text: 'Grüße' }, true], 'and tail prints it decrypted, with its id');
  const ready = lines().find(({ event }) => event === 'ready');
  is(ready.data, {}, 'an empty object stays one');
  tail.kill('SIGINT');
  const again = spawnSync('php8.2', [...PHAR, 'wordsocket', 'tail', 'lab', `--since=${ready.id}`, '--count=2'], { ...asOwner, timeout: 20000 });
  // The first is the relay's own, who is present.
  ok(/^\w+-\d+ lab /m.test(`${again.stdout}`) && again.status === 0, 'it begins where it is told, and ends when it has what it was asked for');
  note(`${again.stdout}${again.stderr}`.trim());

  for (const wrong of ['[1]', '7', 'x']) {
    is(ask('publish', 'lab', 'x', `--data=${wrong}`).status, 1, `${wrong} is no data`);
  }
  ok(/bad|channel/i.test(ask('publish', 'a,b', 'x').err), 'a name that cannot be is refused with the reason');

  is(ask('publish', 'lab', 'x').status, 0, 'and what is right after it is taken');

  /* What is wrong. */
  const doctor = ask('doctor', '--format=json');
  const found = Object.fromEntries(JSON.parse(doctor.out).map(({ check, status: how }) => [check, how]));
  is(found, { settings: 'good', builds: 'good', plugin: 'good', relay: 'good', websocket: 'good', stream: 'good', collaboration: 'good', queue: 'good', cron: 'good', cache: 'good' }, 'doctor finds nothing');
  is(doctor.status, 0, 'and says so to scripts');
  note(JSON.parse(doctor.out).map(({ message }) => message).join(' '));
  const build = (folder, code) => {
    const path = join(demo.WORDPRESS_PATH, 'wp-content/plugins', folder);
    mkdirSync(path);
    atEnd(() => rmSync(path, { recursive: true, force: true }));
    writeFileSync(join(path, 'wordsocket.php'), `<?php\n/* Plugin Name: WordSocket */\n${code}`);
    wp('plugin', 'activate', folder);
  };
  const checkOf = (name) => JSON.parse(ask('doctor', '--format=json').out).find(({ check }) => check === name);
  build('zz-wordsocket', '');
  const beside = checkOf('builds');
  is([beside.status, /zz-wordsocket\/wordsocket\.php/.test(beside.message)], ['critical', true], 'but another build beside this one');
  wp('plugin', 'deactivate', 'zz-wordsocket');
  build('a-wordsocket', "define( 'WPSignal\\VERSION', '0.25.0' );");
  const silenced = ask('doctor');
  is([silenced.status, /this one does nothing/.test(silenced.err)], [1, true], 'and where the other came first, that this one does nothing');
  wp('plugin', 'deactivate', 'a-wordsocket');
  const mustUse = join(demo.WORDPRESS_PATH, 'wp-content/mu-plugins');
  const forgetful = join(mustUse, 'forgetful-cache.php');
  mkdirSync(mustUse, { recursive: true });
  atEnd(() => rmSync(forgetful, { force: true }));
  writeFileSync(forgetful, `<?php
    // As if its server were not there: what is in it ends with the request.
    class Forgetful_Cache extends WP_Object_Cache {
      public function get( $key, $group = 'default', $force = false, &$found = null ) { return $force ? false : parent::get( $key, $group, $force, $found ); }
    }
    wp_using_ext_object_cache( true );
    $GLOBALS['wp_object_cache'] = new Forgetful_Cache();`);
  const lost = checkOf('cache');
  is([lost?.status, /does not keep/.test(lost?.message)], ['recommended', true], 'and an object cache that forgets');
  rmSync(forgetful);
  const connect = () => ask('connect', 'https://relay.example.org/wordsocket', '--key-file=/nowhere');
  const twice = connect();
  is([twice.status, /connected already/.test(twice.err)], [1, true], 'a connected site is not connected again');
  wp('eval', `$c = get_option( 'wordsocket_connection' ); $c['home_hash'] = 'x'; update_option( 'wordsocket_connection', $c );`);
  const copied = ask('doctor', '--format=json');
  is([copied.status, JSON.parse(copied.out)[0].status], [1, 'critical'], 'a copy is told that it is one');
  is(ask('status').status, 1, 'and is not connected');
  wp('eval', `$c = get_option( 'wordsocket_connection' ); $c['home_hash'] = WordSocket\\Connection::home_hash(); update_option( 'wordsocket_connection', $c );`);
  ok(ask('disconnect', '--yes').out.includes('Disconnected'), 'disconnect disconnects');
  is(ask('disconnect', '--yes').status, 1, 'once');
  const key = connect();
  is([key.status, /no API key/.test(key.err)], [1, true], 'connect wants a key that is there');
});
