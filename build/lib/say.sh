# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Words to the person at the terminal, the same from every command in build/.
#
#   say TEXT...           one line, with the seconds since the command began
#   die TEXT...           the same on stderr, then exit 1; TEXT says what to do
#   step TEXT REMEDY COMMAND...
#                         run COMMAND, its output into $LOG, a line every 10 s
#                         while it runs; if it fails, show its last lines and
#                         die with REMEDY and the name of the log
#
# COMMAND may be a function: it runs in a subshell of its own with errexit on,
# so what it assigns is gone afterwards. Never call step in a condition: bash
# would switch errexit off in there. LOG is the caller's; a fresh file in the
# temporary folder if it is not set.

exec {PULSE_FD}<> <(:)

say() {
    printf '[%3ds] %s\n' "$SECONDS" "$*"
}

die() {
    printf '[%3ds] FAILED: %s\n' "$SECONDS" "$*" >&2
    exit 1
}

# Says that COMMAND still runs; ends with the caller, whatever ended it. Waits
# on a pipe that stays silent, for a sleep would outlive it. Elsewhere sleep is
# right: bash 5.2 may crash when a trap does work while read waits.
heartbeat() {
    local text=$1 begun=$SECONDS

    while
        read -rt 10 -u "$PULSE_FD" _ || :
        kill -0 "$$" 2>/dev/null
    do
        say "$text ... $((SECONDS - begun)) s"
    done
}

step() {
    local text=$1 remedy=$2 begun=$SECONDS rc=0 pulse
    shift 2

    : "${LOG:=$(mktemp "${TMPDIR:-/tmp}/wordsocket-XXXXXX.log")}"
    say "$text"
    heartbeat "$text" &
    pulse=$!
    printf '== %s\n' "$text" >>"$LOG"
    set +e
    (
        set -e
        "$@"
    ) >>"$LOG" 2>&1 </dev/null
    rc=$?
    kill "$pulse" 2>/dev/null
    wait "$pulse" 2>/dev/null
    set -e
    if ((rc)); then
        tail -n 15 "$LOG" | sed 's/^/    /' >&2
        die "$text. $remedy (log: $LOG)"
    fi
    if ((SECONDS - begun > 9)); then
        say "$text: done after $((SECONDS - begun)) s"
    fi
}
