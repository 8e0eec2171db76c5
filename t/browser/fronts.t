#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The client of client/ behind the fronts of conf/examples. See fronts.pl, which
# starts them, and fronts.mjs.
DEMO_ENV=none exec "$(dirname "$0")/with-demo" -- perl t/browser/fronts.pl
