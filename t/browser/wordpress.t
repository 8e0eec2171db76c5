#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A post saved in wp-admin, seen in another browser. See wordpress.mjs.
exec "$(dirname "$0")/with-demo" -- node t/browser/wordpress.mjs
