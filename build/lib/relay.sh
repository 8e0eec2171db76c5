# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The page of build/demo --relay-only: static files, and the secrets of this
# run beside them, because there is no PHP here to keep them. The page says so.
#
#   write_page     into $STATE/www
#   make_api_key   WORDSOCKET_API_KEY, from the dashboard, as a user would

write_page() {
    local www=$STATE/www

    mkdir "$www"
    cp "$TOP"/build/lib/relay-page/* "$www/"
    cat >"$www/secrets.js" <<END
// Made for this run of build/demo, worthless afterwards. On a real site these
// never leave the server: whoever has them can publish and mint tokens.
export const siteKey = '$SITE_KEY';
export const publishSecret = '$PUBLISH_SECRET';
export const tokenSecret = '$JWT_SECRET';
END
}

# The password goes by a file that only we can read, not by a command line.
make_api_key() {
    local url=$WORDSOCKET_URL/dashboard conf=$STATE/tmp/curl guard

    install -m 600 /dev/null "$conf"
    printf 'user = "%s:%s"\n' "$DASHBOARD_USER" "$DASHBOARD_PASSWORD" >"$conf"
    guard=$(curl -fsS -K "$conf" "$url" |
        sed -n 's/.*name="guard" value="\([0-9a-f]*\)".*/\1/p' | head -n 1)
    WORDSOCKET_API_KEY=$(curl -fsS -K "$conf" -d action=key -d guard="$guard" \
        "$url" | sed -n 's/.*id="api-key">\([0-9a-f]*\)<.*/\1/p')
    rm -f "$conf"
    [[ $WORDSOCKET_API_KEY ]] ||
        die "the dashboard gave no API key (log: $STATE/log/httpd-error.log)"
}
