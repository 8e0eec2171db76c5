/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever the bytes, a decoder says the same whether they come whole, in
 * pieces, or with a journey through save and load after every piece; and what
 * wsk_frame_in_load takes is a decoder that saves to the same bytes.
 *
 * Input: 0 chooses the limits, 1 the size of the pieces, 2 the handler that
 * says stop, the rest is what a client sends. If the first has its top bit set
 * the bytes after these are also a saved decoder of as many bytes as byte 3
 * says, which then reads what is left.
 */
#include "proto/wsk_frame.h"

#include "frame_fixture.h"

#define CHOICES 4
#define MOST ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const wsk_frame_limits_t limits[] = {
    { 1u << 20, 1000 }, { 200, 4 },   { 0, 1 },    { UINT64_MAX, UINT32_MAX },
    { 126, 2 },         { 65536, 3 }, { 10, 100 }, { 1000, 1 },
};

static edge_t edge;

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void must_be_same(const play_t *whole, const play_t *other)
{
    if (!same_play(whole, other)) {
        fprintf(stderr, "whole  %s\nother  %s\nbroken %s\n", whole->text,
                other->text, other->broken != NULL ? other->broken : "-");
        abort();
    }
}

static void every_way(const wsk_frame_in_t *from, const uint8_t *choices,
                      const uint8_t *bytes, size_t len)
{
    /* A record may hold more than the narrow limits allow. */
    const unsigned choice = (choices[0] & 0x80) != 0 ? 0 : choices[0];
    const wsk_frame_limits_t *limit = &limits[choice % WSK_COUNT_OF(limits)];
    const size_t piece = 1 + choices[1];
    size_t at = choices[1] < len ? choices[1] : len;
    uint8_t record[4096];
    size_t need = wsk_frame_in_save(from, record, sizeof(record));
    play_t plays[5];
    size_t i;

    for (i = 0; i < 5; i++) {
        play_init(&plays[i], limit, &edge);
        plays[i].stop_at = choices[2];
        must(wsk_frame_in_load(&plays[i].in, record, need) == WSK_OK,
             "what was saved can be loaded");
    }
    play_pieces(&plays[0], bytes, len, MOST, 0);
    play_pieces(&plays[1], bytes, len, piece, 0);
    play_pieces(&plays[2], bytes, len, piece, 64);
    play_split(&plays[3], bytes, len, at, 1);
    play_pieces(&plays[4], bytes, len, 1, 64);
    for (i = 0; i < 5; i++) {
        must_be_same(&plays[0], &plays[i]);
    }
}

/* @return the decoder, or an idle one if the record is refused */
static wsk_frame_in_t loaded(const uint8_t *record, size_t len)
{
    uint8_t again[256];
    wsk_frame_in_t in;

    if (wsk_frame_in_load(&in, edge_put(&edge, record, len), len) != WSK_OK) {
        must(wsk_frame_in_idle(&in) && in.held == NULL && in.control == NULL,
             "a refused record leaves nothing");
        return in;
    }
    must(wsk_frame_in_save(&in, again, sizeof(again)) == len
             && memcmp(again, record, len) == 0,
         "what was loaded saves to the same bytes");
    return in;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsk_frame_in_t from;
    size_t record = 0;

    if (edge.start == NULL) {
        edge = edge_make(MOST);
    }
    if (size < CHOICES || size > MOST) {
        return 0;
    }
    if ((data[0] & 0x80) != 0) {
        record = data[3] < size - CHOICES ? data[3] : size - CHOICES;
    }
    from = loaded(data + CHOICES, record);
    every_way(&from, data, data + CHOICES + record, size - CHOICES - record);
    wsk_frame_in_clear(&from);
    return 0;
}
