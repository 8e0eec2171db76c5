# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Unpacked WordPress cores, one folder for each version, shared by everything
# that tests on one. Nobody writes into them: a site's wp-content, database and
# configuration are its own.
#
#   core_versions          the versions there are, the newest first
#   need_core VERSION      makes sure that version is there; sets CORE
#   need_sqlite            the same for the SQLite drop-in; sets SQLITE_DROP_IN
#   need_wp_cli            the same for wp-cli; sets WP_CLI
#
# Both packages are archives with WordPress inside: they are fetched by npm,
# checked by their SHA-512, and nothing of them is installed or run.

# shellcheck source=build/lib/wordpress.sh
. "$(dirname "${BASH_SOURCE[0]}")/wordpress.sh"

BUILDS=@wp-playground/wordpress-builds@0.9.19
BUILDS_TGZ=wp-playground-wordpress-builds-0.9.19.tgz
BUILDS_SHA512=dlqvh/MJDpE5W68vgPPKUjpip6zMuBh59L3D18ZX+pdwurC4q4ydrTww/3sTMV69BBcoH6kF93YtAtujNC5Mpw==
CORES=$CACHE/cores
NEWEST_CORE=7.1
OLDEST_CORE=6.4

core_versions() {
    echo "$NEWEST_CORE 6.5 $OLDEST_CORE"
}

need_core() {
    CORE=$CORES/wordpress-$1
    [[ -e $CORE/wp-settings.php ]] && return
    case $1 in
    "$NEWEST_CORE")
        need_wordpress
        once "$CORE" core_of_studio
        ;;
    6.5 | "$OLDEST_CORE")
        need_archive "$BUILDS" "$BUILDS_TGZ" "$BUILDS_SHA512"
        once "$CORE" core_of_builds "$1"
        ;;
    *) die "no WordPress $1 here; there are: $(core_versions)" ;;
    esac
}

need_sqlite() {
    SQLITE_DROP_IN=$CORES/sqlite-database-integration
    [[ -e $SQLITE_DROP_IN/db.copy ]] && return
    need_wordpress
    once "$SQLITE_DROP_IN" of_studio sqlite-database-integration 4
}

need_wp_cli() {
    WP_CLI=$CORES/wp-cli/wp-cli.phar
    [[ -e $WP_CLI ]] && return
    need_wordpress
    once "$CORES/wp-cli" of_studio wp-cli 4
}

# once FOLDER COMMAND...: COMMAND fills an empty folder named by its last
# argument, which becomes FOLDER at once and whole; another may do the same.
once() {
    local folder=$1 fresh
    shift

    mkdir -p "$CORES"
    fresh=$(mktemp -d "$CORES/fresh-XXXXXX")
    "$@" "$fresh" || die "cannot unpack $(basename "$folder") (in $CORES)"
    chmod 755 "$fresh"
    mv -T "$fresh" "$folder" 2>/dev/null || rm -rf "$fresh"
}

core_of_studio() {
    of_studio latest/wordpress 5 "$1"
}

# of_studio PATH DEPTH FOLDER
of_studio() {
    tar xzf "$CACHE/$STUDIO_TGZ" --no-same-owner --strip-components=$(($2 + 1)) \
        -C "$3" "package/dist/cli/wp-files/$1"
}

# The PHP of a version is a zip of its own; scripts and styles lie beside it.
core_of_builds() {
    local part

    part=$(mktemp -d "$CORES/fresh-XXXXXX")
    tar xzf "$CACHE/$BUILDS_TGZ" --no-same-owner -C "$part" \
        "package/src/wordpress/wp-$1.zip" "package/public/wp-$1" &&
        cp -r "$part/package/public/wp-$1/." "$2" &&
        unzip -qo "$part/package/src/wordpress/wp-$1.zip" -d "$2"
    local rc=$?
    rm -rf "$part"
    return $rc
}
