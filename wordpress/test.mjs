// SPDX-License-Identifier: GPL-2.0-or-later
// Runs test/unit/*.test.ts by node's own runner, which prints TAP: what of the
// scripts knows neither WordPress nor a page. Finding no test is a failure.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('.', import.meta.url)));
const out = '.test-build';
const tests = readdirSync('test/unit').filter((name) =>
  name.endsWith('.test.ts'),
);
if (tests.length === 0) {
  console.error('no tests in test/unit');
  process.exit(1);
}

// A module may share a file with what asks WordPress; tests do not get there.
const noWordPress = {
  name: 'no-wordpress',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@wordpress\// }, ({ path }) => ({
      path,
      namespace: 'absent',
    }));
    onLoad({ filter: /.*/, namespace: 'absent' }, ({ path }) => ({
      contents: `export default () => { throw new Error('${path} in a unit test'); };`,
    }));
  },
};

rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: tests.map((name) => `test/unit/${name}`),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  external: ['node:*'],
  plugins: [noWordPress],
  sourcemap: 'inline',
  logLevel: 'warning',
});

// WordPress's own polling asks the page for what it imports.
const asArguments = {
  name: 'as-arguments',
  setup({ onResolve, onLoad }) {
    const given = {
      '@wordpress/api-fetch': 'export default apiFetch;',
      '@wordpress/hooks': 'export const applyFilters = (...all) => hooks.applyFilters(...all);',
    };
    onResolve({ filter: /^@wordpress\// }, ({ path }) => ({ path, namespace: 'given' }));
    onLoad({ filter: /.*/, namespace: 'given' }, ({ path }) => ({ contents: given[path] }));
    // One copy of Yjs, that of the release.
    onResolve({ filter: /^yjs$/ }, () => ({
      path: fileURLToPath(
        new URL('node_modules/@wordpress/sync/node_modules/yjs/dist/yjs.mjs', import.meta.url),
      ),
    }));
  },
};

await build({
  entryPoints: ['test/support/built-in.js'],
  outdir: out,
  bundle: true,
  platform: 'browser',
  format: 'iife',
  globalName: 'builtIn',
  plugins: [asArguments],
  logLevel: 'warning',
});

const { status } = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    '--test',
    '--test-reporter=tap',
    '--test-reporter-destination=stdout',
    ...tests.map((name) => `${out}/${name.replace(/\.ts$/, '.mjs')}`),
  ],
  { stdio: 'inherit', timeout: 120_000 },
);
process.exit(status ?? 1);
