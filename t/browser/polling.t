#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Editors whose WordPress hands its Yjs to nobody: what they ask the server is
# answered in the page, over the relay. See polling.mjs.
exec "$(dirname "$0")/with-demo" -- node t/browser/polling.mjs
