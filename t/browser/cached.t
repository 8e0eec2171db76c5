#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Pages that a cache kept for longer than tokens and nonces live. See cached.mjs.
exec "$(dirname "$0")/with-demo" -- node t/browser/cached.mjs
