/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_sse.h"

#include <stdlib.h>
#include <string.h>

#include "frame_fixture.h"
#include "sse_reader.h"
#include "tap.h"

#define NONE \
    { \
        NULL, 0 \
    }
#define TEXT(literal) \
    { \
        literal, sizeof(literal) - 1 \
    }

static edge_t edge;

/* clang-format off */
static const struct {
    const char *why;
    wsk_sse_event_t event;
    const char *want;
} cases[] = {
    { "data alone", { NONE, NONE, TEXT("hello"), -1 }, "data: hello\n\n" },
    { "all parts",
      { TEXT("0123456789ab-7"), TEXT("wps.gap"), TEXT("{}"), 1500 },
      "id: 0123456789ab-7\nevent: wps.gap\nretry: 1500\ndata: {}\n\n" },
    { "an id alone", { TEXT("ab-1"), NONE, NONE, -1 }, "id: ab-1\n\n" },
    { "a delay alone", { NONE, NONE, NONE, 0 }, "retry: 0\n\n" },
    { "the longest delay", { NONE, NONE, NONE, INT64_MAX },
      "retry: 9223372036854775807\n\n" },
    { "nothing", { NONE, NONE, NONE, INT64_MIN }, "\n" },
    { "empty data is an event", { NONE, NONE, TEXT(""), -1 }, "data: \n\n" },
    { "an empty id", { TEXT(""), NONE, NONE, -1 }, "id: \n\n" },
    { "two lines", { NONE, NONE, TEXT("a\nb"), -1 }, "data: a\ndata: b\n\n" },
    { "CR ends a line", { NONE, NONE, TEXT("a\rb"), -1 },
      "data: a\ndata: b\n\n" },
    { "CRLF is one end", { NONE, NONE, TEXT("a\r\nb"), -1 },
      "data: a\ndata: b\n\n" },
    { "LFCR is two", { NONE, NONE, TEXT("a\n\rb"), -1 },
      "data: a\ndata: \ndata: b\n\n" },
    { "an empty line does not end the event",
      { NONE, NONE, TEXT("a\n\nid: x\n\n"), -1 },
      "data: a\ndata: \ndata: id: x\ndata: \ndata: \n\n" },
    { "a line end last is kept", { NONE, NONE, TEXT("a\n"), -1 },
      "data: a\ndata: \n\n" },
    { "a CR last", { NONE, NONE, TEXT("\r"), -1 }, "data: \ndata: \n\n" },
    { "space and colons stay", { NONE, NONE, TEXT(" : x "), -1 },
      "data:  : x \n\n" },
};
/* clang-format on */

static void table(void)
{
    char out[256];
    size_t i, cap, len;
    int wrong;

    for (i = 0; i < WSK_COUNT_OF(cases); i++) {
        const wsk_sse_event_t *ev = &cases[i].event;

        memset(out, '?', sizeof(out));
        len = wsk_sse_write(out, sizeof(out), ev);
        is_mem(out, len, cases[i].want, strlen(cases[i].want), "%s",
               cases[i].why);
        is_int((intmax_t)wsk_sse_bound(ev), (intmax_t)len,
               "the bound is exact");
        wrong = out[len] != '?';
        for (cap = 0; cap < len; cap++) {
            memset(out, '?', sizeof(out));
            wrong += wsk_sse_write(out, cap, ev) != 0 || out[0] != '?';
        }
        is_int(wrong, 0, "with less nothing is written");
    }
}

/* Data of all lengths in which `place` has another byte, read from and written
 * to the end of a page. */
static void every_place(void)
{
    static const char bytes[] = "\r\n\v\x85\xFF";
    edge_t to = edge_make(1000);
    char data[70];
    size_t len, place, i, need;
    wsk_sse_event_t ev = { NONE, NONE, NONE, -1 };
    int wrong = 0;

    for (len = 1; len < sizeof(data); len++) {
        for (place = 0; place < len; place++) {
            for (i = 0; i < sizeof(bytes); i++) {
                memset(data, 'x', len);
                data[place] = bytes[i];
                ev.data.at = (char *)edge_put(&edge, data, len);
                ev.data.len = len;
                need = len + 8 + (i < 2 ? 6 : 0);
                wrong += wsk_sse_bound(&ev) != need;
                wrong += wsk_sse_write((char *)to.end - need, need, &ev)
                         != need;
            }
        }
    }
    is_int(wrong, 0, "line ends are found at every place, and nothing else");
    edge_free(&to);
}

/* Whatever the data, a browser gets one event with it. */
static void what_a_browser_sees(void)
{
    static seen_t seen;
    static char out[8192], want[64];
    static const char letters[] = "\r\n\r\n: dat\0\xC3";
    char data[64];
    wsk_sse_event_t ev = { TEXT("ab-9"), TEXT("gap"), { data, 0 }, 77 };
    uint32_t dice = 12345;
    size_t len, i, round, want_len;
    int wrong = 0;

    for (round = 0; round < 20000; round++) {
        len = round % sizeof(data);
        for (i = 0; i < len; i++) {
            dice = dice * 1664525u + 1013904223u;
            data[i] = letters[(dice >> 16) % (sizeof(letters) - 1)];
        }
        ev.data.len = len;
        seen.next_len = seen.events = seen.unknown = 0;
        len = wsk_sse_write(out, sizeof(out), &ev);
        wrong += seen_read(&seen, out, len) != 0;
        want_len = seen_normal(want, data, ev.data.len);
        wrong += seen.events != 1 || seen.unknown != 0
                 || seen.data_len != want_len
                 || memcmp(seen.data, want, want_len) != 0
                 || seen.retry_ms != 77 || seen.id_len != 4
                 || memcmp(seen.id, "ab-9", 4) != 0 || seen.type_len != 3;
    }
    is_int(wrong, 0, "a browser sees one event, its data and no other field");
}

static void lengths_no_memory_has(void)
{
    wsk_sse_event_t ev = { NONE, NONE, { "x", SIZE_MAX / 8 }, -1 };
    char out[16];

    is_int(wsk_sse_bound(&ev) == SIZE_MAX, 1, "too much data for a size");
    is_int((intmax_t)wsk_sse_write(out, sizeof(out), &ev), 0, "is not written");
    ev.data.len = 1;
    ev.id = (wsk_slice_t){ "x", SIZE_MAX };
    ok(wsk_sse_bound(&ev) == SIZE_MAX, "nor so long an id");
    ev.event = ev.id;
    ev.id.len = 1;
    ok(wsk_sse_bound(&ev) == SIZE_MAX, "nor so long a name");
}

int main(void)
{
    edge = edge_make(1000);
    table();
    every_place();
    what_a_browser_sees();
    lengths_no_memory_has();
    edge_free(&edge);
    return done_testing();
}
