# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A private MariaDB: a data folder of its own, reachable by its socket alone,
# with one empty database that anybody who can open the socket may use.
#
#   start_mariadb FOLDER   sets MARIADB_SOCKET
#   stop_mariadb           waits for its end; nothing if none was begun

MARIADB_PID=

start_mariadb() {
    local user=() waited=0

    mkdir -p "$1/data"
    if ((EUID == 0)); then
        chown -R mysql: "$1"
        chmod 755 "$1" "$(dirname "$1")"
        user=(--user=mysql)
    fi
    MARIADB_SOCKET=$1/sock
    mariadb-install-db --no-defaults "${user[@]}" --datadir="$1/data" \
        --auth-root-authentication-method=normal --skip-test-db >"$1/log" 2>&1 ||
        die "MariaDB cannot be set up: $(tail -n 1 "$1/log")"
    mariadbd --no-defaults "${user[@]}" --datadir="$1/data" --skip-networking \
        --socket="$MARIADB_SOCKET" --pid-file="$1/pid" --innodb-flush-log-at-trx-commit=0 \
        --skip-log-bin >>"$1/log" 2>&1 &
    MARIADB_PID=$!
    until mariadb --no-defaults -uroot -S "$MARIADB_SOCKET" \
        -e "CREATE DATABASE IF NOT EXISTS wordpress" >/dev/null 2>&1; do
        ((waited++ < 150)) && kill -0 "$MARIADB_PID" 2>/dev/null ||
            die "MariaDB does not start: $(tail -n 3 "$1/log")"
        sleep 0.2
    done
}

stop_mariadb() {
    [[ $MARIADB_PID ]] || return 0
    kill "$MARIADB_PID" 2>/dev/null || :
    wait "$MARIADB_PID" 2>/dev/null || :
    MARIADB_PID=
}
