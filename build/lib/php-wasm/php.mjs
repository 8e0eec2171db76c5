#!/usr/bin/env node
// SPDX-License-Identifier: Apache-2.0
//
// php.mjs VERSION ARGS...: PHP's command line, of a version that Debian does not
// have here. The interpreter is the real one, compiled to WebAssembly, on the
// files of this machine; see build/lib/php-wasm.sh. It cannot start processes.

import { PHP } from '@php-wasm/universal';
import { loadNodeRuntime, useHostFilesystem } from '@php-wasm/node';

const [version, ...args] = process.argv.slice(2);
const php = new PHP(
    await loadNodeRuntime(version, {
        emscriptenOptions: { processId: process.pid },
    }),
);
useHostFilesystem(php);

const run = await php.cli(['php', ...args], { env: process.env });
const copy = async (from, to) => {
    for await (const piece of from) to.write(piece);
};
await Promise.all([copy(run.stdout, process.stdout), copy(run.stderr, process.stderr)]);
const code = await run.exitCode;
process.stdout.write('', () => process.exit(code));
