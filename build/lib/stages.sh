# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The stages of build/check. A stage is a function stage_NAME; what it tests
# goes through tap (TAP files) or expect (a command that should work), which
# write "passed failed skipped" to $results. A stage that wrote nothing or a
# zero has failed: it tested nothing.

stage_about() {
    case $1 in
    build) echo "bootstrap, configure, make with -Werror, by gcc and clang" ;;
    unit) echo "C unit tests, bare" ;;
    guard) echo "layers, exports, lengths, words, manual, vectors" ;;
    fuzz) echo "corpora replayed; some seconds of libFuzzer for each target" ;;
    sanitize) echo "unit tests, corpora and module under ASan and UBSan" ;;
    httpd) echo "t/*.t against httpd, as an unprivileged user" ;;
    root) echo "t/root/*.t: what only a httpd started by root does" ;;
    client) echo "the TypeScript client, and the screen in wp-admin" ;;
    php) echo "the WordPress plugin, without WordPress" ;;
    wordpress) echo "the plugin on the newest WordPress and on 6.4" ;;
    demo) echo "build/demo, WordPress and a browser: t/browser; build/bench" ;;
    dist) echo "make distcheck: the tarball builds and tests itself" ;;
    valgrind) echo "a bit of everything under memcheck; long: unit tests too" ;;
    tsan) echo "a bit of everything under TSan; long: more of t/*.t" ;;
    esac
}

run_stage() {
    local stage=$1 begun=$SECONDS passed=0 skipped=0 p f s

    results=$OUT/$stage.results
    logs=$OUT/$stage
    stage_failed=0
    mkdir -p "$logs"
    : >"$results"
    say "$stage: $(stage_about "$stage")"
    "stage_$stage"
    while read -r p f s; do
        ((passed += p, stage_failed += f, skipped += s)) || :
    done <"$results"
    if ((passed + stage_failed + skipped == 0)); then
        say "$stage tested nothing"
        stage_failed=1
    fi
    printf '%-10s %7d %7d %7d %8d\n' "$stage" "$passed" "$stage_failed" \
        "$skipped" $((SECONDS - begun)) >>"$OUT/summary"
    ((total_passed += passed, total_failed += stage_failed)) || :
    ((total_skipped += skipped)) || :
}

# tap [--option value]... TEST...: run TAP tests; never fails itself.
tap() {
    build/lib/run-tap --results "$results" --logs "$logs" "$@" || :
}

# expect TEXT COMMAND...: one check, passed if COMMAND succeeds. Its output is
# kept in a log and its end shown if it failed.
expect() {
    local text=$1 rc=0 begun=$SECONDS log pulse
    shift

    log=$logs/$(tr -c 'A-Za-z0-9\n' - <<<"$text").log
    heartbeat "$text" &
    pulse=$!
    "$@" >"$log" 2>&1 </dev/null || rc=$?
    kill "$pulse" 2>/dev/null
    wait "$pulse" 2>/dev/null || :
    if ((rc == 0)); then
        echo "  $text  ok  $((SECONDS - begun)) s"
        echo "1 0 0" >>"$results"
    else
        echo "  $text  FAILED (exit status $rc), see $log"
        tail -n 15 "$log" | sed 's/^/    /'
        echo "0 1 0" >>"$results"
    fi
    return 0
}

# What the last expect said.
passed_so_far() {
    ! grep -q ' [1-9][0-9]* [0-9]*$' "$results"
}

build_jobs() {
    nproc 2>/dev/null || echo 2
}

# A copy of the sources under check-out/NAME, for a build of another kind.
copy_tree() {
    local to=$OUT/$1

    rm -rf "$to"
    make -s distdir distdir="check-out/$1" >>"$LOG" 2>&1
}

stage_build() {
    rm -f .libs/mod_wordsocket.so mod_wordsocket.la
    expect "bootstrap" build/bootstrap
    expect "configure" ./configure --enable-werror
    expect "gcc builds without a warning" make -j"$(build_jobs)" all
    passed_so_far || return 0
    expect "the test programs build" make -j"$(build_jobs)" check-programs
    expect "clang builds without a warning" build_with_clang
}

build_with_clang() (
    set -e
    copy_tree clang
    cd "$OUT/clang"
    ./configure --enable-werror CC=clang
    make -j"$(build_jobs)" all check-programs
)

# For a stage that is run alone: what stage build leaves behind.
need_build() {
    if [[ -e Makefile ]]; then
        build/tools/list-files # make does the rest where a file is new
    else
        expect "bootstrap and configure" \
            sh -c 'build/bootstrap && ./configure --enable-werror'
    fi
    expect "module, test programs and load client build" \
        make -j"$(build_jobs)" all check-programs t/load/swarm
}

stage_unit() {
    local programs

    need_build
    mapfile -t programs < <(list_of unit_programs)
    tap --timeout 60 --jobs 2 "${programs[@]}"
}

# The words of a variable in build/aux/files.am.
list_of() {
    awk -v name="$1" '
        $1 == name && $2 == "=" { on = 1; $1 = $2 = "" }
        on { for (i = 1; i <= NF; i++) if ($i != "\\") print $i }
        on && !/\\$/ { on = 0 }' build/aux/files.am | grep .
}

stage_guard() {
    local guards=(t/guard/*.t)

    need_build
    # make hands over what was built where and how.
    make -s guard-environment >"$OUT/environment"
    # shellcheck source=/dev/null
    (. "$OUT/environment" && tap --timeout 120 --jobs 2 "${guards[@]}")
}

stage_fuzz() {
    local targets=(t/fuzz/*.c) seconds=6

    need_build
    [[ $WSK_LONG ]] && seconds=60
    tap --timeout 60 --jobs 2 --exec "sh t/lib/replay" "${targets[@]}"
    expect "the rooms build for libFuzzer" \
        sh build/lib/fuzz-smoke rooms "$OUT/fuzz/found"
    logs=$OUT/fuzz/smoke
    mkdir -p "$logs"
    tap --timeout $((seconds + 60)) --jobs 2 \
        --exec "sh build/lib/fuzz-smoke $seconds $OUT/fuzz/found" \
        "${targets[@]}"
}

stage_sanitize() {
    local programs

    need_build
    expect "the sanitized build" build_sanitized
    passed_so_far || return 0
    mapfile -t programs < <(list_of unit_programs)
    (
        export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
        export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
        cd "$OUT/asan"
        tap --timeout 120 --jobs 2 "${programs[@]}"
        logs=$logs/replay
        mkdir -p "$logs"
        tap --timeout 120 --jobs 2 --exec "sh t/lib/replay" t/fuzz/*.c
    )
    httpd_suite asan 't/0*.t' 't/[1-4]*.t' 't/6*.t' 't/9*.t'
}

build_sanitized() (
    set -e
    copy_tree asan
    cd "$OUT/asan"
    ./configure --enable-werror --enable-asan --enable-ubsan CFLAGS='-g -O1'
    make -j"$(build_jobs)" all check-programs
)

# httpd_suite KIND PATTERN...: the tests whose names match, through
# Apache::Test; KIND is plain or valgrind, or the kind of build under check-out/
# whose module is to be tested. A suite that counted nothing has failed.
httpd_suite() {
    local kind=$1 top=$PWD lines
    shift

    lines=$(wc -l <"$results")
    if [[ $kind == asan || $kind == tsan ]]; then
        top=$OUT/$kind
        cp t/load/swarm "$top/t/load/"
    fi
    (
        export WSK_RESULTS=$results WSK_LOGS=$logs/httpd
        [[ $kind == plain ]] || export WSK_TIMEOUT=400
        [[ $kind == plain || $kind == asan ]] && export WSK_JOBS=2
        mkdir -p "$WSK_LOGS"
        cd "$top"
        shopt -s nullglob
        # shellcheck disable=SC2206 # patterns become names here
        tests=($*)
        if ((${#tests[@]} == 0)); then
            say "no test is named $*"
            exit 1
        fi
        WSK_KIND=$kind perl t/TEST "${tests[@]}"
    ) || :
    (($(wc -l <"$results") > lines)) || echo "0 1 0" >>"$results"
}

stage_httpd() {
    need_build
    httpd_suite plain 't/*.t'
}

stage_root() {
    need_build
    tap --timeout 180 --exec "$( ((EUID)) && echo 'sudo -E ')perl" t/root/*.t
}

stage_client() {
    expect "npm ci" npm_in client ci --no-audit --no-fund
    expect "types" npm_in client run check
    expect "bundle" npm_in client run build
    # After the client: its types are the client's.
    expect "wp-admin screen: npm ci" npm_in wordpress ci --no-audit --no-fund
    expect "wp-admin screen: types" npm_in wordpress run check
    expect "wp-admin screen: build" npm_in wordpress run build
    tap --timeout 120 --exec "sh build/lib/npm-tap wordpress" test
    tap --timeout 120 --exec "sh build/lib/npm-tap client" test test:browser test:package
}

npm_in() {
    local folder=$1
    shift
    (cd "$folder" && timeout 300 npm "$@")
}

stage_php() {
    tap --timeout 300 --exec php wordpress/tests/run.php
}

# build/matrix has the other versions of WordPress and PHP, and MariaDB.
stage_wordpress() {
    local run="bash wordpress/tests/phpunit/run"

    tap --timeout 300 --jobs 2 --exec "$run --wordpress" 7.1 6.4
    logs=$OUT/wordpress/extension
    mkdir -p "$logs"
    tap --timeout 300 --jobs 2 --exec "$run --extension" \
        aa-shoutbox zz-shoutbox
    logs=$OUT/wordpress/network
    mkdir -p "$logs"
    tap --timeout 300 --exec "$run --multisite --wordpress" 7.1
    expect "the plugin as it is installed" plugin_is_whole
}

# Its archive holds what runs, with texts for translators, and nothing else.
plugin_is_whole() (
    set -e
    build/plugin "$OUT"
    unzip -q -d "$OUT/plugin" "$OUT"/wordsocket-*.zip
    cd "$OUT/plugin/wordsocket"
    test -s assets/wpsignal.js -a -s assets/wpsignal-settings.js
    test "$(grep -c ^msgid languages/wordsocket.pot)" -gt 300
    test -z "$(find . -name '*.ts' -o -name '*.test.*' -o -name node_modules)"
)

stage_demo() {
    need_build # two demos at once would both begin it
    tap --timeout 600 --jobs 2 t/browser/*.t
    expect "build/bench measures" build/bench --smoke
}

stage_dist() {
    need_build
    expect "make distcheck" make -j"$(build_jobs)" distcheck
}

stage_valgrind() {
    local programs patterns=('t/9*.t')

    need_build
    if [[ $WSK_LONG ]]; then
        mapfile -t programs < <(list_of unit_programs)
        tap --timeout 600 --jobs 2 --exec "valgrind -q --error-exitcode=99
            --leak-check=full --errors-for-leak-kinds=definite" \
            "${programs[@]}"
        patterns+=('t/1*.t')
    fi
    httpd_suite valgrind "${patterns[@]}"
}

stage_tsan() {
    local patterns=('t/9*.t' 't/140-*.t')

    need_build
    expect "the build with TSan" build_tsan
    passed_so_far || return 0
    [[ $WSK_LONG ]] && patterns+=('t/[1-4]*.t' 't/500-*.t')
    httpd_suite tsan "${patterns[@]}"
}

build_tsan() (
    set -e
    copy_tree tsan
    cd "$OUT/tsan"
    ./configure --enable-tsan CFLAGS='-g -O1'
    make -j"$(build_jobs)" all
)
