# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The demo's own httpd: Debian's apache2 with a configuration under $STATE that
# reads nothing of /etc/apache2, bound to loopback.
#
#   write_httpd_conf DOCROOT  all but the ports
#   start_httpd               on $PORT if set, else on a free one, which it sets;
#                             with $TLS on a second one, TLS_PORT
#   HTTPD_PID                 the parent, once it runs

FIRST_PORT=8123
PORTS_TRIED=200
MODULES=(
    mpm_event authz_core authz_host dir mime setenvif filter deflate headers
    rewrite reqtimeout proxy proxy_fcgi
)
TLS_MODULES=(socache_shmcb ssl)
SERVICE_MODULES=(auth_basic authn_core authn_file authz_user)

load_modules() {
    local folder name

    folder=$(apxs -q LIBEXECDIR)
    for name; do
        # Some builds of httpd have some of these inside.
        if [[ -e $folder/mod_$name.so ]]; then
            echo "LoadModule ${name}_module $folder/mod_$name.so"
        fi
    done
}

write_httpd_conf() {
    local docroot=$1 modules=("${MODULES[@]}")

    if [[ $TLS ]]; then
        modules+=("${TLS_MODULES[@]}")
    fi
    if [[ $RELAY_ONLY ]]; then
        modules+=("${SERVICE_MODULES[@]}")
    fi
    {
        load_modules "${modules[@]}"
        if ((EUID == 0)); then
            printf 'User %s\nGroup %s\n' "$CHILD_USER" "$(id -gn "$CHILD_USER")"
        fi
        cat <<END
ServerRoot "$STATE"
DefaultRuntimeDir "$STATE/run"
PidFile "$STATE/run/httpd.pid"
ServerName 127.0.0.1
Include "$STATE/ports.conf"

StartServers 2
ThreadsPerChild 16
MinSpareThreads 16
MaxSpareThreads 64
MaxRequestWorkers 96
RequestReadTimeout header=20-40,minrate=500 body=20,minrate=500

TypesConfig /etc/mime.types
ErrorLog "$STATE/log/httpd-error.log"
LogLevel warn wordsocket:info
LogFormat "%h %t \"%r\" %>s %O %Dus" demo
CustomLog "$STATE/log/httpd-access.log" demo

DocumentRoot "$docroot"
DirectoryIndex index.php index.html
<Directory />
    Require all denied
    AllowOverride None
</Directory>
<Directory "$docroot">
    Require all granted
    AllowOverride All
    Options FollowSymLinks
</Directory>
<FilesMatch "\.php$">
    SetHandler "proxy:unix:$STATE/run/fpm.sock|fcgi://localhost"
</FilesMatch>

Include "$STATE/wordsocket.conf"
END
        if [[ $TLS ]]; then
            write_tls_vhost
        fi
    } >"$STATE/httpd.conf"
    {
        write_wordsocket_conf
        [[ ! $RELAY_ONLY ]] || write_service_conf
    } >"$STATE/wordsocket.conf"
}

write_wordsocket_conf() {
    cat <<END
LoadModule wordsocket_module "$TOP/$MODULE"
WordSocket On
$(who_is_served)
WordSocketEcho On
<Location /wordsocket-status>
    SetHandler wordsocket-status
    Require local
    # Else WordPress's .htaccess takes the page over.
    RewriteEngine Off
</Location>
END
}

# A WordPress is connected by a click; a page without PHP has a site file.
who_is_served() {
    if [[ $RELAY_ONLY ]]; then
        echo "WordSocketSiteFile \"$SITE_FILE\""
    else
        echo "WordSocketHostKey \"$STATE/host/key\""
    fi
}

# Service mode belongs to a virtual host. Its users are httpd's own.
write_service_conf() {
    mkdir -p "$STATE/registry"
    install -m 600 /dev/null "$STATE/users"
    ((EUID)) || chown "$CHILD_USER" "$STATE/users"
    printf '%s:%s\n' "$DASHBOARD_USER" \
        "$(openssl passwd -apr1 -stdin <<<"$DASHBOARD_PASSWORD")" >"$STATE/users"
    echo "<VirtualHost 127.0.0.1:\${PORT}>"
    service_lines
    echo "</VirtualHost>"
}

service_lines() {
    cat <<END
    WordSocketRegistry "$STATE/registry/sites"
    <Location /wordsocket/dashboard>
        AuthType Basic
        AuthName "WordSocket"
        AuthUserFile "$STATE/users"
        Require valid-user
    </Location>
END
}

# The relay alone, by TLS: WordPress has one address, and that is the other. With
# --relay-only the dashboard is there, too.
write_tls_vhost() {
    local tls=$STATE/tls

    mkdir -p "$tls" "$STATE/empty"
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
        -days 30 -subj /CN=localhost -keyout "$tls/key.pem" \
        -addext subjectAltName=IP:127.0.0.1,DNS:localhost \
        -addext basicConstraints=critical,CA:FALSE \
        -out "$tls/cert.pem" 2>>"$LOG"
    chmod 600 "$tls/key.pem"
    cat <<END
SSLSessionCache shmcb:$STATE/run/ssl_scache
<VirtualHost 127.0.0.1:\${TLS_PORT}>
    SSLEngine on
    SSLCertificateFile "$tls/cert.pem"
    SSLCertificateKeyFile "$tls/key.pem"
    DocumentRoot "$STATE/empty"
END
    # Two virtual hosts that name one file are one relay.
    [[ ! $RELAY_ONLY ]] || service_lines
    echo "</VirtualHost>"
}

write_ports() {
    {
        echo "Define PORT $PORT"
        echo "Listen 127.0.0.1:$PORT"
        if [[ $TLS ]]; then
            echo "Define TLS_PORT $TLS_PORT"
            echo "Listen 127.0.0.1:$TLS_PORT https"
        fi
    } >"$STATE/ports.conf"
}

is_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# The first port from $1 on that nobody listens on, and that is not $2.
free_port() {
    local port

    for ((port = $1; port < FIRST_PORT + PORTS_TRIED; port++)); do
        if [[ $port != "${2-}" ]] && ! is_taken "$port"; then
            echo "$port"
            return
        fi
    done
    die "no free port from $FIRST_PORT to $((FIRST_PORT + PORTS_TRIED))"
}

# One try; 1 if somebody took a port in the meantime.
try_httpd() {
    local said

    write_ports
    apache2 -d "$STATE" -f "$STATE/httpd.conf" -t >>"$LOG" 2>&1 ||
        die "httpd refuses its configuration: $(tail -n 3 "$LOG" | head -n 2)" \
            "(log: $LOG)"
    if said=$(apache2 -d "$STATE" -f "$STATE/httpd.conf" -k start 2>&1); then
        return 0
    fi
    printf '%s\n' "$said" >>"$LOG"
    if [[ $said == *"Permission denied"* ]]; then
        die "port $PORT is for root alone; choose one from 1024 up"
    fi
    # It cannot bind, or, where another one bound at the same moment, not listen.
    if [[ $said != *AH0007[23]* ]]; then
        die "httpd does not start: $said" \
            "(log: $STATE/log/httpd-error.log)"
    fi
    return 1
}

start_httpd() {
    local asked=$PORT next=$FIRST_PORT

    say "httpd: starting"
    while :; do
        PORT=${asked:-$(free_port "$next")}
        TLS_PORT=$([[ ! $TLS ]] || free_port "$FIRST_PORT" "$PORT")
        if try_httpd; then
            break
        fi
        if [[ $asked ]]; then
            die "port $asked is taken; leave out --port, or choose another"
        fi
        next=$((PORT + 1))
    done
    until_answers "http://127.0.0.1:$PORT/wordsocket/healthz"
    HTTPD_PID=$(<"$STATE/run/httpd.pid")
}

until_answers() {
    local tenths=100

    until curl -fsS --max-time 2 -o "$STATE/tmp/answer" "$1" 2>>"$LOG"; do
        ((tenths-- > 0)) ||
            die "$1 does not answer (log: $STATE/log/httpd-error.log)"
        sleep 0.1
    done
}
