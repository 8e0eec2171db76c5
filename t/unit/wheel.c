/* SPDX-License-Identifier: Apache-2.0 */
#include "loop_fixture.h"

static world_t w;
static client_t many[5];

static void open_all(unsigned n)
{
    unsigned i;

    world_open(&w);
    for (i = 0; i < n; i++) {
        client_open(&w, &many[i], WSK_KIND_WS, 1);
    }
}

static void close_all(unsigned n)
{
    unsigned i;

    for (i = 0; i < n; i++) {
        close(many[i].fd);
    }
    world_close(&w);
}

/* Where it stands: seconds from now, or 99 for nowhere. */
static unsigned stands(const wsk_conn_t *c)
{
    unsigned in;

    for (in = 1; in <= LOOP_WHEEL; in++) {
        const wsk_conn_t *at = w.loop->wheel[(w.loop->now_s + in) % LOOP_WHEEL];

        for (; at != NULL; at = at->timer_next) {
            if (at == c) {
                return in;
            }
        }
    }
    return 99;
}

static void places(void)
{
    const uint32_t due[] = { 1, 5, 5, 63, 1000 };
    const unsigned at[] = { 1, 5, 5, 63, 63 };
    unsigned i;

    open_all(5);
    for (i = 0; i < 5; i++) {
        wsk_wheel_set(w.loop, many[i].c, w.loop->now_s + due[i]);
    }
    for (i = 0; i < 5; i++) {
        is_int(stands(many[i].c), at[i], "due in %u seconds", due[i]);
    }
    wsk_wheel_set(w.loop, many[1].c, w.loop->now_s + 7);
    is_int(stands(many[1].c), 7, "set again it stands there");
    is_int(stands(many[2].c), 5, "and its neighbour where it stood");
    wsk_wheel_set(w.loop, many[1].c, w.loop->now_s - 3);
    is_int(stands(many[1].c), 1, "what is past is due in a second");
    wsk_wheel_drop(many[2].c);
    wsk_wheel_drop(many[2].c);
    is_int(stands(many[2].c), 99, "what is dropped, and twice, is nowhere");
    wsk_wheel_set(w.loop, many[2].c, w.loop->now_s + 2);
    many[0].c->state = WSK_CONN_DEAD;
    wsk_wheel_drop(many[0].c);
    wsk_wheel_set(w.loop, many[0].c, w.loop->now_s + 2);
    is_int(stands(many[0].c), 99, "the dead have no time");
    many[0].c->state = WSK_CONN_OPEN;
    wsk_wheel_set(w.loop, many[0].c, w.loop->now_s + 2);
    close_all(5);
}

/* All of one bucket, each of them doing something else when its time comes. */
static void ticks(void)
{
    unsigned i;

    open_all(5);
    for (i = 0; i < 5; i++) {
        wsk_wheel_set(w.loop, many[i].c, w.loop->now_s + 3);
    }
    many[1].c->ping_s = w.loop->now_s + 3;
    many[2].c->state = WSK_CONN_CLOSING;
    many[2].c->due_s = w.loop->now_s + 3;
    many[3].c->exp_s = 1;
    world_seconds(&w, 2);
    is_str(client_heard(&w, &many[1]), "", "before its time nothing happens");
    is_int(w.ended, 0, "to anybody");
    world_seconds(&w, 1);
    has(client_heard(&w, &many[1]), "ping", "one is pinged");
    is_int(w.ended, 1, "one is ended");
    has(client_heard(&w, &many[3]), "close 4001", "one is closed");
    for (i = 0; i < 5; i++) {
        if (i != 2) {
            ok(stands(many[i].c) < 99, "who lives has a time again");
        }
    }
    close_all(5);
}

/* A process that was held: every second that passed is looked at. */
static void slept(void)
{
    open_all(1);
    many[0].c->ping_s = w.loop->now_s + 200;
    wsk_wheel_set(w.loop, many[0].c, w.loop->now_s + 30);
    world_later(&w, 40000);
    is_int(w.loop->now_s, 1040, "the wheel has caught up");
    ok(many[0].c->timer_link != NULL, "and nobody fell off");
    many[0].c->ping_s = w.loop->now_s + 10;
    wsk_wheel_set(w.loop, many[0].c, w.loop->now_s + 10);
    world_later(&w, 10500);
    has(client_heard(&w, &many[0]), "ping", "what was due meanwhile is done");
    close_all(1);
}

int main(void)
{
    places();
    ticks();
    slept();
    return done_testing();
}
