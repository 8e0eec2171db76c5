/* SPDX-License-Identifier: Apache-2.0 */
/* That a decoder goes on where it was is shown by frame, which saves and loads
 * at every place of all it feeds; this is about the record. */
#include "proto/wsk_frame.h"

#include <stdlib.h>

#include "frame_ways.h"

#define RECORD_MAX 256

/* Decoders in every shape they can have. */
static const struct shape_t {
    const char *why;
    const char *bytes;
    size_t len;
    size_t record;
} shapes[] = {
#define SHAPE(why, bytes, record) \
    { \
        why, bytes, sizeof(bytes) - 1, record \
    }
    SHAPE("idle", "", 28),
    SHAPE("done", "\xFF", 28),
    SHAPE("one byte of a header", "\x81", 29),
    SHAPE("13 bytes of a header", "\x82\xFF\0\0\0\0\0\1\0\0mas", 41),
    SHAPE("a header without payload", "\x81\x85mask", 28),
    SHAPE("a frame cut", "\x81\x85\0\0\0\0ab", 30),
    SHAPE("a fragment", "\x01\x82\0\0\0\0ab", 30),
    SHAPE("an empty fragment", "\x01\x80\0\0\0\0", 28),
    SHAPE("a header within a message", "\x02\x82\0\0\0\0ab\x80\xFE\1", 33),
    SHAPE("a second fragment cut", "\x01\x81\0\0\0\0a\x00\x85\0\0\0\0bcd", 32),
    SHAPE("a character cut", "\x01\x81\0\0\0\0\xE2\x80\x85\0\0\0\0\x82", 30),
    SHAPE("a ping cut", "\x89\x85\0\0\0\0abc", 31),
    SHAPE("a ping without payload", "\x89\x85\0\0\0\0", 28),
    SHAPE("a ping cut in a message", "\x01\x82\0\0\0\0ab\x89\x85\0\0\0\0xyz",
          33),
};

static uint8_t record[RECORD_MAX];

static size_t shape(const struct shape_t *s)
{
    uint8_t bytes[64];
    play_t p;
    size_t need;

    memcpy(bytes, s->bytes, s->len);
    start();
    play_init(&p, &roomy, &edge);
    wsk_frame_feed(&p.in, &roomy, &play_handler, &p, bytes, s->len);
    need = wsk_frame_in_save(&p.in, record, sizeof(record));
    wsk_frame_in_clear(&p.in);
    return need;
}

/* Whether these bytes, up to the end of a page, are refused and leave nothing.
 */
static int refused(const uint8_t *bytes, size_t len)
{
    static const wsk_frame_in_t zero;
    wsk_frame_in_t in;

    memset(&in, 0xAA, sizeof(in));
    if (wsk_frame_in_load(&in, edge_put(&edge, bytes, len), len)
        != WSK_EINVAL) {
        wsk_frame_in_clear(&in);
        return 0;
    }
    return memcmp(&in, &zero, sizeof(in)) == 0;
}

static void records(void)
{
    size_t i, need, cap;
    uint8_t small[RECORD_MAX], zero[RECORD_MAX] = { 0 };
    wsk_frame_in_t in;
    int wrong;

    for (i = 0; i < WSK_COUNT_OF(shapes); i++) {
        need = shape(&shapes[i]);
        is_int((intmax_t)need, (intmax_t)shapes[i].record, "%s: the size",
               shapes[i].why);
        if (!is_int(wsk_frame_in_load(&in, record, need), WSK_OK, "%s: loads",
                    shapes[i].why)) {
            continue;
        }
        wrong = 0;
        for (cap = 0; cap < need; cap++) {
            memset(small, 0, sizeof(small));
            wrong += wsk_frame_in_save(&in, small, cap) != need
                     || memcmp(small, zero, sizeof(small)) != 0;
        }
        is_int(wrong, 0, "%s: nothing is written where it does not fit",
               shapes[i].why);
        wsk_frame_in_save(&in, small, need);
        is_mem(small, need, record, need, "%s: the same bytes", shapes[i].why);
        wsk_frame_in_clear(&in);
    }
}

/* Prefixes, what is too long, and every byte changed to every value: refused,
 * or a decoder that saves to just these bytes. */
static void broken_records(void)
{
    uint8_t changed[RECORD_MAX + 1], again[RECORD_MAX + 1];
    size_t i, need, at;
    unsigned value;
    int wrong;
    wsk_frame_in_t in;

    for (i = 0; i < WSK_COUNT_OF(shapes); i++) {
        need = shape(&shapes[i]);
        wrong = 0;
        for (at = 0; at < need; at++) {
            wrong += !refused(record, at);
        }
        wrong += !refused(record, need + 1);
        for (at = 0; at < need; at++) {
            for (value = 0; value < 256; value++) {
                memcpy(changed, record, need);
                changed[at] = (uint8_t)value;
                if (refused(changed, need)) {
                    continue;
                }
                if (wsk_frame_in_load(&in, changed, need) != WSK_OK) {
                    wrong++;
                    continue;
                }
                wrong += wsk_frame_in_save(&in, again, sizeof(again)) != need
                         || memcmp(changed, again, need) != 0;
                wsk_frame_in_clear(&in);
            }
        }
        is_int(wrong, 0, "%s: a broken record is refused or is another's",
               shapes[i].why);
    }
}

/* One number changed in a record that was sound. */
static void impossible_records(void)
{
    static const struct {
        const char *why;
        size_t shape, at;
        uint8_t value;
    } cases[] = {
        { "another version", 0, 0, 2 },
        { "an unknown state", 0, 1, 3 },
        { "a decoder that is done and in a message", 1, 2, 1 },
        { "a message of a control opcode", 6, 2, 9 },
        { "a message of a reserved opcode", 6, 2, 3 },
        { "a message without a fragment", 6, 15, 0 },
        { "a fragment without a message", 0, 15, 1 },
        { "bytes held without a message", 6, 2, 0 },
        { "a last frame between frames", 6, 4, 1 },
        { "a frame's opcode between frames", 6, 3, 1 },
        { "a mask between frames", 6, 8, 1 },
        { "a place in a mask between frames", 6, 5, 1 },
        { "payload to come between frames", 6, 27, 1 },
        { "a flag that is neither", 5, 4, 2 },
        { "no payload to come within a frame", 5, 27, 0 },
        { "a place outside of the mask", 9, 5, 4 },
        { "a place in the mask that is not the payload's", 5, 5, 3 },
        { "a continuation as the first fragment", 5, 3, 0 },
        { "a text frame in a binary message", 5, 2, 2 },
        { "a second beginning", 5, 15, 2 },
        { "more to come than a message may have", 5, 20, 1 },
        { "a ping of more than 125 bytes", 11, 27, 123 },
        { "a ping that would end a message", 11, 4, 1 },
        { "a control frame of a reserved opcode", 11, 3, 11 },
        { "a place in a ping's mask that is not its payload's", 11, 5, 0 },
        { "half a header that is wrong already", 2, 28, 0xC1 },
        { "half a header that has no place there", 2, 28, 0x80 },
        { "text that cannot be", 5, 28, 0xFF },
    };
    size_t i, need;

    for (i = 0; i < WSK_COUNT_OF(cases); i++) {
        need = shape(&shapes[cases[i].shape]);
        record[cases[i].at] = cases[i].value;
        ok(refused(record, need), "%s", cases[i].why);
    }
    need = shape(&shapes[0]);
    record[19] = 1;
    ok(refused(record, need + 1), "a byte held outside of a message");
    need = shape(&shapes[5]);
    memcpy(record + 24, "\xFF\xFF\xFF\xFD", 4);
    ok(!refused(record, need), "two bytes held and 2^32 - 3 to come");
    record[27]++;
    ok(refused(record, need), "but not one more");
    need = shape(&shapes[2]);
    memcpy(record + 28, "\x81\x80mask", 6);
    record[6] = 6;
    ok(refused(record, need + 5), "a header that is whole");
    memcpy(record + 28, "\x81\xFF", 2);
    record[6] = 14;
    ok(refused(record, need + 13), "a header longer than there are");
    memset(record, 0, sizeof(record));
    ok(refused(record, 28), "zeros");
    memset(record, 0xFF, sizeof(record));
    ok(refused(record, sizeof(record)), "ones");
}

int main(void)
{
    start();
    records();
    broken_records();
    impossible_records();
    return done_testing();
}
