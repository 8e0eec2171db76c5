# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The Debian packages that the commands in build/ need, and how they get here.
#
#   need_packages PKG...  installs those that are missing, as root or by sudo
#   need_node             Node.js 20 or later with npm, from wherever it came;
#                         if there is none, one in the cache, which Debian 12's
#                         own, being 18, fetches by a lock file
#
# Nothing of the system is started or stopped: while apt runs, a policy-rc.d
# forbids it (one that is there already stays as it is), and a service that
# comes with a new package is not enabled for the next boot.

# shellcheck source=build/lib/say.sh
. "$(dirname "${BASH_SOURCE[0]}")/say.sh"

# shellcheck disable=SC2034 # the lists are for whoever sources this file
{
    # apache2-bin is all of httpd without the service that Debian makes of it.
    PKGS_BUILD=(
        apache2-bin apache2-dev apache2-ssl-dev autoconf automake gcc libc6-dev
        libjansson-dev libjwt-dev libsqlite3-dev libssl-dev libtool make
        pkg-config
    )
    PKGS_RELAY=(ca-certificates curl media-types openssl util-linux)
    PKGS_DEMO=(
        "${PKGS_RELAY[@]}" php8.2-cli php8.2-curl php8.2-fpm php8.2-gd
        php8.2-intl php8.2-mbstring php8.2-sqlite3 php8.2-xml php8.2-zip
    )
    PKGS_PHPUNIT=(
        php8.2-cli php8.2-curl php8.2-gd php8.2-intl php8.2-mbstring
        php8.2-sqlite3 php8.2-xml php8.2-zip php-codesniffer phpunit unzip
    )
    PKGS_BENCH=(ca-certificates media-types openssl perl procps util-linux)
    PKGS_MARIADB=(mariadb-client mariadb-server php8.2-mysql)
    PKGS_TEST=(
        apache2-suexec-pristine chromium clang clang-format fonts-dejavu-core
        gdb haproxy iproute2 libapache2-mod-perl2 libclang-rt-14-dev
        libio-socket-ssl-perl libmojolicious-perl nginx perl python3
        python3-prometheus-client unzip valgrind
    )
}

# Where Debian has its servers; a user's own PATH does not name these folders.
PATH=$PATH:/usr/sbin:/sbin

POLICY_RC_D=/usr/sbin/policy-rc.d

as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo "$@"
    fi
}

is_installed() {
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

# Runs apt with services forbidden to start. Called in a subshell (by step),
# so that the trap is ours alone.
apt_quietly() {
    if ! [[ -e $POLICY_RC_D ]]; then
        trap 'as_root rm -f "$POLICY_RC_D"' EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY_RC_D" >/dev/null
        as_root chmod 755 "$POLICY_RC_D"
    fi
    as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -o DPkg::Lock::Timeout=300 -q -y "$@"
}

install_packages() {
    # Old or empty package lists are the usual reason for a first failure.
    apt_quietly install --no-install-recommends "$@" && return
    apt_quietly update
    apt_quietly install --no-install-recommends "$@"
}

keep_from_booting() {
    local unit

    [[ -d /run/systemd/system ]] || return 0
    for unit in $(dpkg -L "$@" 2>/dev/null |
        sed -n 's|^/lib/systemd/system/\([^/]*\.service\)$|\1|p'); do
        as_root systemctl disable --quiet "$unit" || :
    done
}

need_packages() {
    local pkg missing=()

    command -v apt-get >/dev/null ||
        die "this needs Debian's apt-get; elsewhere install by hand: $*"
    for pkg; do
        is_installed "$pkg" || missing+=("$pkg")
    done
    ((${#missing[@]})) || return 0
    if ((EUID)) && ! command -v sudo >/dev/null; then
        die "as root first: apt-get install ${missing[*]}"
    fi
    if ((EUID)) && ! sudo -n true 2>/dev/null; then
        say "sudo is needed to install: ${missing[*]}"
        sudo -v || die "as root first: apt-get install ${missing[*]}"
    fi
    say "packages missing: ${missing[*]}"
    step "packages: installing ${#missing[@]}" \
        "Try: apt-get update && apt-get install ${missing[*]}" \
        install_packages "${missing[@]}"
    keep_from_booting "${missing[@]}"
}

NODE_LEAST=20

has_node() {
    local major

    major=$(node -p 'process.versions.node.split(".")[0]' 2>/dev/null) || major=0
    ((major >= NODE_LEAST)) && command -v npm >/dev/null
}

need_node() {
    local cache=${XDG_CACHE_HOME:-$HOME/.cache}/wordsocket from sum folder

    has_node && return
    need_packages nodejs npm
    has_node && return
    from=$(cd "$(dirname "${BASH_SOURCE[0]}")/node" && pwd)
    sum=$(sha256sum <"$from/package-lock.json" | cut -c1-16)
    folder=$cache/node-$sum
    [[ -e $folder ]] ||
        step "Node.js $NODE_LEAST: fetching (45 MB)" \
            "Try again later, or install Node.js $NODE_LEAST or later." \
            fetch_node "$from" "$folder"
    # Debian's npm does not link what an optional package brings to run.
    PATH=$(echo "$folder"/node_modules/node-linux-*/bin):$folder/node_modules/.bin:$PATH
    has_node ||
        die "Node.js $NODE_LEAST or later is needed: install it"
}

# The lock file knows the archives by their SHA-512; no script of theirs runs.
fetch_node() {
    local fresh

    mkdir -p "${2%/*}"
    fresh=$(mktemp -d "${2%/*}/fetch-XXXXXX")
    cp "$1"/package.json "$1"/package-lock.json "$fresh/"
    (cd "$fresh" && npm ci --ignore-scripts --no-audit --no-fund)
    mv -T "$fresh" "$2" || rm -rf "$fresh"
}
