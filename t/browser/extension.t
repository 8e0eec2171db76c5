#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# t/extension, unmodified, in a browser; under a name that sorts before the
# plugin's, and after it. See extension.mjs.
exec "$(dirname "$0")/with-demo" -- node t/browser/extension.mjs
