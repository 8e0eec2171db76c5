/* SPDX-License-Identifier: Apache-2.0 */
#include "swarm.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void die(const char *fmt, ...)
{
    va_list args;

    fputs("swarm: ", stderr);
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    exit(2);
}

void *need(void *memory)
{
    if (memory == NULL) {
        die("out of memory");
    }
    return memory;
}

uint64_t now_us(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000u + (uint64_t)ts.tv_nsec / 1000u;
}

uint64_t now_ms(void)
{
    return now_us() / 1000u;
}

static void read_tokens(options_t *opt, const char *file)
{
    FILE *in = fopen(file, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t len;

    if (in == NULL) {
        die("cannot read %s", file);
    }
    while ((len = getline(&line, &cap, in)) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (line[0] == '\0') {
            continue;
        }
        opt->tokens = need(
            realloc(opt->tokens, sizeof(char *) * (size_t)(opt->ntokens + 1)));
        opt->tokens[opt->ntokens++] = need(strdup(line));
    }
    free(line);
    fclose(in);
}

/* clang-format off */
static const struct option names[] = {
    { "port",        1, NULL, 'p' }, { "tls-port",   1, NULL, 'P' },
    { "path",        1, NULL, 'b' }, { "ws",         1, NULL, 'w' },
    { "sse",         1, NULL, 'e' }, { "wss",        1, NULL, 'W' },
    { "sses",        1, NULL, 'E' }, { "channel",    1, NULL, 'c' },
    { "channels",    1, NULL, 'C' }, { "tokens",     1, NULL, 't' },
    { "per-address", 1, NULL, 'a' }, { "burst",      1, NULL, 'B' },
    { "publish",     1, NULL, 'n' }, { "rate",       1, NULL, 'r' },
    { "lanes",       1, NULL, 'l' }, { "fresh",      0, NULL, 'f' },
    { "publish-tls", 0, NULL, 'F' }, { "key",        1, NULL, 'k' },
    { "secret",      1, NULL, 's' }, { "pad",        1, NULL, 'd' },
    { "seconds",     1, NULL, 'S' }, { "settle",     1, NULL, 'x' },
    { "wait",        0, NULL, 'q' }, { "hold",       0, NULL, 'h' },
    { "no-reconnect", 0, NULL, 'R' }, { "echo-rounds", 1, NULL, 'o' },
    { "echo-bytes",  1, NULL, 'O' }, { NULL, 0, NULL, 0 }
};
/* clang-format on */

static int number(const char *text, int least, int most)
{
    char *end;
    long value = strtol(text, &end, 10);

    if (*text == '\0' || *end != '\0' || value < least || value > most) {
        die("%s is not a number between %d and %d", text, least, most);
    }
    return (int)value;
}

/* clang-format off */
static void set(options_t *opt, int option, const char *arg)
{
    switch (option) {
    case 'p': opt->port = number(arg, 1, 65535); break;
    case 'P': opt->tls_port = number(arg, 1, 65535); break;
    case 'b': opt->path = arg; break;
    case 'w': opt->ws = number(arg, 0, SUBSCRIBERS_MAX); break;
    case 'e': opt->sse = number(arg, 0, SUBSCRIBERS_MAX); break;
    case 'W': opt->wss = number(arg, 0, SUBSCRIBERS_MAX); break;
    case 'E': opt->sses = number(arg, 0, SUBSCRIBERS_MAX); break;
    case 'c': opt->channel = arg; break;
    case 'C': opt->channels = number(arg, 1, 10000); break;
    case 't': read_tokens(opt, arg); break;
    case 'a': opt->per_address = number(arg, 1, 20000); break;
    case 'B': opt->burst = number(arg, 1, 4096); break;
    case 'n': opt->publishes = number(arg, 0, PUBLISHES_MAX); break;
    case 'r': opt->rate = number(arg, 0, 100000); break;
    case 'l': opt->lanes = number(arg, 1, 64); break;
    case 'f': opt->fresh = true; break;
    case 'F': opt->publish_tls = true; break;
    case 'k': opt->key = arg; break;
    case 's': opt->secret = arg; break;
    case 'd': opt->pad = number(arg, 0, 1 << 20); break;
    case 'S': opt->seconds = number(arg, 1, 3600); break;
    case 'x': opt->settle = number(arg, 0, 600); break;
    case 'q': opt->wait = true; break;
    case 'h': opt->hold = true; break;
    case 'R': opt->reconnect = false; break;
    case 'o': opt->echo_rounds = number(arg, 0, 100000); break;
    case 'O': opt->echo_bytes = number(arg, 1, 1 << 24); break;
    default: die("see t/load/options.c for the options");
    }
}
/* clang-format on */

void options_read(options_t *opt, int argc, char **argv)
{
    int option;

    *opt = (options_t){ .host = "127.0.0.1",
                        .path = "/wordsocket",
                        .channel = "events",
                        .channels = 1,
                        .per_address = 100,
                        .burst = 128,
                        .lanes = 1,
                        .key = "",
                        .secret = "",
                        .seconds = 60,
                        .settle = 10,
                        .reconnect = true,
                        .echo_bytes = 64 };
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        set(opt, option, optarg);
    }
    if (optind < argc) {
        die("what is %s?", argv[optind]);
    }
    if (opt->ws + opt->sse + opt->wss + opt->sses > SUBSCRIBERS_MAX) {
        die("at most %d subscribers", SUBSCRIBERS_MAX);
    }
    if (opt->ntokens == 0 && opt->echo_rounds == 0
        && opt->ws + opt->sse + opt->wss + opt->sses > 0) {
        die("--tokens FILE is needed");
    }
}
