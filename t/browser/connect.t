#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A real WordPress, and a relay on another origin: connected by one click, and
# all that may come of it. See connect.mjs. Two demos: the outer one is the relay.
set -euo pipefail
cd "$(dirname "$0")"
unset DEMO_ENV
# shellcheck disable=SC2016 # expanded inside, where DEMO_ENV is the relay's
exec ./with-demo --relay-only -- bash -c 'RELAY_ENV=$DEMO_ENV exec env -u DEMO_ENV t/browser/with-demo -- node t/browser/connect.mjs'
