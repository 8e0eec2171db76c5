#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The dashboard of a relay in service mode. See dashboard.mjs.
exec "$(dirname "$0")/with-demo" --relay-only -- node t/browser/dashboard.mjs
