/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A parcel is one record, numbers in network order:
 *
 *    u16 version  u8 kind  u8 flags  u8 bad messages
 *    identity and numbers, in the order of IDENTITY and HISTORY
 *    places: three logs, epoch and number each; of the member
 *    grant, decoder, early input: u32 length and bytes, each as its own room
 *        saves it
 *    of a publisher: mark, largest body
 *    u16 channels: u16 length, name, from, known
 *    u32 frames not sent yet: u8 whether it has begun, u32 length, bytes
 */
#include "transport/wsk_parcel.h"

#include <stdlib.h>
#include <string.h>

#include "auth/wsk_channel.h"

#define SUBS_MAX 4096
#define FIXED 512 /* more than all that has one size */

enum {
    BINARY_EVENTS = 1,
    FEED = 2,
    OPENED = 4,
    PRESENT = 8,
    BINARY = 16,
    REPLAYING = 32,
    ADMITTED = 64
};

bool wsk_parcel_may(const wsk_conn_t *c)
{
    return !c->ssl && wsk_parcel_whole(c);
}

bool wsk_parcel_whole(const wsk_conn_t *c)
{
    return c->site != WSK_NO_SITE && c->state == WSK_CONN_OPEN && c->fd >= 0
           && !(c->aside && c->aside->first)
           && (c->member.site || c->kind == WSK_KIND_PUBLISHER);
}

/* Writing. */

typedef struct writer_t {
    uint8_t *at, *end;
    bool full;
} writer_t;

static void put(writer_t *w, const void *bytes, size_t len)
{
    if (len > (size_t)(w->end - w->at)) {
        w->full = true;
    }
    else if (len > 0) {
        memcpy(w->at, bytes, len);
        w->at += len;
    }
}

static void put_number(writer_t *w, uint64_t value, unsigned bytes)
{
    uint8_t out[8];
    unsigned i;

    for (i = 0; i < bytes; i++) {
        out[i] = (uint8_t)(value >> 8 * (bytes - 1 - i));
    }
    put(w, out, bytes);
}

/* Reading: what is not there is zero, and `bad` in the end. */

typedef struct reader_t {
    const uint8_t *at, *end;
    bool bad;
} reader_t;

static const uint8_t *get(reader_t *r, size_t len)
{
    const uint8_t *at = r->at;

    if (r->bad || len > (size_t)(r->end - r->at)) {
        r->bad = true;
        return NULL;
    }
    r->at += len;
    return at;
}

static uint64_t get_number(reader_t *r, unsigned bytes)
{
    const uint8_t *at = get(r, bytes);
    uint64_t value = 0;

    for (; at && bytes > 0; bytes--) {
        value = value << 8 | *at++;
    }
    return value;
}

/* The numbers of a connection that mean the same everywhere. Loop seconds are
 * those of the system's monotonic clock, which all processes share. Whose its
 * /send is, or 0, stands between the two lists. */
#define IDENTITY(X) \
    X(site, 4) \
    X(term, 4) \
    X(generation, 8) \
    X(incarnation, 8) \
    X(address, 8) \
    X(user, 8) \
    X(proof, 8) \
    X(member.id, 8)
#define HISTORY(X) \
    X(exp_s, 8) \
    X(born_us, 8) \
    X(heard_s, 4) \
    X(ping_s, 4) \
    X(blocked_s, 4) \
    X(bad_since_s, 4) \
    X(purse.at_us, 8) \
    X(purse.milli, 4) \
    X(bytes_in, 8) \
    X(bytes_out, 8)

static void put_scalars(writer_t *w, const wsk_conn_t *c)
{
#define X(field, bytes) put_number(w, (uint64_t)c->field, bytes);
    IDENTITY(X)
    put_number(w, c->sends ? c->member.id : 0, 8);
    HISTORY(X)
#undef X
}

static void get_scalars(reader_t *r, wsk_conn_t *c)
{
    uint64_t sender;

#define X(field, bytes) c->field = (__typeof__(c->field))get_number(r, bytes);
    IDENTITY(X)
    sender = get_number(r, 8);
    HISTORY(X)
#undef X
    c->sends = sender != 0;
    r->bad |= sender && sender != c->member.id;
}

/* Times that can be reckoned with: the year 10000 is far enough. */
static bool is_time(int64_t seconds)
{
    return seconds >= 0 && seconds < INT64_C(253402300800);
}

static bool times_sane(const wsk_conn_t *c)
{
    return is_time(c->exp_s) && is_time(c->born_us / 1000000)
           && is_time(c->purse.at_us / 1000000);
}

static unsigned flags_of(const wsk_conn_t *c)
{
    return (c->binary_events ? BINARY_EVENTS : 0u) | (c->feed ? FEED : 0u)
           | (c->opened ? OPENED : 0u) | (c->present ? PRESENT : 0u)
           | (c->member.binary ? BINARY : 0u)
           | (c->member.replaying ? REPLAYING : 0u)
           | (c->admitted ? ADMITTED : 0u);
}

static void put_places(writer_t *w, const wsk_conn_t *c)
{
    wsk_place_in_t place = { 0 };
    unsigned i;

    if (c->member.site) {
        wsk_hub_place(&c->member, &place);
    }
    for (i = 0; i < WSK_LOG_COUNT; i++) {
        put_number(w, place.at[i].epoch, 8);
        put_number(w, place.at[i].seq, 8);
    }
    put_number(w, place.seen, 8);
}

static size_t grant_size(const wsk_conn_t *c)
{
    return wsk_conn_grant(c) ? wsk_grant_save(c->grant, NULL, 0) : 0;
}

static void put_owned(writer_t *w, const wsk_conn_t *c)
{
    const size_t grant = grant_size(c);
    const size_t in = wsk_frame_in_save(wsk_conn_decoder(c), NULL, 0);
    const size_t early = wsk_conn_early(c);

    put_number(w, grant, 4);
    if (grant && !w->full && grant <= (size_t)(w->end - w->at)) {
        wsk_grant_save(c->grant, w->at, grant);
        w->at += grant;
    }
    else {
        w->full |= grant > 0;
    }
    put_number(w, in, 4);
    if (!w->full && in <= (size_t)(w->end - w->at)) {
        wsk_frame_in_save(wsk_conn_decoder(c), w->at, in);
        w->at += in;
    }
    else {
        w->full = true;
    }
    put_number(w, early, 4);
    put(w, early ? c->aside->early + c->aside->early_at : NULL, early);
    if (c->kind == WSK_KIND_PUBLISHER) {
        put(w, c->publisher->mark, sizeof c->publisher->mark);
        put_number(w, c->publisher->max_body, 4);
    }
}

static void put_subs(writer_t *w, const wsk_member_t *m)
{
    unsigned i;

    put_number(w, m->nsubs, 2);
    for (i = 0; i < m->nsubs; i++) {
        const wsk_sub_t *sub = &m->subs[i];
        const wsk_slice_t name = wsk_hub_name(sub);

        put_number(w, name.len, 2);
        put(w, name.at, name.len);
        put_number(w, sub->from, 8);
        put_number(w, sub->known == WSK_LIST_OWED ? UINT64_MAX : sub->known, 8);
    }
}

static void put_queue(writer_t *w, const wsk_conn_t *c)
{
    wsk_piece_t p = { 0 };

    put_number(w, c->out.frames, 4);
    while (wsk_queue_next(&c->out, &p)) {
        put_number(w, p.begun, 1);
        put_number(w, p.len, 4);
        put(w, p.bytes, p.len);
    }
}

size_t wsk_parcel_bound(const wsk_conn_t *c)
{
    size_t need = FIXED + wsk_conn_early(c)
                  + wsk_frame_in_save(wsk_conn_decoder(c), NULL, 0);
    unsigned i;

    need += grant_size(c);
    need += c->out.bytes + (size_t)c->out.frames * 5;
    for (i = 0; i < c->member.nsubs; i++) {
        need += wsk_hub_name(&c->member.subs[i]).len + 18;
    }
    return need;
}

wsk_status_e wsk_parcel_pack(const wsk_conn_t *c, uint8_t **pbytes,
                             size_t *plen)
{
    const size_t cap = wsk_parcel_bound(c);
    writer_t w;
    uint8_t *bytes;

    if (cap > WSK_PARCEL_MAX || c->member.nsubs > SUBS_MAX) {
        return WSK_EFULL;
    }
    bytes = malloc(cap);
    if (!bytes) {
        return WSK_ENOMEM;
    }
    w = (writer_t){ bytes, bytes + cap, false };
    put_number(&w, WSK_PARCEL_VERSION, 2);
    put_number(&w, c->kind, 1);
    put_number(&w, flags_of(c), 1);
    put_number(&w, c->bad_messages, 1);
    put_scalars(&w, c);
    put_places(&w, c);
    put_owned(&w, c);
    put_subs(&w, &c->member);
    put_queue(&w, c);
    if (w.full) {
        free(bytes);
        return WSK_EFULL;
    }
    *pbytes = bytes;
    *plen = (size_t)(w.at - bytes);
    return WSK_OK;
}

/* Opening. */

static void get_places(reader_t *r, wsk_place_in_t *place)
{
    unsigned i;

    for (i = 0; i < WSK_LOG_COUNT; i++) {
        place->at[i].epoch = get_number(r, 8);
        place->at[i].seq = get_number(r, 8);
    }
    place->seen = get_number(r, 8);
    r->bad |= place->seen > place->at[WSK_LOG_TEXT].seq
              || (!place->replaying
                  && place->seen != place->at[WSK_LOG_TEXT].seq);
}

static wsk_status_e get_grant(reader_t *r, wsk_conn_t *c)
{
    const size_t len = get_number(r, 4);
    const uint8_t *bytes = get(r, len);

    if (!bytes) {
        return WSK_EINVAL;
    }
    if (len == 0) {
        return (c->feed && c->kind == WSK_KIND_SSE)
                       || c->kind == WSK_KIND_PUBLISHER
                   ? WSK_OK
                   : WSK_EINVAL;
    }
    if (c->kind == WSK_KIND_PUBLISHER) {
        return WSK_EINVAL;
    }
    c->grant = wsk_grant_load(bytes, len);
    return c->grant ? WSK_OK : WSK_EINVAL;
}

static wsk_status_e get_decoder(reader_t *r, wsk_conn_t *c)
{
    const size_t len = get_number(r, 4);
    const uint8_t *bytes = get(r, len);
    wsk_frame_in_t in;
    wsk_status_e rv = bytes ? wsk_frame_in_load(&in, bytes, len) : WSK_EINVAL;

    if (rv == WSK_OK && !wsk_frame_in_idle(&in)) {
        if (!wsk_conn_aside(c)) {
            wsk_frame_in_clear(&in);
            return WSK_ENOMEM;
        }
        c->aside->in = in;
    }
    return rv;
}

static wsk_status_e get_early(reader_t *r, wsk_conn_t *c)
{
    const size_t len = get_number(r, 4);
    const uint8_t *bytes = get(r, len);

    if (!bytes) {
        return WSK_EINVAL;
    }
    return len == 0 || wsk_conn_keep_early(c, bytes, len) ? WSK_OK : WSK_ENOMEM;
}

static wsk_status_e get_publisher(reader_t *r, wsk_conn_t *c)
{
    const uint8_t *mark;

    if (c->kind != WSK_KIND_PUBLISHER) {
        return WSK_OK;
    }
    c->publisher = calloc(1, sizeof *c->publisher);
    if (!c->publisher) {
        return WSK_ENOMEM;
    }
    mark = get(r, sizeof c->publisher->mark);
    if (mark) {
        memcpy(c->publisher->mark, mark, sizeof c->publisher->mark);
    }
    c->publisher->max_body = (uint32_t)get_number(r, 4);
    c->publisher->version = UINT64_MAX; /* its secret is looked at again */
    return r->bad ? WSK_EINVAL : WSK_OK;
}

static wsk_status_e get_subs(reader_t *r, wsk_parcel_t *out)
{
    const unsigned n = (unsigned)get_number(r, 2);
    unsigned i;

    if (r->bad || n > SUBS_MAX
        || (n > 0 && out->conn->kind == WSK_KIND_PUBLISHER)) {
        return WSK_EINVAL;
    }
    out->subs = calloc(n + 1u, sizeof *out->subs);
    if (!out->subs) {
        return WSK_ENOMEM;
    }
    for (i = 0; i < n; i++) {
        wsk_sub_in_t *sub = &out->subs[i];

        sub->name.len = get_number(r, 2);
        sub->name.at = (const char *)get(r, sub->name.len);
        sub->from = get_number(r, 8);
        sub->known = get_number(r, 8);
        if (r->bad || !wsk_channel_valid(sub->name, WSK_CHANNEL_MAX)) {
            return WSK_EINVAL;
        }
    }
    out->nsubs = n;
    return WSK_OK;
}

static wsk_status_e get_queue(reader_t *r, wsk_conn_t *c)
{
    uint32_t n = (uint32_t)get_number(r, 4);
    bool first = true;

    for (; n > 0 && !r->bad; n--) {
        const uint64_t begun = get_number(r, 1);
        const size_t len = get_number(r, 4);
        const uint8_t *bytes = get(r, len);

        if (!bytes || len == 0 || begun > 1 || (begun && !first)) {
            return WSK_EINVAL;
        }
        if (!wsk_queue_copy(&c->out, bytes, len, begun)) {
            return WSK_ENOMEM;
        }
        first = false;
    }
    return r->bad ? WSK_EINVAL : WSK_OK;
}

static wsk_status_e get_all(reader_t *r, wsk_parcel_t *out)
{
    wsk_conn_t *c = out->conn;
    const unsigned flags = (unsigned)get_number(r, 1);
    wsk_status_e rv;

    c->bad_messages = (uint8_t)get_number(r, 1);
    c->binary_events = flags & BINARY_EVENTS;
    c->feed = flags & FEED;
    c->opened = flags & OPENED;
    c->present = flags & PRESENT;
    c->member.binary = flags & BINARY;
    c->admitted = flags & ADMITTED;
    out->place.replaying = flags & REPLAYING;
    get_scalars(r, c);
    get_places(r, &out->place);
    rv = r->bad || flags > 127 || !times_sane(c) ? WSK_EINVAL : get_grant(r, c);
    rv = rv == WSK_OK ? get_decoder(r, c) : rv;
    rv = rv == WSK_OK ? get_early(r, c) : rv;
    rv = rv == WSK_OK ? get_publisher(r, c) : rv;
    rv = rv == WSK_OK ? get_subs(r, out) : rv;
    rv = rv == WSK_OK ? get_queue(r, c) : rv;
    return rv == WSK_OK && (r->bad || r->at != r->end) ? WSK_EINVAL : rv;
}

wsk_status_e wsk_parcel_open(const uint8_t *bytes, size_t len,
                             wsk_parcel_t *out)
{
    reader_t r = { bytes, bytes + len, false };
    const uint64_t version = get_number(&r, 2);
    const uint64_t kind = get_number(&r, 1);
    wsk_status_e rv;

    memset(out, 0, sizeof *out);
    if (r.bad || version != WSK_PARCEL_VERSION
        || (kind != WSK_KIND_WS && kind != WSK_KIND_SSE
            && kind != WSK_KIND_PUBLISHER)) {
        return WSK_EINVAL;
    }
    out->conn = wsk_conn_make((wsk_kind_e)kind);
    if (!out->conn) {
        return WSK_ENOMEM;
    }
    rv = get_all(&r, out);
    if (rv != WSK_OK) {
        wsk_parcel_close(out);
    }
    return rv;
}

void wsk_parcel_close(wsk_parcel_t *parcel)
{
    if (parcel->conn) {
        wsk_conn_drop(parcel->conn);
    }
    free(parcel->subs);
    memset(parcel, 0, sizeof *parcel);
}
