/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tap -- the Test Anything Protocol for our unit tests, in one header.
 *
 * Promise   Every check prints one line, passed or not, and goes on; the plan
 *           is printed last, so a test that dies in the middle has none and
 *           prove calls that a failure. Nothing is allocated.
 * Owner     The counters are static: one program, one count.
 * Threads   The main thread only.
 * Errors    A check returns whether it passed; done_testing() returns the
 *           exit status: 0 only if something was checked and all of it passed.
 * Not here  Fixtures: t/unit/<noun>_fixture.h.
 */
#ifndef WSK_TAP_H
#define WSK_TAP_H

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#if defined(__GNUC__)
#define TAP_PRINTF(fmt, first) \
    __attribute__((unused, format(printf, fmt, first)))
#define TAP_UNUSED __attribute__((unused))
#else
#define TAP_PRINTF(fmt, first)
#define TAP_UNUSED
#endif

static int tap_run;
static int tap_failed;

/** A description may not break the line nor look like a directive. */
TAP_PRINTF(1, 0) static void tap_describe(const char *fmt, va_list args)
{
    char text[1024];
    const char *c;

    vsnprintf(text, sizeof(text), fmt, args);
    for (c = text; *c != '\0'; c++) {
        if (*c == '#') {
            putchar('\\');
        }
        putchar(*c == '\n' || *c == '\r' ? ' ' : *c);
    }
    putchar('\n');
}

TAP_PRINTF(2, 0)
static int tap_report(int passed, const char *fmt, va_list args)
{
    tap_run++;
    tap_failed += !passed;
    printf("%s %d - ", passed ? "ok" : "not ok", tap_run);
    tap_describe(fmt, args);
    fflush(stdout);
    return passed;
}

/** Print a comment; never counted. */
TAP_PRINTF(1, 2) static void note(const char *fmt, ...)
{
    va_list args;

    printf("# ");
    va_start(args, fmt);
    tap_describe(fmt, args);
    va_end(args);
    fflush(stdout);
}

/** Show bytes as text between quotes, escaped, cut where it gets long. */
TAP_UNUSED static void tap_show(const char *label, const char *bytes,
                                size_t len)
{
    size_t i;

    printf("#   %s ", label);
    if (bytes == NULL) {
        printf("NULL\n");
        return;
    }
    putchar('"');
    for (i = 0; i < len && i < 200; i++) {
        const unsigned char c = (unsigned char)bytes[i];

        if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\') {
            printf("\\x%02x", c);
        }
        else {
            putchar(c);
        }
    }
    printf("\"%s (%lu bytes)\n", i < len ? "..." : "", (unsigned long)len);
}

/** Passes if `cond` is true. */
TAP_PRINTF(2, 3) static int ok(int cond, const char *fmt, ...)
{
    va_list args;
    int passed;

    va_start(args, fmt);
    passed = tap_report(cond != 0, fmt, args);
    va_end(args);
    return passed;
}

/** Passes if both numbers are equal. */
TAP_PRINTF(3, 4)
static int is_int(intmax_t got, intmax_t want, const char *fmt, ...)
{
    va_list args;
    int passed;

    va_start(args, fmt);
    passed = tap_report(got == want, fmt, args);
    va_end(args);
    if (!passed) {
        printf("#   got  %" PRIdMAX "\n#   want %" PRIdMAX "\n", got, want);
    }
    return passed;
}

/** Passes if both texts are equal, or both are NULL. */
TAP_PRINTF(3, 4)
static int is_str(const char *got, const char *want, const char *fmt, ...)
{
    va_list args;
    int passed;

    va_start(args, fmt);
    passed = tap_report(
        got == want || (got != NULL && want != NULL && strcmp(got, want) == 0),
        fmt, args);
    va_end(args);
    if (!passed) {
        tap_show("got ", got, got != NULL ? strlen(got) : 0);
        tap_show("want", want, want != NULL ? strlen(want) : 0);
    }
    return passed;
}

/** Passes if both are the same bytes; lengths first. */
TAP_PRINTF(5, 6)
static int is_mem(const void *got, size_t got_len, const void *want,
                  size_t want_len, const char *fmt, ...)
{
    va_list args;
    int passed;

    va_start(args, fmt);
    passed = tap_report(
        got_len == want_len
            && (want_len == 0 || memcmp(got, want, want_len) == 0),
        fmt, args);
    va_end(args);
    if (!passed) {
        tap_show("got ", got, got_len);
        tap_show("want", want, want_len);
    }
    return passed;
}

/** Count a check as skipped, saying what is missed. */
TAP_UNUSED static void skip(const char *why)
{
    tap_run++;
    printf("ok %d # SKIP %s\n", tap_run, why);
    fflush(stdout);
}

/** Print the plan. @return the exit status of the program */
TAP_UNUSED static int done_testing(void)
{
    printf("1..%d\n", tap_run);
    if (tap_failed > 0) {
        printf("# %d of %d failed\n", tap_failed, tap_run);
    }
    fflush(stdout);
    return tap_run == 0 || tap_failed > 0;
}

#endif
