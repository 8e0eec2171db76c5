/* SPDX-License-Identifier: Apache-2.0 */
#include "loop_fixture.h"

#define CLIENTS 150

static world_t w;
static client_t many[CLIENTS];

static void open_all(wsk_kind_e kind)
{
    wsk_site_spec_t spec = world_spec(1);
    unsigned i;

    world_open(&w);
    spec.limits.address_connections = 2 * CLIENTS;
    world_put(&w, 1, &spec);
    for (i = 0; i < CLIENTS; i++) {
        client_make(&w, &many[i], kind, 1);
        if (kind == WSK_KIND_SSE) {
            client_channels(&many[i], "a");
        }
        wsk_loop_give(w.loop, many[i].c);
    }
    world_run(&w);
}

static void close_all(void)
{
    unsigned i;

    for (i = 0; i < CLIENTS; i++) {
        close(many[i].fd);
    }
    world_close(&w);
}

static unsigned told(void)
{
    return (unsigned)world_count(&w, WSK_C_drained);
}

static void spread(void)
{
    unsigned i, in, different = 0, last = 0;
    wsk_slot_info_t info;

    open_all(WSK_KIND_WS);
    wsk_loop_stop(w.loop, false);
    world_run(&w);
    is_int(told(), 0, "at first nobody is told");
    ok(!wsk_loop_has_room(w.loop), "but nobody new is taken");
    wsk_slot_info(w.seg, w.loop->slot, &info);
    is_int(info.state, WSK_SLOT_STOPPING, "and others see that it goes");
    for (i = 0; i < 5; i++) {
        world_later(&w, 600);
    }
    is_int(told(), CLIENTS / 2, "half of them in half of the telling");
    world_later(&w, 3000);
    is_int(told(), CLIENTS, "all when it is over");
    for (i = 0; i < CLIENTS; i++) {
        const char *text = client_heard(&w, &many[i]);

        if (sscanf(text, "{\"type\":\"reconnect\",\"in\":%u}", &in) != 1
            || in < 100 || in >= 10100
            || strstr(text, "close 1012 restarting\neof") == NULL) {
            is_str(text, "", "client %u was told otherwise", i);
        }
        different += in != last;
        last = in;
    }
    ok(different > CLIENTS / 2, "each has a time of its own to come back");
    ok(!w.over, "clients have time to answer");
    for (i = 0; i < CLIENTS; i++) {
        shutdown(many[i].fd, SHUT_RDWR);
    }
    world_run(&w);
    ok(w.over, "when all are gone it is over");
    is_int(w.ended, CLIENTS, "each ended once");
    close_all();
}

static void deadline(void)
{
    unsigned i;

    open_all(WSK_KIND_SSE);
    wsk_loop_stop(w.loop, false);
    world_run(&w);
    world_later(&w, 6000);
    has(client_read(&w, &many[3]), "retry: ", "a stream is told when, too");
    ok(many[3].eof, "and ends");
    world_later(&w, 3999);
    ok(w.over, "streams that do not hang up are gone by then");
    close_all();
    open_all(WSK_KIND_WS);
    wsk_loop_stop(w.loop, false);
    world_run(&w);
    for (i = 0; i < 9; i++) {
        world_later(&w, 1000);
        many[0].c->due_s = many[1].c->due_s = w.loop->now_s + 60;
    }
    world_later(&w, 999);
    ok(!w.over, "a drain lasts as long as was said");
    world_later(&w, 1);
    ok(w.over, "and no longer, whoever is left");
    close_all();
}

static void hurry(void)
{
    open_all(WSK_KIND_WS);
    wsk_loop_stop(w.loop, false);
    world_run(&w);
    world_later(&w, 1000);
    ok(told() > 0 && told() < CLIENTS, "some have been told");
    wsk_loop_stop(w.loop, true);
    wsk_loop_stop(w.loop, false);
    world_run(&w);
    is_int(told(), CLIENTS, "in a hurry all are told at once");
    world_later(&w, 299);
    ok(!w.over, "and have a moment");
    world_later(&w, 1);
    ok(w.over, "of 300 ms");
    close_all();
}

/* On a busy machine the loop has its turn long after its time is up. */
static void starved(void)
{
    unsigned i, heard = 0;

    open_all(WSK_KIND_WS);
    w.now.mono_ms += 1000;
    wsk_loop_stop(w.loop, true);
    world_turn(&w);
    w.now.mono_ms += 1000;
    world_turn(&w);
    ok(!w.over, "who was told is not ended unwritten, however late it is");
    world_run(&w);
    ok(w.over, "when it is written it is over");
    for (i = 0; i < CLIENTS; i++) {
        client_take(&many[i]);
        heard += many[i].len > 0;
    }
    is_int(heard, CLIENTS, "and everybody was told");
    close_all();
}

static void late_comer(void)
{
    open_all(WSK_KIND_WS);
    wsk_loop_stop(w.loop, false);
    world_run(&w);
    close(many[0].fd);
    client_open(&w, &many[0], WSK_KIND_WS, 1);
    has(client_heard(&w, &many[0]), "close 1012",
        "who is handed over too late is sent on");
    close_all();
}

/* What was published before is sent before. */
static void published_before(void)
{
    const char *text;

    open_all(WSK_KIND_WS);
    client_say(&w, &many[0], "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    client_heard(&w, &many[0]);
    world_say(&w, 1, "a", "last");
    wsk_loop_stop(w.loop, true);
    text = client_heard(&w, &many[0]);
    ok(strstr(text, "last") != NULL && strstr(text, "close") != NULL
           && strstr(text, "last") < strstr(text, "close"),
       "a message that was published before the end comes before it");
    close_all();
}

static void nobody(void)
{
    world_open(&w);
    wsk_loop_stop(w.loop, false);
    world_turn(&w);
    ok(w.over, "a loop without connections ends at once");
    world_close(&w);
}

int main(void)
{
    spread();
    deadline();
    hurry();
    starved();
    late_comer();
    published_before();
    nobody();
    return done_testing();
}
