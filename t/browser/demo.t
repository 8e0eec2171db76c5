#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# build/demo itself: what it starts, that it ends, what it refuses.
set -uo pipefail
cd "$(dirname "$0")/../.."

folder=$(mktemp -d "${TMPDIR:-/tmp}/wordsocket-lifecycle-XXXXXX")
chmod 755 "$folder"
count=0
failed=0

leave() {
    build/demo --stop >/dev/null 2>&1
    rm -rf "$folder"
}
trap leave EXIT
trap 'exit 143' TERM INT HUP

ok() {
    local passed=$1 name=$2

    ((++count))
    if [[ $passed == 0 ]]; then
        echo "ok $count - $name"
    else
        ((++failed))
        echo "not ok $count - $name"
        sed 's/^/#   /' "$folder/said" 2>/dev/null
    fi
}

# yes NAME COMMAND...; no NAME COMMAND...: COMMAND succeeds, or does not.
yes() {
    local name=$1
    shift
    "$@" >"$folder/said" 2>&1
    ok $? "$name"
}

no() {
    local name=$1
    shift
    ! "$@" >"$folder/said" 2>&1
    ok $? "$name"
}

says() {
    grep -q -- "$1" "$folder/said"
    ok $? "it says: $1"
}

# Processes of this demo that are more than an entry waiting to be reaped. The
# children of php-fpm show the name of their pool only.
processes() {
    local dir pool

    pool="pool wordsocket-$(printf %s "$1" | cksum | cut -d' ' -f1)"
    for dir in /proc/[0-9]*; do
        if tr '\0' ' ' <"$dir/cmdline" | grep -q -e "$1" -e "$pool"; then
            cat "$dir/comm"
        fi
    done 2>/dev/null | grep -E 'apache2|php-fpm'
}

demo() {
    timeout -k 5 500 build/demo --relay-only "$@"
}

export WORDSOCKET_DEMO_DIR=$folder/demo
state=$WORDSOCKET_DEMO_DIR

yes "it starts in the background" demo --detach --tls
# shellcheck source=/dev/null
. "$state/env"
cp "$folder/said" "$folder/first"
yes "the relay answers" curl -fsS "$WORDSOCKET_URL/healthz"
yes "and by TLS, with the certificate it made" \
    curl -fsS --cacert "$state/tls/cert.pem" "$WORDSOCKET_TLS_URL/healthz"
yes "so does its status page" curl -fsS "${WORDSOCKET_URL%/wordsocket}/wordsocket-status"
[[ $(stat -c %a "$state/env" "$WORDSOCKET_SITE_FILE" | sort -u) == 600 ]]
ok $? "what is secret only its owner reads"
[[ $HTTPD_PID == "$(<"$state/run/httpd.pid")" && -e $HTTPD_CONF ]]
ok $? "env names httpd and its configuration"

yes "the curl it prints publishes" bash -c "$(grep '^body=' "$folder/first")"
says '"ok":true'
sleep 0.1
yes "at any time" bash -c "$(grep '^body=' "$folder/first")"
says '"ok":true'
no "it prints no secret" grep -qF \
    "$(sed -n 's/.*"publish_secret": "\(.*\)".*/\1/p' "$WORDSOCKET_SITE_FILE")" "$folder/first"

no "a second one in the same place is refused" demo --detach
says 'build/demo --stop'
yes "the first one goes on" curl -fsS "$WORDSOCKET_URL/healthz"

port=${WORDSOCKET_URL#*127.0.0.1:}
port=${port%%/*}
WORDSOCKET_DEMO_DIR=$folder/other no "a port that is taken is refused" demo --detach --port "$port"
says "port $port is taken"
[[ ! $(processes "$folder/other") ]]
ok $? "and nothing of it stays"

yes "it stops" build/demo --stop
says "stopped; logs are in"
[[ ! $(processes "$state") ]]
ok $? "no process is left"
[[ $(ls "$state") == log && -s $state/log/httpd-error.log ]]
ok $? "only its logs are"
yes "stopping what does not run is no error" build/demo --stop
says "no demo runs in"

yes "a free port can be chosen, the one for TLS is another" demo --detach --tls --port "$port"
# shellcheck source=/dev/null
. "$state/env"
[[ $WORDSOCKET_URL == "http://127.0.0.1:$port/wordsocket" && $WORDSOCKET_TLS_URL != *":$port/"* ]]
ok $? "env names both"
yes "it answers by TLS" curl -fsS --cacert "$state/tls/cert.pem" "$WORDSOCKET_TLS_URL/healthz"
build/demo --stop >/dev/null

# The commands of the README, as they stand there.
sed -n '/^## The first message/,/^## How/s/^    //p' README.md |
    sed "s|\.demo/env|'$state/env'|" >"$folder/readme"
yes "the README's first message" timeout -k 5 500 bash -eu "$folder/readme"
says '"ok":true,"id":"[0-9a-f]\{12\}-[0-9]*"'
yes "and it stops" build/demo --stop

# In the foreground, told to end as Ctrl-C does it. A shell starts what is in
# the background deaf to that, so its hearing is given back.
setsid env --default-signal=INT build/demo --relay-only >"$folder/said" 2>&1 &
front=$!
for ((i = 0; i < 1500; i++)); do
    grep -q 'Ctrl-C ends it' "$folder/said" && break
    sleep 0.1
done
[[ $(processes "$state") ]]
ok $? "it runs in the foreground"
kill -INT "-$front"
wait "$front"
[[ $? == 130 && ! $(processes "$state") ]]
ok $? "Ctrl-C ends it and all it started"

# With WordPress.
yes "with WordPress it starts, too" timeout -k 5 500 build/demo --detach
cp "$folder/said" "$folder/first"
unset "${!WORDSOCKET_@}" "${!WORDPRESS_@}" "${!DASHBOARD_@}" HTTPD_PID HTTPD_CONF
export WORDSOCKET_DEMO_DIR=$state
# shellcheck source=/dev/null
. "$state/env"
for name in WORDSOCKET_URL WORDPRESS_URL WORDPRESS_ADMIN WORDPRESS_PASSWORD \
    WORDSOCKET_SITE_FILE HTTPD_PID HTTPD_CONF; do
    [[ ${!name-} ]]
    ok $? "env has $name"
done
for name in WORDSOCKET_TLS_URL WORDSOCKET_API_KEY DASHBOARD_USER DASHBOARD_PASSWORD; do
    [[ ${!name+is} == is ]]
    ok $? "env names $name"
done
yes "the site answers" curl -fsS "$WORDPRESS_URL/"
says 'wpsignal-config'
says 'Save me, and watch'
[[ $(processes "$state" | sort -u | xargs) == "apache2 php-fpm8.2" ]]
ok $? "httpd and php-fpm run"
no "no site is named to the module" grep -rq WordSocketSiteFile "$HTTPD_CONF" "$state/wordsocket.conf"
yes "it has a host key" grep -q '^WordSocketHostKey' "$state/wordsocket.conf"
no "wp-config.php names neither relay nor site" grep -qE 'WORDSOCKET|WPSIGNAL' "$WORDPRESS_PATH/wp-config.php"
yes "the curl it prints publishes there" bash -c "$(grep '^body=' "$folder/first")"
says '"ok":true'
yes "so do the commands of the README" bash -eu -c "$(sed '/build\/demo/d' "$folder/readme")"
says '"ok":true'
yes "all of it stops" build/demo --stop
[[ ! $(processes "$state") ]]
ok $? "no process of it is left"
[[ $(ls "$state") == log ]]
ok $? "nor a file but the logs"

# A place that the serving user cannot reach.
mkdir -m 700 "$folder/closed"
export WORDSOCKET_DEMO_DIR=$folder/closed/demo
yes "it starts in a folder that only its owner may enter" demo --detach
# shellcheck source=/dev/null
. "$WORDSOCKET_DEMO_DIR/env"
yes "and serves its page from there" curl -fsS "${WORDSOCKET_URL%wordsocket}"
elsewhere=$(cd -P "$WORDSOCKET_DEMO_DIR" && pwd)
yes "it stops there as well" build/demo --stop
[[ ! -L $WORDSOCKET_DEMO_DIR && $(ls "$WORDSOCKET_DEMO_DIR") == log ]]
ok $? "its logs are where they should be"
[[ $elsewhere == "$WORDSOCKET_DEMO_DIR" || ! -e $elsewhere ]]
ok $? "and nothing is left elsewhere"

mkdir "$folder/mine"
touch "$folder/mine/precious"
WORDSOCKET_DEMO_DIR=$folder/mine no "a folder that is no demo's is left alone" demo --detach
[[ -e $folder/mine/precious ]]
ok $? "whatever is in it"
no "an unknown option is refused" demo --nonsense
says '--help'
no "so is a port that is none" demo --port 70000

echo "1..$count"
exit $((failed > 0))
