# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Where a demo keeps what it makes, and how all of it goes away again.
#
#   make_state    a fresh, empty $STATE, reachable as $DEMO; dies if one runs
#   stop_demo     ends every process of the demo, keeps nothing but $DEMO/log
#   is_running    whether a demo runs in $DEMO
#   is_alive PID  whether a process runs; one that waits to be reaped does not
#   as_child CMD  runs CMD as the user that serves requests, $CHILD_USER
#
# DEMO is .demo in the source tree (WORDSOCKET_DEMO_DIR names another place).
# The user that serves must be able to get in, but a clone made by root may lie
# in a folder only root can enter, and a socket's path must be short. STATE is
# a folder in /var/tmp then, and DEMO a link to it.

CHILD_USER=$(id -un)
if ((EUID == 0)); then
    CHILD_USER=www-data
fi
MARKER=.wordsocket-demo
MAX_PATH=80

as_child() {
    if ((EUID == 0)); then
        setpriv --reuid="$CHILD_USER" --regid="$CHILD_USER" --clear-groups \
            env HOME="$STATE/tmp" "$@"
    else
        env HOME="$STATE/tmp" "$@"
    fi
}

# STATE of a demo that was begun earlier; fails if there is none.
find_state() {
    [[ -e $DEMO/$MARKER ]] || return 1
    STATE=$(cd -P "$DEMO" && pwd)
}

is_running() {
    find_state && [[ $(demo_processes) ]]
}

is_alive() {
    [[ $(tr -d '\0' 2>/dev/null <"/proc/$1/cmdline") ]] 2>/dev/null
}

# The pids of httpd, php-fpm and their children: processes of these names whose
# command line shows $STATE. Children of php-fpm show only the name of their
# pool, so that one is made from $STATE.
demo_processes() {
    local dir name args

    for dir in /proc/[0-9]*; do
        read -r name <"$dir/comm" || continue
        [[ $name == apache2 || $name == php-fpm* ]] || continue
        args=$(tr '\0' ' ' <"$dir/cmdline") || continue
        if [[ $args == *"$STATE/"* || $args == *"pool $(pool_name)"* ]]; then
            echo "${dir#/proc/}"
        fi
    done 2>/dev/null
}

pool_name() {
    printf 'wordsocket-%s' "$(printf %s "$STATE" | cksum | cut -d' ' -f1)"
}

make_state() {
    local parent

    if is_running; then
        die "a demo runs in $DEMO already; build/demo --stop ends it"
    fi
    discard_state
    parent=$(dirname "$DEMO")
    STATE=$parent
    if ((${#parent} < MAX_PATH)) && as_child test -x "$parent"; then
        mkdir -m 755 "$DEMO"
    else
        ln -s "$(mktemp -d /var/tmp/wordsocket-demo-XXXXXX)" "$DEMO"
        chmod 711 "$DEMO/."
    fi
    STATE=$(cd -P "$DEMO" && pwd)
    touch "$STATE/$MARKER"
    mkdir "$STATE/log" "$STATE/run" "$STATE/tmp"
    if ((EUID == 0)); then
        chown "$CHILD_USER:" "$STATE/tmp"
    fi
}

# Removes what an earlier demo left. Never a folder that is not a demo's.
discard_state() {
    if [[ -L $DEMO && ! -e $DEMO ]]; then
        rm "$DEMO"
    fi
    [[ -e $DEMO ]] || return 0
    if ! find_state; then
        rmdir "$DEMO" 2>/dev/null ||
            die "$DEMO is not a demo's folder; move it out of the way"
        return 0
    fi
    rm -rf "$STATE"
    rm -f "$DEMO" 2>/dev/null || :
}

stop_demo() {
    find_state || return 0
    end_processes TERM 100
    end_processes KILL 50
    if [[ $(demo_processes) ]]; then
        die "these do not end: $(demo_processes | xargs); was the demo begun" \
            "by another user? Stop it as that user"
    fi
    forget_state
}

# end_processes SIGNAL TENTHS: the oldest first, they end their children.
end_processes() {
    local pids tenths=$2

    mapfile -t pids < <(demo_processes)
    ((${#pids[@]})) || return 0
    kill "-$1" "${pids[@]}" 2>/dev/null || :
    while ((tenths-- > 0)) && [[ $(demo_processes) ]]; do
        sleep 0.1
    done
}

# Keeps the logs, in $DEMO itself.
forget_state() {
    find "$STATE" -mindepth 1 -maxdepth 1 ! -name log ! -name "$MARKER" \
        -exec rm -rf {} +
    if [[ -L $DEMO ]]; then
        rm "$DEMO"
        mkdir -m 755 "$DEMO"
        mv "$STATE/log" "$STATE/$MARKER" "$DEMO/"
        rmdir "$STATE"
    fi
}
