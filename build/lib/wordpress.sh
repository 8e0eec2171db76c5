# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A real WordPress on SQLite and PHP-FPM, with the plugin active and connected.
#
#   need_wordpress     the tarball, checked, in the cache
#   unpack_wordpress   into $STATE/wordpress; closed to the web until set up
#   start_fpm          a master and a pool of its own, on a socket
#   set_up_wordpress   installed at $WORDPRESS_URL, with a post, open to the web
#
# wp-studio is an npm package that carries WordPress, wp-cli and the SQLite
# drop-in in its tarball; nothing of the package itself is installed or run.

STUDIO=wp-studio@1.22.0
STUDIO_TGZ=wp-studio-1.22.0.tgz
STUDIO_SHA512=boMtahkhgWDKKyNTBA1uTK5ghnAmxXhDY6KeQCO9FmcI3/o+YOSq8JwYW5ZYnxHCxH14Jf/mD6CJTBvTWl2Ytw==
CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/wordsocket
WORDPRESS_ADMIN='admin'
PHP_FPM=php-fpm8.2
PHP=php8.2

# need_archive PACKAGE FILE SHA512: in the cache, checked.
need_archive() {
    is_archive "$CACHE/$2" "$3" ||
        step "WordPress: fetching $1" \
            "Try again later, or copy $2 to $CACHE. build/demo --relay-only does without WordPress." fetch_archive "$@"
}

is_archive() {
    [[ -e $1 && $(openssl dgst -sha512 -binary "$1" | base64 -w0) == "$2" ]]
}

fetch_archive() {
    local fresh

    mkdir -p "$CACHE"
    fresh=$(mktemp -d "$CACHE/fetch-XXXXXX")
    # shellcheck disable=SC2064 # the folder is known now
    trap "rm -rf '$fresh'" EXIT
    (cd "$fresh" && npm pack --silent "$1")
    is_archive "$fresh/$2" "$3" || {
        echo "the archive is not the one we know: its SHA-512 differs"
        return 1
    }
    mv "$fresh/$2" "$CACHE/"
}

need_wordpress() {
    need_archive "$STUDIO" "$STUDIO_TGZ" "$STUDIO_SHA512"
}

unpack_wordpress() {
    local files=package/dist/cli/wp-files root=$STATE/wordpress
    local plugins=$root/wp-content/plugins

    mkdir "$STATE/php"
    if ((EUID == 0)); then
        chown "$CHILD_USER:" "$STATE/php"
    fi
    cd "$STATE"
    as_child tar xz -C php --strip-components=4 "$files/wp-cli/wp-cli.phar" \
        "$files/latest/wordpress" "$files/sqlite-database-integration" \
        <"$CACHE/$STUDIO_TGZ"
    mv php/latest/wordpress wordpress
    mv php/sqlite-database-integration "$plugins/"
    mv php/wp-cli/wp-cli.phar php/
    sed -e "s#{SQLITE_IMPLEMENTATION_FOLDER_PATH}#$plugins/sqlite-database-integration#" \
        -e 's#{SQLITE_PLUGIN}#sqlite-database-integration/load.php#' \
        "$plugins/sqlite-database-integration/db.copy" |
        put "$root/wp-content/db.php"
    printf 'RewriteEngine On\nRewriteRule ^ - [R=503]\n' | put "$root/.htaccess"
    put_plugin "$plugins/wordsocket"
    put_live_page "$root/wp-content/mu-plugins"
}

# Writes standard input to a file that the serving user owns.
put() {
    as_child sh -c 'cat >"$1"' - "$1"
}

# Not in the plugin that is installed: what builds and tests it.
PLUGIN_LEAVES_OUT=(.gitignore .npmrc .test-build README.md build.mjs node_modules package.json
    package-lock.json src test test.mjs tests tsconfig.json)

put_plugin() {
    local file

    as_child mkdir -p "$1"
    tar c -C "$TOP/wordpress" "${PLUGIN_LEAVES_OUT[@]/#/--exclude=./}" . |
        as_child tar x --no-same-owner -C "$1"
    as_child mkdir -p "$1/assets"
    for file in "$TOP/${BUNDLE%.js}"*.js; do
        put "$1/assets/${file##*/}" <"$file"
    done
}

put_live_page() {
    local file

    as_child mkdir -p "$1"
    for file in wordsocket-demo.php wordsocket-demo.js wordsocket-demo.css; do
        put "$1/$file" <"$TOP/build/lib/live/$file"
    done
}

start_fpm() {
    local log=$STATE/log/php-fpm.log

    {
        cat <<END
[global]
pid = $STATE/run/fpm.pid
error_log = $log
daemonize = yes
[$(pool_name)]
listen = $STATE/run/fpm.sock
pm = dynamic
pm.max_children = 8
pm.start_servers = 2
pm.min_spare_servers = 1
pm.max_spare_servers = 4
catch_workers_output = yes
php_admin_value[memory_limit] = 256M
php_admin_value[error_log] = $STATE/log/php.log
php_admin_flag[log_errors] = on
END
        if ((EUID == 0)); then
            printf '%s = %s\n' user "$CHILD_USER" group "$(id -gn "$CHILD_USER")" \
                listen.owner "$CHILD_USER" listen.group "$(id -gn "$CHILD_USER")"
        fi
    } >"$STATE/fpm.conf"
    touch "$STATE/log/php.log"
    if ((EUID == 0)); then
        chown "$CHILD_USER:" "$STATE/log/php.log"
    fi
    say "php-fpm: starting"
    "$PHP_FPM" --fpm-config "$STATE/fpm.conf" >>"$LOG" 2>&1 ||
        die "php-fpm does not start: $(tail -n 1 "$LOG") (log: $LOG)"
}

# wp-cli in the demo's WordPress, as the user that serves it.
wp() {
    cd "$STATE"
    as_child "$PHP" -d memory_limit=512M "$STATE/php/wp-cli.phar" \
        --path="$STATE/wordpress" "$@"
}

php_text() {
    printf "'%s'" "$(sed "s/[\\\\']/\\\\&/g" <<<"$1")"
}

write_wp_config() {
    local name

    echo '<?php'
    while read -r name value; do
        printf 'define( %s, %s );\n' "$(php_text "$name")" "$(php_text "$value")"
    done <<END
DB_NAME demo
DB_USER demo
DB_PASSWORD demo
DB_HOST localhost
DB_CHARSET utf8mb4
DB_COLLATE
WP_HOME $WORDPRESS_URL
WP_SITEURL $WORDPRESS_URL
WP_ENVIRONMENT_TYPE local
WP_DEBUG_LOG $STATE/log/php.log
END
    for name in {AUTH,SECURE_AUTH,LOGGED_IN,NONCE}_{KEY,SALT}; do
        printf "define( '%s', '%s' );\n" "$name" "$(random_hex 32)"
    done
    cat <<'END'
// The demo asks nobody on the Internet for anything.
define( 'WP_HTTP_BLOCK_EXTERNAL', true );
define( 'AUTOMATIC_UPDATER_DISABLED', true );
define( 'DISABLE_WP_CRON', true );
define( 'WP_DEBUG', true );
define( 'WP_DEBUG_DISPLAY', false );
$table_prefix = 'wp_';
defined( 'ABSPATH' ) || define( 'ABSPATH', __DIR__ . '/' );
require_once ABSPATH . 'wp-settings.php';
END
}

install_wordpress() {
    write_wp_config | put "$STATE/wordpress/wp-config.php"
    chmod 640 "$STATE/wordpress/wp-config.php"
    wp core install --url="$WORDPRESS_URL" --title='WordSocket demo' \
        --admin_user="$WORDPRESS_ADMIN" --admin_email=admin@example.test \
        --skip-email --prompt=admin_password <<<"$WORDPRESS_PASSWORD"
    wp eval-file - <"$TOP/build/lib/live/set-up.php"
}

# The one click, as the administrator's browser does it.
connect_wordpress() {
    local jar=$STATE/tmp/cookies page nonce

    install -m 600 /dev/null "$jar"
    browse() {
        curl -fsS --max-time 20 -b "$jar" -c "$jar" "$@"
    }
    browse -o /dev/null "$WORDPRESS_URL/wp-login.php"
    browse -o /dev/null --data-urlencode "log=$WORDPRESS_ADMIN" \
        --data-urlencode "pwd@-" -d testcookie=1 \
        "$WORDPRESS_URL/wp-login.php" <<<"$WORDPRESS_PASSWORD"
    page=$(browse "$WORDPRESS_URL/wp-admin/admin.php?page=wordsocket")
    nonce=$(sed -n 's/.*wordsocket-connect-data">.*"nonce":"\([0-9a-f]*\)".*/\1/p' <<<"$page")
    browse -X POST -H "X-WP-Nonce: $nonce" -H "X-WordSocket-Home: $WORDPRESS_URL" \
        "$WORDPRESS_URL/wp-json/wpsignal/v1/enroll"
    rm "$jar"
    install -m 600 /dev/null "$SITE_FILE"
    printf '{\n  "site_key": "%s",\n  "publish_secret": "%s",\n  "jwt_secret": "%s",\n  "site_url": "%s",\n  "signature": 2\n}\n' \
        "$(connection site_key)" "$(connection publish_secret)" "$(connection jwt_secret)" \
        "$WORDPRESS_URL" >"$SITE_FILE"
}

# A member of what WordPress keeps of its connection.
connection() {
    (wp option pluck wordsocket_connection "$1")
}

set_up_wordpress() {
    step "WordPress: installing" "See the log for what PHP said." \
        install_wordpress
    step "WordPress: connecting by one click" "See the log for what it said." \
        connect_wordpress
    SITE_KEY=$(connection site_key)
}
