#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The status page of build/demo --relay-only. See status.mjs.
exec "$(dirname "$0")/with-demo" --relay-only -- node t/browser/status.mjs
