#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Several editors in one post of a real WordPress, over a relay that is reloaded
# and killed under them. See together.mjs; with WSK_LONG=1 ten seeds of two and
# six editors for two minutes each, and the figures are held to.
exec "$(dirname "$0")/with-demo" -- node t/browser/together.mjs
