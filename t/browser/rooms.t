#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who gets into the rooms of a real WordPress, with its tokens and with others,
# and what the relay sees of what is written there. See rooms.mjs.
exec "$(dirname "$0")/with-demo" -- node t/browser/rooms.mjs
