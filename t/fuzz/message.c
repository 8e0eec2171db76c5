/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a browser says in whole frames, JSON or binary: it is answered with
 * JSON, others on the same loop hear JSON or a binary frame of a channel that they
 * are on, and when it has gone nothing of it is left: no connection, no count, no
 * presence, a consistent segment.
 *
 * Input: frames, each with a byte that says what it is (bit 0: binary; bits 1 and
 * 2: so many seconds pass after it) and two with its length, big-endian. What is
 * left over is the last.
 */
#include "loop_fixture.h"

#include <jansson.h>
#include <signal.h>

#define MOST 20000
#define HEAD 3

enum { BINARY = 1, SECONDS = 6 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static world_t w;
static client_t who, other;

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static int is_no_json(const char *line)
{
    return strncmp(line, "close ", 6) == 0 || strncmp(line, "pong ", 5) == 0
           || strncmp(line, "binary ", 7) == 0 || strcmp(line, "ping") == 0
           || strcmp(line, "eof") == 0 || line[0] == '\0';
}

/* Every line that is no word of the fixture's is one of ours. */
static void speaks_json(client_t *to)
{
    char *line = (char *)(uintptr_t)client_heard(&w, to);
    json_t *frame;
    char *end;

    for (; line; line = end) {
        end = strchr(line, '\n');
        if (end) {
            *end++ = '\0';
        }
        if (is_no_json(line)) {
            continue;
        }
        frame = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        must(json_is_string(json_object_get(frame, "type")), line);
        json_decref(frame);
    }
}

static void say(unsigned what, const uint8_t *bytes, size_t len)
{
    client_send(&who, what & BINARY ? WSK_OP_BINARY : WSK_OP_TEXT, bytes, len);
    world_run(&w);
    speaks_json(&who);
    speaks_json(&other);
    world_seconds(&w, (what & SECONDS) >> 1);
}

static void begin(void)
{
    wsk_loop_spec_t spec;

    signal(SIGPIPE, SIG_IGN); /* who is closed may go on to speak */
    world_make(&w);
    spec = world_loop_spec(&w);
    w.loop = wsk_loop_make(&spec);
    must(w.loop && wsk_loop_enter(w.loop, &w.now), "there is a loop");
    client_open(&w, &who, WSK_KIND_WS, 1);
    client_open(&w, &other, WSK_KIND_WS, 1);
    client_say(&w, &other,
               "{\"type\":\"subscribe\",\"channels\":[\"a\",\"room\"]}");
    speaks_json(&other);
}

static void end(void)
{
    const char *why = NULL;

    close(who.fd);
    world_run(&w);
    world_seconds(&w, 2);
    speaks_json(&other);
    close(other.fd);
    world_run(&w);
    wsk_loop_leave(w.loop);
    must(atomic_load(&w.loop->connections) == 0, "nobody is left");
    wsk_loop_dispose(w.loop);
    must(wsk_segment_check(w.seg, &why) == WSK_OK, why ? why : "");
    must(wsk_site_connections(w.seg, w.sites[1]) == 0, "nobody is counted");
    world_unmake(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t len;

    if (size > MOST) {
        return 0;
    }
    begin();
    while (size >= HEAD) {
        const uint8_t *head = data;

        data += HEAD;
        size -= HEAD;
        len = WSK_MIN(((size_t)head[1] << 8) | head[2], size);
        say(head[0], data, len);
        data += len;
        size -= len;
    }
    end();
    return 0;
}
