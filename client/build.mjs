// SPDX-License-Identifier: Apache-2.0
// Builds dist/: wpsignal.js, the script of a WordPress page; index.js, the
// module for everybody else; and its types.
import { execFileSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('.', import.meta.url)));
rmSync('dist', { recursive: true, force: true });

const common = {
  bundle: true,
  platform: 'browser',
  target: 'es2020',
  charset: 'utf8',
  legalComments: 'inline',
  banner: { js: '/*! WordSocket client. SPDX-License-Identifier: Apache-2.0 */' },
  logLevel: 'warning',
};

await build({
  ...common,
  entryPoints: ['src/wordpress.ts'],
  outfile: 'dist/wpsignal.js',
  format: 'iife',
  minify: true,
});
await build({
  ...common,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/index.js',
  format: 'esm',
});

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json'], {
  stdio: 'inherit',
});
