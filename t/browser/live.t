#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Live blocks of a real WordPress, switched on in the editor. See live.mjs.
exec "$(dirname "$0")/with-demo" -- node t/browser/live.mjs
