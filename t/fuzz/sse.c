/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the data, what is written is as long as wsk_sse_bound says, ends
 * where its memory ends, and is for a browser one event with this data, id and
 * type, and nothing else.
 *
 * Input: byte 0 says which parts there are, byte 1 the lengths of id and type,
 * byte 2 the delay; then id, type and data.
 */
#include "proto/wsk_sse.h"

#include "frame_fixture.h"
#include "sse_reader.h"

#define CHOICES 3
#define DATA_MOST 8192
#define OUT_MOST ((size_t)DATA_MOST * 7 + 1024)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static edge_t in_edge, out_edge;
static seen_t seen;

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* Cut a part off. The caller of wsk_sse promises an id and a type without line
 * ends and NUL. */
static wsk_slice_t part(char *out, const uint8_t **at, const uint8_t *end,
                        size_t len)
{
    size_t i;

    len = len < (size_t)(end - *at) ? len : (size_t)(end - *at);
    for (i = 0; i < len; i++) {
        const uint8_t c = (*at)[i];

        out[i] = c == '\r' || c == '\n' || c == '\0' ? '_' : (char)c;
    }
    *at += len;
    return (wsk_slice_t){ out, len };
}

static void same(const char *got, size_t got_len, wsk_slice_t want,
                 const char *what)
{
    if (want.at == NULL) {
        must(got_len == 0, what);
        return;
    }
    must(got_len == want.len
             && (want.len == 0 || memcmp(got, want.at, want.len) == 0),
         what);
}

static void check(const wsk_sse_event_t *ev, const char *out, size_t len)
{
    static char normal[DATA_MOST];
    size_t normal_len;

    seen_init(&seen);
    must(seen_read(&seen, out, len) == 0, "no line without an end");
    must(seen.unknown == 0, "no line that is no field");
    must(seen.events == (ev->data.at != NULL), "one event, if there is data");
    must(seen.retry_ms == (ev->retry_ms < 0 ? -1 : ev->retry_ms), "the delay");
    same(seen.id, seen.id_len, ev->id, "the id");
    same(seen.type, seen.type_len, ev->event, "the type");
    if (ev->data.at != NULL) {
        normal_len = seen_normal(normal, ev->data.at, ev->data.len);
        same(seen.data, seen.data_len, (wsk_slice_t){ normal, normal_len },
             "the data");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *at = data + CHOICES;
    const uint8_t *end = data + size;
    char id[16], type[16];
    wsk_sse_event_t ev;
    size_t need, len;

    if (out_edge.start == NULL) {
        in_edge = edge_make(DATA_MOST);
        out_edge = edge_make(OUT_MOST);
    }
    if (size < CHOICES || size > DATA_MOST) {
        return 0;
    }
    ev.id = part(id, &at, end, data[1] & 15);
    ev.event = part(type, &at, end, data[1] >> 4);
    len = (size_t)(end - at);
    ev.data = (wsk_slice_t){ (char *)edge_put(&in_edge, at, len), len };
    ev.id.at = (data[0] & 1) != 0 ? NULL : ev.id.at;
    ev.event.at = (data[0] & 2) != 0 ? NULL : ev.event.at;
    ev.data.at = (data[0] & 4) != 0 ? NULL : ev.data.at;
    ev.retry_ms = (int64_t)data[2] - 20;
    need = wsk_sse_bound(&ev);
    must(need <= OUT_MOST, "at most seven bytes for one");
    must(wsk_sse_write((char *)out_edge.end - need, need, &ev) == need,
         "as many bytes as were asked for");
    check(&ev, (char *)out_edge.end - need, need);
    must(wsk_sse_write((char *)out_edge.end - need + 1, need - 1, &ev) == 0,
         "nothing where it does not fit");
    return 0;
}
