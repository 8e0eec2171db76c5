/* SPDX-License-Identifier: Apache-2.0 */
#include "loop_fixture.h"

#define CROWD 200

static world_t w;
static client_t a, b;
static client_t crowd[3];

static void views(void)
{
    wsk_site_spec_t spec = world_spec(1);
    site_view_t *v;

    world_open(&w);
    v = wsk_turn_view(w.loop, w.sites[1]);
    is_str(v->spec.site_id, "id-1", "a loop knows its sites");
    ok(wsk_turn_view(w.loop, w.sites[1]) == v, "each once");
    spec.limits.max_message = 77;
    world_put(&w, 1, &spec);
    wsk_turn_view(w.loop, w.sites[1]);
    is_int(v->spec.limits.max_message, 77, "and hears of changes");
    wsk_site_switch(w.seg, w.sites[1], false);
    wsk_turn_view(w.loop, w.sites[1]);
    is_int(v->state, WSK_SITE_OFF, "of its end too");
    world_close(&w);
}

/* Who died between telling a slot and its bell, or was swept before it rang. */
static void unheard(void)
{
    wsk_slot_t *slot;

    world_open(&w);
    slot = wsk_slot_of(w.seg, w.loop->slot);
    client_open(&w, &a, WSK_KIND_WS, 1);
    client_say(&w, &a, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
    client_heard(&w, &a);
    atomic_store(&slot->told, 1);
    world_say(&w, 1, "a", "one");
    is_str(client_heard(&w, &a), "", "a bell that nobody rang is not heard");
    world_later(&w, 1000);
    has(client_heard(&w, &a), "one", "within a second it is looked for");
    world_say(&w, 1, "a", "two");
    has(client_heard(&w, &a), "two", "and the next is heard at once");
    close(a.fd);
    world_close(&w);
}

/* One crowded site and one message at another: it waits for a slice at most. */
static void fairness(void)
{
    int fds[CROWD];
    unsigned i, sent;

    world_open(&w);
    {
        wsk_site_spec_t spec = world_spec(0);

        spec.limits.connections = 1000;
        spec.limits.address_connections = 1000;
        world_put(&w, 0, &spec);
    }
    for (i = 0; i < CROWD; i++) {
        client_open(&w, &a, WSK_KIND_WS, 0);
        client_say(&w, &a, "{\"type\":\"subscribe\",\"channels\":[\"a\"]}");
        fds[i] = a.fd;
    }
    client_open(&w, &b, WSK_KIND_WS, 1);
    client_say(&w, &b, "{\"type\":\"subscribe\",\"channels\":[\"b\"]}");
    client_heard(&w, &b);
    for (i = 0; i < 10; i++) {
        world_say(&w, 0, "a", "crowd");
    }
    sent = (unsigned)world_count(&w, WSK_C_sends);
    world_say(&w, 1, "b", "one");
    for (i = 0; i < 10 && b.len == 0; i++) {
        world_turn(&w);
        client_take(&b);
    }
    ok(b.len > 0 && world_count(&w, WSK_C_sends) - sent <= 2 * SLICE + 1,
       "a message does not wait for another site's crowd");
    has(client_heard(&w, &b), "one", "it is the one");
    is_int(world_count(&w, WSK_C_delivered), 10 * CROWD + 1,
           "the crowd has all of its own");
    is_int(world_count(&w, WSK_C_sends) - sent, CROWD + 1,
           "in one write for each");
    for (i = 0; i < CROWD; i++) {
        close(fds[i]);
    }
    close(b.fd);
    world_close(&w);
}

/* What is new does not wait for somebody's replay to end. */
static void replay_and_live(void)
{
    const char subscribe[] = "{\"type\":\"subscribe\",\"channels\":[\"a\"],"
                             "\"since\":\"%s\"}";
    char text[200], id[WSK_ID_MAX], big[2000];
    wsk_cursor_t start;
    unsigned i, pieces = 0;

    world_open(&w);
    client_open(&w, &b, WSK_KIND_WS, 1);
    client_say(&w, &b, "{\"type\":\"subscribe\",\"channels\":[\"b\"]}");
    client_heard(&w, &b);
    start = store_head(w.seg, w.sites[1], WSK_LOG_TEXT);
    wsk_cursor_text(id, &start);
    memset(big, 'x', sizeof(big) - 1);
    big[sizeof(big) - 1] = '\0';
    big[10] = '\0';
    for (i = 0; i < 900; i++) {
        world_say(&w, 1, "c", big);
    }
    world_say(&w, 1, "a", "at the end");
    world_run(&w);
    client_open(&w, &a, WSK_KIND_WS, 1);
    snprintf(text, sizeof(text), subscribe, id);
    client_send(&a, WSK_OP_TEXT, text, strlen(text));
    world_turn(&w);
    ok(a.c->member.replaying, "one turn does not search a whole history");
    world_say(&w, 1, "b", "new");
    while (a.c->member.replaying && b.len == 0 && pieces < 100) {
        world_turn(&w);
        client_take(&b);
        pieces++;
    }
    ok(b.len > 0 && a.c->member.replaying,
       "what is new is sent before somebody's replay is over");
    world_run(&w);
    ok(!a.c->member.replaying, "which comes to its end");
    close(a.fd);
    close(b.fd);
    world_close(&w);
}

/* Connections that end while they wait for their turn. */
static void dead_in_turn(void)
{
    unsigned i;

    world_open(&w);
    for (i = 0; i < 3; i++) {
        client_open(&w, &crowd[i], WSK_KIND_WS, 1);
    }
    for (i = 0; i < 3; i++) {
        wsk_say_ping(w.loop, crowd[i].c);
    }
    wsk_life_kill(w.loop, crowd[1].c);
    ok(w.loop->dead == NULL, "one on the list of a turn is not freed yet");
    world_run(&w);
    is_int(w.ended, 1, "but when its turn has come");
    has(client_heard(&w, &crowd[0]), "ping", "who stood before it is written");
    has(client_heard(&w, &crowd[2]), "ping", "who stood behind it too");
    for (i = 0; i < 3; i++) {
        close(crowd[i].fd);
    }
    world_close(&w);
}

int main(void)
{
    views();
    unheard();
    fairness();
    replay_and_live();
    dead_in_turn();
    return done_testing();
}
