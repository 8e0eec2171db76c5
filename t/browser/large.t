#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A large document joins over a link of 1 Mbit/s, made in a network namespace of
# its own. See large.mjs; with WSK_LONG=1 it has 5 MiB.
[[ $EUID == 0 ]] || { echo '1..0 # skip a network namespace needs root'; exit 0; }
exec "$(dirname "$0")/with-demo" -- node t/browser/large.mjs
