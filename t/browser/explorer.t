#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The Explorer and the trigger builder. See explorer.mjs.
exec "$(dirname "$0")/with-demo" -- node t/browser/explorer.mjs
