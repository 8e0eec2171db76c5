/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The package as somebody else gets it: packed, unpacked, compiled against and
 * run.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const CONSUMER = `
import {
  Client, createWps, PublishError, onChannel,
  type ClientOptions, type Delivery, type Gap, type State, type Wps,
} from '@wordsocket/client';

const options: ClientOptions = {
  baseUrl: 'http://127.0.0.1:1/wps',
  mint: async () => ({ token: 'a.b.c', channels: ['events'] }),
};
const client = new Client(options);
const off: () => void = client.on('message', (one: Delivery) => one.channel);
client.on('gap', (gap: Gap) => gap.oldest);
const wps: Wps = createWps(client);
wps.onStateChange((state: State) => state.retryInMs);
const sent: boolean = wps.publish('events', 'e', { n: 1 });
// @ts-expect-error a channel is text
wps.publish(1, 'e');
// @ts-expect-error there is no such event
client.on('nothing', () => {});
off();
wps.publishConfirmed('events', 'e').catch((error: unknown) => {
  const code = error instanceof PublishError ? error.code : '';
  console.log(JSON.stringify([sent, code, onChannel('a:events', 'events')]));
});
`;

const folder = mkdtempSync(join(tmpdir(), 'wordsocket-package-'));
after(() => rmSync(folder, { recursive: true, force: true }));

interface Packed {
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

const [packed] = JSON.parse(
  execFileSync(
    'npm',
    ['pack', '--json', '--ignore-scripts', '--pack-destination', folder],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] },
  ),
) as [Packed];
const paths = packed.files.map(({ path }) => path);

function run(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, {
    cwd: folder,
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

test('it holds what it exports, and no source, test or secret of the tree', () => {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
    exports: Record<string, string | Record<string, string>>;
  };
  for (const target of Object.values(exports).flatMap((one) =>
    typeof one === 'string' ? [one] : Object.values(one),
  )) {
    assert.ok(paths.includes(target.slice(2)), target);
  }
  for (const name of ['README.md', 'LICENSE', 'example/index.html']) {
    assert.ok(paths.includes(name), name);
  }
  assert.deepEqual(
    paths.filter((path) => !/^(?:dist|example)\/|^(?:README\.md|LICENSE|package\.json)$/.test(path)),
    [],
  );
});

test('a consumer compiles against its types, however it resolves modules', () => {
  const home = join(folder, 'node_modules', '@wordsocket', 'client');
  mkdirSync(home, { recursive: true });
  run('tar', 'xzf', packed.filename, '-C', home, '--strip-components=1');
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'consumer.ts'), CONSUMER);
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
  for (const [module, moduleResolution] of [
    ['ESNext', 'Bundler'],
    ['NodeNext', 'NodeNext'],
  ]) {
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'ES2020', types: [] },
      ...{ lib: ['ES2020', 'DOM', 'DOM.Iterable'] },
      ...{ strict: true, exactOptionalPropertyTypes: true },
    };
    const config = { compilerOptions, files: ['consumer.ts'] };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    run(process.execPath, tsc, '-p', '.');
  }
});

test('what was compiled runs', () => {
  assert.equal(run(process.execPath, 'consumer.js').trim(), '[false,"not-connected",true]');
});
