#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How soon what one editor types is at the other, and what PHP is asked
# meanwhile: by WebSocket, by an event stream, and behind a front that speaks
# HTTP/1.0. See typing.pl, which starts the front, and typing.mjs.
exec "$(dirname "$0")/with-demo" -- perl t/browser/typing.pl
