#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The picture of the status page under traffic. See build/tools/status-picture.mjs.
make -s t/load/swarm >&2 || exit 1
exec "$(dirname "$0")/with-demo" --relay-only -- node build/tools/status-picture.mjs
