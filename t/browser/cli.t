#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The commands of wp wordsocket. See cli.mjs.
exec "$(dirname "$0")/with-demo" -- node t/browser/cli.mjs
