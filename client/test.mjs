// SPDX-License-Identifier: Apache-2.0
// test.mjs unit|browser: bundles test/<kind>/*.test.ts and runs them by node's
// own runner, which prints TAP. Finding no test is a failure.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('.', import.meta.url)));
const [kind = 'unit'] = process.argv.slice(2);
const out = `.test-build/${kind}`;
const tests = readdirSync(`test/${kind}`).filter((name) =>
  name.endsWith('.test.ts'),
);
if (tests.length === 0) {
  console.error(`no tests in test/${kind}`);
  process.exit(1);
}

rmSync(out, { recursive: true, force: true });
await build({
  entryPoints: tests.map((name) => `test/${kind}/${name}`),
  outdir: out,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'esm',
  packages: 'external',
  sourcemap: 'inline',
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
  { stdio: 'inherit', timeout: 240_000 },
);
process.exit(status ?? 1);
