// SPDX-License-Identifier: GPL-2.0-or-later
// Builds assets/: wpsignal-settings.js and .css, the screen in wp-admin;
// live-editor.js, the switch of live blocks; wpsignal-yjs.js, the provider of
// collaboration, and what wakes WordPress's part of it and sets its pace; a .asset.php beside each, which
// tells PHP what the script depends on; and the script of pages with live
// blocks, as the module live-module.js and as live-view.js for WordPress 6.4.
//
// What WordPress has, WordPress brings: an import of @wordpress/some-thing is
// the global wp.someThing and the script handle wp-some-thing. JSX is the
// classic runtime, since WordPress 6.4 has no other.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('.', import.meta.url)));

// Globals that every supported WordPress has, with the names this code uses.
const KNOWN = [
  'a11y',
  'api-fetch',
  'block-editor',
  'components',
  'compose',
  'data',
  'element',
  'hooks',
  'i18n',
  'plugins',
];
// These are a function, not a bag of them.
const ARE_DEFAULT = ['api-fetch'];

/** Maps imports to globals; `used` gets the handles. */
const globals = (used) => ({
  name: 'wordpress-globals',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^@wordpress\// }, ({ path }) => {
      const short = path.slice('@wordpress/'.length);
      if (!KNOWN.includes(short)) {
        return { errors: [{ text: `${path} is not in the list of build.mjs` }] };
      }
      used.add(`wp-${short}`);
      return { path: short, namespace: 'wp' };
    });
    onLoad({ filter: /.*/, namespace: 'wp' }, ({ path }) => {
      const camel = path.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
      const value = `window.wp.${camel}`;
      return {
        contents: ARE_DEFAULT.includes(path)
          ? `export default ${value};`
          : `module.exports = ${value};`,
      };
    });
  },
});

/**
 * Nothing for `yjs`: what is bundled needs it for types alone, and a second copy
 * on a page corrupts documents without a word. The editor hands over its own.
 */
const noYjs = {
  name: 'no-second-yjs',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^yjs$/ }, ({ path }) => ({ path, namespace: 'none' }));
    onLoad({ filter: /.*/, namespace: 'none' }, () => ({ contents: '' }));
  },
};

const common = {
  bundle: true,
  platform: 'browser',
  target: 'es2020',
  charset: 'utf8',
  // Names stay: the tools that gather texts look for calls of __().
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'inline',
  banner: {
    js: '/*! WordSocket. SPDX-License-Identifier: GPL-2.0-or-later */',
  },
  logLevel: 'warning',
};

/** A script for wp-admin, with its .asset.php. */
async function adminScript(name, entry) {
  const used = new Set();
  await build({
    ...common,
    entryPoints: { [name]: entry },
    outdir: 'assets',
    format: 'iife',
    jsx: 'transform',
    jsxFactory: 'createElement',
    jsxFragment: 'Fragment',
    plugins: [globals(used), noYjs],
  });
  const hash = createHash('sha256');
  for (const file of [`assets/${name}.js`, `assets/${name}.css`]) {
    if (existsSync(file)) {
      hash.update(readFileSync(file));
    }
  }
  const version = hash.digest('hex').slice(0, 20);
  const handles = [...used].sort().map((handle) => `'${handle}'`);
  writeFileSync(
    `assets/${name}.asset.php`,
    `<?php return array( 'dependencies' => array( ${handles.join(', ')} ), 'version' => '${version}' );\n`,
  );
}

/** A script of public pages, which brings no text of its own: as small as can be. */
const pageScript = (name, entry, format) =>
  build({
    ...common,
    entryPoints: { [name]: entry },
    outdir: 'assets',
    format,
    minifyIdentifiers: true,
    external: ['@wordpress/*'],
  });

mkdirSync('assets', { recursive: true });
await pageScript('live-view', 'src/live/view.ts', 'iife');
await pageScript('live-module', 'src/live/module.ts', 'esm');
await adminScript('wpsignal-yjs', 'src/collab/editor.ts');
await pageScript('collaboration-wake', 'src/collab/wake.ts', 'iife');
await pageScript('collaboration-pace', 'src/collab/pace.ts', 'iife');
await adminScript('live-editor', 'src/live/editor.tsx');
// Last: by its .asset.php build/demo tells whether all is built.
await adminScript('wpsignal-settings', 'src/index.tsx');
