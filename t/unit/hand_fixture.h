/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hand_fixture -- two loops of one segment in this thread: `w` leaves, `heir` is
 * of the next generation. The client talks to whichever has it.
 */
#ifndef WSK_HAND_FIXTURE_H
#define WSK_HAND_FIXTURE_H

#include "loop_fixture.h"

static world_t w, heir;
static client_t who TAP_UNUSED, other TAP_UNUSED;
static int door[2];

TAP_UNUSED static void loop_of(world_t *world, uint32_t generation)
{
    wsk_loop_spec_t spec = world_loop_spec(world);

    spec.door = door;
    spec.generation = generation;
    spec.wait_ms = 2000;
    spec.hold_ms = 500;
    world->loop = wsk_loop_make(&spec);
    if (!world->loop || !wsk_loop_enter(world->loop, &world->now)) {
        printf("Bail out! no loop\n");
        exit(1);
    }
}

TAP_UNUSED static void both_open(void)
{
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, door) != 0) {
        exit(1);
    }
    world_make(&w);
    loop_of(&w, 1);
    heir = w;
    heir.loop = NULL;
}

TAP_UNUSED static void heir_comes(void)
{
    wsk_segment_mark(w.seg, WSK_MARK_READ, 2);
    heir.now = w.now;
    heir.over = false;
    loop_of(&heir, 2);
}

TAP_UNUSED static void reload(void)
{
    wsk_segment_mark(w.seg, WSK_MARK_RELOAD, 2);
    wsk_loop_stop(w.loop, false);
}

/* Turns of both, some milliseconds apart. */
TAP_UNUSED static void go_on(unsigned ms)
{
    unsigned i;

    for (i = 0; i < ms; i++) {
        w.now.mono_ms++;
        w.now.unix_us += 1000;
        heir.now = w.now;
        if (!w.over) {
            world_turn(&w);
        }
        if (heir.loop) {
            world_turn(&heir);
        }
    }
}

TAP_UNUSED static void both_close(void)
{
    if (heir.loop) {
        wsk_loop_leave(heir.loop);
        wsk_loop_dispose(heir.loop);
        heir.loop = NULL;
    }
    close(door[0]);
    close(door[1]);
    world_close(&w);
}

TAP_UNUSED static unsigned at(const world_t *world)
{
    return atomic_load(&world->loop->connections);
}

TAP_UNUSED static const char *hear(client_t *client)
{
    go_on(5);
    return client_heard(heir.loop && at(&heir) ? &heir : &w, client);
}

TAP_UNUSED static void subscriber(client_t *client, wsk_kind_e kind,
                                  const char *channel)
{
    char text[100];

    if (kind == WSK_KIND_SSE) {
        client_make(&w, client, kind, 1);
        client_channels(client, channel);
        wsk_loop_give(w.loop, client->c);
        world_run(&w);
        client_read(&w, client);
        return;
    }
    client_open(&w, client, kind, 1);
    snprintf(text, sizeof(text),
             "{\"type\":\"subscribe\",\"channels\":[\"%s\"]}", channel);
    client_say(&w, client, text);
    client_heard(&w, client);
}

#endif
