/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a parcel says, a loop that takes it goes on, holds what it says it
 * holds, and has let go of everything when the client has gone; a parcel it has
 * taken is one that could be handed on, to the same bytes as often as one likes.
 *
 * Input: byte 0 chooses: 1 the parcel is made to be of a site that is on, with
 * a secret that is live; 2 the loop knows the site already; 4 the site has
 * records that the parcel may not have seen. Byte 1 says how many bytes at the
 * end are what the client sends then. Between them is the parcel.
 */
#include "loop_fixture.h"

#include "transport/wsk_courier.h"
#include "transport/wsk_parcel.h"

#define CHOICES 2
#define MOST ((size_t)1 << 18)
#define IDENTITY 53 /* bytes of a parcel up to the proof, and that */

enum { CREDIBLE = 1, KNOWN = 2, RECORDS = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static world_t w;
static int door[2];
static client_t there;
static unsigned giver; /* the slot that offers */

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void put(uint8_t *to, uint64_t value, unsigned bytes)
{
    while (bytes-- > 0) {
        *to++ = (uint8_t)(value >> 8 * bytes);
    }
}

/* As the order of fields in wsk_parcel.c has it. */
static void make_credible(uint8_t *parcel, size_t len)
{
    const wsk_site_spec_t spec = world_spec(1);
    const site_view_t *v = wsk_turn_view(w.loop, w.sites[1]);

    if (len < IDENTITY) {
        return;
    }
    parcel[0] = 0;
    parcel[1] = WSK_PARCEL_VERSION;
    put(parcel + 5, w.sites[1], 4);
    put(parcel + 13, v->spec.generation, 8);
    put(parcel + 21, v->spec.incarnation, 8);
    put(parcel + 45, wsk_inbox_proof(w.seg, spec.jwt.at[0]), 8);
}

static void begin(unsigned choices)
{
    wsk_loop_spec_t spec;
    unsigned i;

    if (door[1] == 0
        && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, door) != 0) {
        abort();
    }
    world_make(&w);
    spec = world_loop_spec(&w);
    spec.door = door;
    w.loop = wsk_loop_make(&spec);
    must(w.loop && wsk_loop_enter(w.loop, &w.now), "there is a loop");
    giver = (unsigned)wsk_slot_claim(w.seg, WSK_SLOT_CHILD, 2, 1, NOON);
    there.c = NULL;
    if (choices & KNOWN) {
        client_open(&w, &there, WSK_KIND_WS, 1);
        client_say(&w, &there, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    }
    for (i = 0; choices & RECORDS && i < 3; i++) {
        world_say(&w, 1, "a", "said");
    }
    world_run(&w);
}

static void end(void)
{
    const char *why = NULL;

    if (there.c) {
        close(there.fd);
    }
    world_run(&w);
    wsk_loop_leave(w.loop);
    must(atomic_load(&w.loop->connections) == 0, "nobody is left");
    wsk_loop_dispose(w.loop);
    wsk_slot_release(w.seg, giver);
    must(wsk_segment_check(w.seg, &why) == WSK_OK, why ? why : "");
    must(wsk_site_connections(w.seg, w.sites[1]) == 0, "nobody is counted");
    world_unmake(&w);
}

/* Into the pair, offered. @return the client's end */
static int send_it(const uint8_t *parcel, size_t len, wsk_offer_t *offer)
{
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0
        || !wsk_offer_make(w.seg, giver, offer)
        || wsk_courier_send(door[0], offer, ends[0], parcel, len) != WSK_OK) {
        abort();
    }
    close(ends[0]);
    return ends[1];
}

static const wsk_conn_t *taken(void)
{
    unsigned i;

    for (i = 0; i < LOOP_WHEEL; i++) {
        const wsk_conn_t *c = w.loop->wheel[i];

        for (; c; c = c->timer_next) {
            if (c != there.c && wsk_parcel_may(c)) {
                return c;
            }
        }
    }
    return NULL;
}

/* Packed, opened and packed again, it says the same. */
static void may_go_on(const wsk_conn_t *c)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    wsk_parcel_t p;

    must(wsk_parcel_pack(c, &bytes, &len) == WSK_OK, "it can be packed");
    must(len <= wsk_parcel_bound(c), "within what was said");
    must(wsk_parcel_open(bytes, len, &p) == WSK_OK, "and opened");
    must(p.nsubs == c->member.nsubs && p.conn->out.bytes == c->out.bytes
             && p.conn->out.frames == c->out.frames
             && p.conn->member.id == c->member.id
             && wsk_frame_in_save(wsk_conn_decoder(p.conn), NULL, 0)
                    == wsk_frame_in_save(wsk_conn_decoder(c), NULL, 0),
         "the same");
    wsk_parcel_close(&p);
    free(bytes);
}

static void play(const uint8_t *parcel, size_t len, const uint8_t *said,
                 size_t said_len)
{
    wsk_offer_t offer;
    int client = send_it(parcel, len, &offer);
    uint8_t some[4096];
    wsk_offer_e what;

    world_run(&w);
    what = wsk_offer_look(w.seg, &offer);
    must(what == WSK_OFFER_TAKEN || what == WSK_OFFER_REFUSED,
         "it is taken or refused");
    wsk_offer_end(w.seg, &offer);
    if (taken()) {
        must(what == WSK_OFFER_TAKEN, "what is there was taken");
        may_go_on(taken());
    }
    if (said_len > 0 && send(client, said, said_len, MSG_NOSIGNAL) < 0) {
        must(errno == EPIPE || errno == ECONNRESET, "the client can write");
    }
    world_later(&w, 1000);
    if (taken()) {
        may_go_on(taken());
    }
    while (read(client, some, sizeof(some)) > 0) {
        world_run(&w);
    }
    close(client);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t parcel[MOST];
    size_t said, len;

    if (size < CHOICES || size > MOST) {
        return 0;
    }
    said = WSK_MIN((size_t)data[1], size - CHOICES);
    len = size - CHOICES - said;
    memcpy(parcel, data + CHOICES, len);
    begin(data[0]);
    if (data[0] & CREDIBLE) {
        make_credible(parcel, len);
    }
    play(parcel, len, data + size - said, said);
    end();
    return 0;
}
