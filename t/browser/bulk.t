#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A bulk edit of 100 posts while the relay is away, with PHP-FPM and without. See
# bulk.mjs.
exec "$(dirname "$0")/with-demo" -- node t/browser/bulk.mjs
