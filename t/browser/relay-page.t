#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The page of build/demo --relay-only. See relay-page.mjs.
exec "$(dirname "$0")/with-demo" --relay-only -- node t/browser/relay-page.mjs
