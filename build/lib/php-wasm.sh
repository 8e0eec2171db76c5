# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# PHP of the versions that Debian 12 does not have, compiled to WebAssembly by
# the WordPress Playground project, from npm. The lock file pins every archive
# by its checksum; half a gigabyte goes to the cache.
#
#   need_php_wasm          makes sure it is there
#   php_wasm VERSION       the command that runs it, as one line

PHP_WASM_VERSIONS='8.1 8.3 8.4'

need_php_wasm() {
    local from=build/lib/php-wasm sum

    sum=$(cat "$from/package-lock.json" "$from/php.mjs" | sha256sum | cut -c1-16)
    PHP_WASM=$CACHE/php-wasm-$sum
    [[ -e $PHP_WASM/node_modules ]] && return
    step "PHP $PHP_WASM_VERSIONS: fetching (180 MB)" "Try again later." \
        fetch_php_wasm "$from"
}

fetch_php_wasm() {
    local fresh

    mkdir -p "$CACHE"
    fresh=$(mktemp -d "$CACHE/fetch-XXXXXX")
    cp "$1"/package.json "$1"/package-lock.json "$1"/php.mjs "$fresh/"
    (cd "$fresh" && npm ci --ignore-scripts --no-audit --no-fund)
    mv -T "$fresh" "$PHP_WASM" || rm -rf "$fresh"
}

php_wasm() {
    echo "node $PHP_WASM/php.mjs $1"
}
