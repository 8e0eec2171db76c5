# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The page of build/demo --relay-only: static files, and the secrets of this
# run beside them, because there is no PHP here to keep them. The page says so.
#
#   write_page   into $STATE/www

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
