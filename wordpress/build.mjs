// SPDX-License-Identifier: GPL-2.0-or-later
// Builds assets/: wpsignal-settings.js and .css, the screen in wp-admin, and
// wpsignal-settings.asset.php, which tells PHP what the script depends on.
//
// What WordPress has, WordPress brings: an import of @wordpress/some-thing is
// the global wp.someThing and the script handle wp-some-thing. JSX is the
// classic runtime, since WordPress 6.4 has no other.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

process.chdir(fileURLToPath(new URL('.', import.meta.url)));

const NAME = 'assets/wpsignal-settings';

// Globals that every supported WordPress has, with the names this code uses.
const KNOWN = [
  'a11y',
  'api-fetch',
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

const used = new Set();

const globals = {
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
};

mkdirSync('assets', { recursive: true });
await build({
  entryPoints: { 'wpsignal-settings': 'src/index.tsx' },
  outdir: 'assets',
  bundle: true,
  format: 'iife',
  platform: 'browser',
  target: 'es2020',
  charset: 'utf8',
  jsx: 'transform',
  jsxFactory: 'createElement',
  jsxFragment: 'Fragment',
  // Names stay: the tools that gather texts look for calls of __().
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'inline',
  banner: {
    js: '/*! WordSocket settings. SPDX-License-Identifier: GPL-2.0-or-later */',
  },
  logLevel: 'warning',
  plugins: [globals],
});

const version = createHash('sha256')
  .update(readFileSync(`${NAME}.js`))
  .update(readFileSync(`${NAME}.css`))
  .digest('hex')
  .slice(0, 20);
const handles = [...used].sort().map((handle) => `'${handle}'`);
writeFileSync(
  `${NAME}.asset.php`,
  `<?php return array( 'dependencies' => array( ${handles.join(', ')} ), 'version' => '${version}' );\n`,
);
