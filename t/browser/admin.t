#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The plugin's screen in wp-admin: its tabs, Send test, Site Health, and what an
# extension puts there. See admin.mjs.
exec "$(dirname "$0")/with-demo" -- node t/browser/admin.mjs
