#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The public plugin's calls against build/demo --relay-only. See t/replay.
# shellcheck disable=SC2016 # the inner shell expands
exec "$(dirname "$0")/with-demo" --relay-only -- bash -c '
    . "$DEMO_ENV"
    export API_KEY=$WORDSOCKET_API_KEY DASHBOARD_USER DASHBOARD_PASSWORD
    exec php8.2 t/replay/plugin.php "$WORDSOCKET_URL"'
