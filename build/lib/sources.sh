# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Builds what the sources have made stale.
#
#   need_module   .libs/mod_wordsocket.so
#   need_screen   wordpress/assets/wpsignal-settings.js, and what belongs to it
#   need_bundle   client/dist/wpsignal.js, and wpsignal-*.js beside it
#
# They are called in the top of the source tree.

MODULE=.libs/mod_wordsocket.so
BUNDLE=client/dist/wpsignal.js
SCREEN=wordpress/assets/wpsignal-settings.asset.php

# stale TARGET SOURCE...: TARGET is missing, or a SOURCE is newer.
stale() {
    local target=$1
    shift

    ! [[ -e $target ]] || [[ $(find "$@" -type f -newer "$target" -print -quit) ]]
}

make_module() {
    if [[ -f Makefile ]]; then
        # The tree is the list of sources; make notices when it changed.
        sh build/tools/list-files
    else
        build/bootstrap
        ./configure
    fi
    make -j2
    touch "$MODULE"
}

need_module() {
    if stale "$MODULE" mod_wordsocket.c src configure.ac Makefile.am; then
        step "module: building" \
            "Look for the first error in the log; build/bootstrap starts over." \
            make_module
    fi
}

# npm_build FOLDER: installs what its lock file names, and builds.
npm_build() {
    cd "$1"
    if stale node_modules/.package-lock.json package-lock.json; then
        npm ci --no-audit --no-fund
    fi
    npm run build
}

make_bundle() {
    npm_build client
    touch dist/wpsignal.js
}

make_screen() {
    npm_build wordpress
}

need_bundle() {
    if stale "$BUNDLE" client/src client/build.mjs client/package-lock.json; then
        step "client: building" \
            "If npm could not fetch its packages, try again later." \
            make_bundle
    fi
}

need_screen() {
    if stale "$SCREEN" wordpress/src wordpress/build.mjs wordpress/package-lock.json; then
        step "wp-admin screen: building" \
            "If npm could not fetch its packages, try again later." \
            make_screen
    fi
}
