#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The names that editors of one post see of each other, with one among them who
# says that she is another. See names.mjs.
exec "$(dirname "$0")/with-demo" -- node t/browser/names.mjs
