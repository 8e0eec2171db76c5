// SPDX-License-Identifier: Apache-2.0
// Builds dist/: wpsignal.js, the script of a WordPress page, and wpsignal-*.js,
// which it fetches where it needs them; index.js, the module for everybody
// else; and its types. A script that has become too large is not built.
import { execFileSync } from 'node:child_process';
import { copyFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('.', import.meta.url)));
rmSync('dist', { recursive: true, force: true });
// A package carries its licence.
copyFileSync('../LICENSE', 'LICENSE');

const common = {
  bundle: true,
  platform: 'browser',
  target: 'es2021',
  charset: 'utf8',
  legalComments: 'inline',
  banner: { js: '/*! WordSocket client. SPDX-License-Identifier: Apache-2.0 */' },
  logLevel: 'warning',
};

/** A page's script fetches its parts; everybody else's bundle holds them. */
const partsApart = {
  name: 'parts apart',
  setup(build) {
    build.onResolve({ filter: /\/parts\.js$/ }, ({ resolveDir }) => ({
      path: resolve(resolveDir, relative(resolveDir, 'src/parts-page.ts')),
    }));
  },
};
/**
 * Members that classes keep to themselves, for shorter names. Only those whose
 * name means nothing else anywhere: scripts of one page meet by the others.
 */
function privateNames() {
  const code = readdirSync('src', { recursive: true })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => readFileSync(`src/${name}`, 'utf8'))
    .join('\n')
    .replace(/\/\*.*?\*\/|\/\/[^\n]*/gs, '');
  const own = code.matchAll(/\bprivate (?:readonly |async )*(\w+)/g);
  return [...new Set([...own].map(([, name]) => name))].filter((name) => {
    const rest = code.replace(
      new RegExp(
        `\\bthis\\.${name}\\b|\\bprivate (?:readonly |async )*${name}\\b`,
        'g',
      ),
      '',
    );
    return !new RegExp(`\\b${name}\\b`).test(rest);
  });
}
const page = {
  ...common,
  format: 'iife',
  minify: true,
  mangleProps: new RegExp(`^(?:${privateNames().join('|')})$`),
};
/** The worker opens nothing. */
const withoutAes = {
  name: 'without AES',
  setup(build) {
    build.onLoad({ filter: /src.aes\.ts$/ }, () => ({
      contents: 'export const openGcm = undefined;',
    }));
  },
};

await build({
  ...page,
  entryPoints: ['src/wordpress.ts'],
  outfile: 'dist/wpsignal.js',
  plugins: [partsApart],
});
await build({
  ...page,
  entryPoints: ['src/worker.ts'],
  outfile: 'dist/wpsignal-worker.js',
  plugins: [withoutAes],
});
for (const [name, path] of [
  ['aes', './src/aes.js'],
  ['http', './src/transport/http.js'],
]) {
  await build({
    ...page,
    stdin: {
      contents: `import * as part from '${path}';
(globalThis.wpsignalParts ??= {}).${name} = part;`,
      resolveDir: '.',
    },
    outfile: `dist/wpsignal-${name}.js`,
  });
}
await build({
  ...common,
  entryPoints: ['src/index.ts'],
  outfile: 'dist/index.js',
  format: 'esm',
});

/** What a page pays; in bytes as a server sends them, compressed. */
const BOUNDS = { 'wpsignal.js': 12 * 1024 };
for (const [name, bound] of Object.entries(BOUNDS)) {
  const size = gzipSync(readFileSync(`dist/${name}`), { level: 9 }).length;
  console.log(`dist/${name}: ${size} of ${bound} bytes gzipped`);
  if (size >= bound) {
    throw new Error(`dist/${name} has become too large`);
  }
}

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc');
execFileSync(process.execPath, [tsc, '-p', 'tsconfig.types.json'], {
  stdio: 'inherit',
});
