/* SPDX-License-Identifier: Apache-2.0 */
#include "hand_fixture.h"

static void idle_socket(void)
{
    wsk_slot_info_t info;

    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    reload();
    go_on(3000);
    ok(!w.over && at(&w) == 1, "while the configuration is read, all goes on");
    world_say(&w, 1, "a", "meanwhile");
    has(hear(&who), "meanwhile", "and messages come");
    heir_comes();
    go_on(20);
    is_int(at(&heir), 1, "the successor has it");
    ok(w.over, "who leaves has nothing left to do");
    is_int(w.ended, 0, "it has not ended");
    is_int((intmax_t)wsk_site_connections(w.seg, w.sites[1]), 1,
           "the site has one connection");
    wsk_slot_info(w.seg, w.loop->slot, &info);
    is_int(info.connections, 0, "the old slot none");
    wsk_slot_info(w.seg, heir.loop->slot, &info);
    is_int(info.connections, 1, "the new slot has it");
    is_int(world_count(&w, WSK_C_handed), 1, "one was handed over");
    is_int(world_count(&w, WSK_C_taken_over), 1, "and taken");
    is_int(world_count(&w, WSK_C_closed), 0, "none closed");
    world_say(&heir, 1, "a", "after");
    is_int(times(hear(&who), "after"), 1, "it hears the next message, once");
    client_say(&heir, &who,
               "{\"type\":\"message\",\"channel\":\"a\","
               "\"event\":\"e\",\"data\":1,\"ref\":5}");
    has(hear(&who), "\"ref\":5", "and may send, with the rights it had");
    store_whole(w.seg, "the segment is whole");
    close(who.fd);
    go_on(3);
    is_int(at(&heir), 0, "it ends where it is");
    is_int((intmax_t)wsk_site_connections(w.seg, w.sites[1]), 0,
           "and is counted out");
    both_close();
}

static void stream(void)
{
    const char *text;

    both_open();
    subscriber(&who, WSK_KIND_SSE, "a");
    world_say(&w, 1, "a", "one");
    reload();
    heir_comes();
    world_say(&w, 1, "a", "two");
    go_on(20);
    world_say(&heir, 1, "a", "three");
    go_on(20);
    text = client_read(&heir, &who);
    ok(w.over && times(text, "one") == 1 && times(text, "two") == 1
           && times(text, "three") == 1
           && strstr(text, "one") < strstr(text, "two")
           && strstr(text, "two") < strstr(text, "three"),
       "a stream goes on, each message once and in order");
    is_int(times(text, "retry:"), 0, "and is not told to come back");
    close(who.fd);
    both_close();
}

/* A frame cut in half, and a queue that the client does not take. */
static void half_way(void)
{
    static uint8_t frame[70000];
    static char big[60001];
    size_t n;
    unsigned i, in_order = 0;
    char text[1100];
    const char *said;

    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    memset(big, 'x', sizeof(big) - 1);
    n = client_frame(frame, WSK_OP_PING, "halved", 6);
    if (write(who.fd, frame, n - 3) < 0) {
        note("not written");
    }
    for (i = 0; i < 40; i++) {
        memset(text, 'a' + (int)(i % 26), 1000);
        snprintf(text + 200, 20, "-%03u-", i);
        world_say(&w, 1, "a", text);
        world_run(&w);
    }
    ok(who.c->out.bytes > 0, "some is not sent");
    reload();
    heir_comes();
    go_on(20);
    ok(w.over && at(&heir) == 1, "one with a full socket goes over");
    if (write(who.fd, frame + n - 3, 3) < 0) {
        note("not written");
    }
    said = hear(&who);
    for (i = 0; i < 40; i++) {
        snprintf(text, sizeof(text), "-%03u-", i);
        in_order += times(said, text) == 1;
        if (i > 0) {
            char before[20];

            snprintf(before, sizeof(before), "-%03u-", i - 1);
            in_order += strstr(said, before) < strstr(said, text);
        }
    }
    is_int(in_order, 79, "all that was queued comes, once and in order");
    has(said, "pong halved", "and half a frame was the half of one");
    close(who.fd);
    both_close();
    /* More than a packet holds. */
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    frame[0] = WSK_OP_PING;
    n = client_frame(frame, WSK_OP_TEXT, big, 60000);
    frame[0] = 1; /* the first of two */
    for (i = 0; i < n; i += 2000) {
        if (write(who.fd, frame + i, WSK_MIN(n - i, (size_t)2000)) < 0) {
            note("not written");
        }
        world_run(&w);
    }
    n = client_frame(frame, WSK_OP_CONT, big, 30000);
    for (i = 0; i < 20000; i += 2000) {
        if (write(who.fd, frame + i, 2000) < 0) {
            note("not written");
        }
        world_run(&w);
    }
    reload();
    heir_comes();
    go_on(20);
    ok(w.over && at(&heir) == 1, "a message of 80,000 bytes goes over");
    for (; i < n; i += 2000) {
        if (write(who.fd, frame + i, WSK_MIN(n - i, (size_t)2000)) < 0) {
            note("not written");
        }
        world_run(&heir);
    }
    has(hear(&who), "bad_message", "and is one when the rest has come");
    close(who.fd);
    both_close();
}

/* Between the offer and the taking. */
static void under_way(void)
{
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    reload();
    heir_comes();
    w.now.mono_ms += 10;
    world_turn(&w); /* sees the successor */
    w.now.mono_ms += 10;
    world_turn(&w); /* offers */
    is_int(w.loop->ngiven, 1, "one is offered");
    world_say(&w, 1, "a", "between");
    client_send(&who, WSK_OP_PING, "asked", 5);
    w.now.mono_ms += 10;
    world_turn(&w);
    go_on(10);
    client_take(&who);
    ok(w.over && at(&heir) == 1, "and taken");
    {
        const char *said = hear(&who);

        is_int(times(said, "between"), 1, "what came between comes once");
        has(said, "pong asked", "what it sent between is answered");
    }
    close(who.fd);
    both_close();
}

static void nobody_takes(void)
{
    const char *text;

    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    reload();
    heir_comes();
    heir.loop->listens = true; /* as it seems to itself */
    go_on(100);
    ok(!w.over && w.loop->ngiven == 1, "an offer that nobody takes");
    world_say(&w, 1, "a", "late");
    go_on(6000);
    text = client_heard(&w, &who);
    has(text, "close 1012", "is withdrawn, and the client told to come back");
    ok(strstr(text, "late") && strstr(text, "late") < strstr(text, "close"),
       "after all that was said");
    shutdown(who.fd, SHUT_RDWR);
    go_on(10);
    ok(w.over, "and that is all");
    heir.loop->listens = false;
    go_on(10);
    is_int(at(&heir), 0, "whoever finds the packet then drops it");
    is_int((intmax_t)wsk_site_connections(w.seg, w.sites[1]), 0,
           "nothing is counted");
    close(who.fd);
    both_close();
}

static void refused(void)
{
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    reload();
    heir_comes();
    heir.loop->listens = true;
    go_on(10);
    wsk_site_drop(w.seg, w.sites[1]); /* while it is under way */
    heir.loop->listens = false;
    go_on(10);
    is_int(at(&heir), 0, "a site that is gone is not taken over");
    has(client_heard(&w, &who), "close 4003", "its clients are told");
    shutdown(who.fd, SHUT_RDWR);
    go_on(100);
    ok(w.over, "and gone");
    is_int(world_count(&w, WSK_C_drained), 0, "not to come back");
    close(who.fd);
    both_close();
}

/* Echoes, and everybody at a successor that is full. */
static void who_stays(void)
{
    both_open();
    client_open(&w, &other, WSK_KIND_ECHO, 1);
    subscriber(&who, WSK_KIND_WS, "a");
    reload();
    heir_comes();
    go_on(50);
    is_int(at(&w), 1, "one that cannot travel is still there");
    is_int(at(&heir), 1, "the other is not");
    go_on(6000);
    has(client_heard(&w, &other), "close 1012", "and told to come back");
    close(other.fd);
    close(who.fd);
    go_on(10);
    both_close();
}

/* Nobody sees that one who is present has moved. */
static void presence(void)
{
    const char *said;
    wsk_slice_t room = { "room", 4 };
    char list[1000];
    wsk_cursor_t place;
    size_t n = 0;

    both_open();
    subscriber(&who, WSK_KIND_WS, "room");
    subscriber(&other, WSK_KIND_WS, "room");
    client_say(&w, &who,
               "{\"type\":\"presence\",\"channel\":\"room\","
               "\"action\":\"enter\",\"state\":{\"n\":1}}");
    has(client_heard(&w, &other), "\"join\"", "one enters");
    client_heard(&w, &who);
    reload();
    heir_comes();
    go_on(30);
    ok(w.over, "both move");
    wsk_loop_leave(w.loop); /* the slot is given back */
    said = client_heard(&heir, &other);
    is_int(times(said, "leave") + times(said, "join"), 0,
           "nobody leaves or enters");
    wsk_presence_list(w.seg, w.sites[1], room, list, sizeof(list), &n, &place);
    ok(n > 20, "it is still there");
    close(who.fd);
    go_on(10);
    has(client_heard(&heir, &other), "\"leave\"", "until it ends");
    close(other.fd);
    w.over = true;
    go_on(5);
    wsk_loop_dispose(w.loop);
    w.loop = heir.loop;
    heir.loop = NULL;
    both_close();
}

static void publisher(void)
{
    wsk_site_spec_t spec = world_spec(1);
    const char *body = "{\"channel\":\"a\",\"event\":\"e\",\"data\":1}";

    spec.limits.max_publish = 1000;
    both_open();
    world_put(&w, 1, &spec);
    client_make(&w, &who, WSK_KIND_WS, 1);
    {
        wsk_conn_t *c = wsk_publisher_make(&spec, 0, 5000);

        c->fd = who.c->fd;
        c->site = who.c->site;
        c->address = who.c->address;
        c->term = who.c->term;
        c->admitted = who.c->admitted;
        who.c->fd = -1;
        wsk_conn_drop(who.c);
        who.c = c;
    }
    wsk_loop_give(w.loop, who.c);
    world_run(&w);
    client_say(&w, &who, body);
    has(client_heard(&w, &who), "\"ok\":true", "a publish socket publishes");
    reload();
    heir_comes();
    go_on(20);
    ok(w.over && at(&heir) == 1, "and moves");
    client_say(&heir, &who, body);
    has(hear(&who), "\"ok\":true", "and publishes");
    memset(&spec.publish, 0, sizeof(spec.publish));
    snprintf(spec.publish.at[0], sizeof(spec.publish.at[0]), "another");
    world_put(&heir, 1, &spec);
    go_on(2100);
    has(hear(&who), "close 4001", "until its secret is revoked");
    close(who.fd);
    both_close();
}

static void revoked(void)
{
    wsk_site_spec_t spec = world_spec(1);

    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    reload();
    snprintf(spec.jwt.at[1], sizeof(spec.jwt.at[1]), "%s", spec.jwt.at[0]);
    snprintf(spec.jwt.at[0], sizeof(spec.jwt.at[0]), "another");
    world_put(&w, 1, &spec);
    heir_comes();
    go_on(20);
    is_int(at(&heir), 1, "with a secret that is the other one now, it moves");
    close(who.fd);
    both_close();
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    reload();
    spec.jwt.at[1][0] = '\0';
    world_put(&w, 1, &spec);
    heir_comes();
    go_on(20);
    is_int(at(&heir), 0, "with one that is live no more, it does not");
    go_on(6100);
    has(client_heard(&w, &who), "close 1012", "but has to come back");
    is_int(world_count(&w, WSK_C_hand_refused), 1, "that is counted");
    close(who.fd);
    both_close();
}

/* Whoever sends what he likes through the door. */
static void nonsense(void)
{
    unsigned i, random = 7;
    uint8_t bytes[300];

    both_open();
    for (i = 0; i < 500; i++) {
        unsigned k;

        for (k = 0; k < sizeof(bytes); k++) {
            random = random * 1103515245u + 12345u;
            bytes[k] = (uint8_t)(random >> 16);
        }
        if (send(door[0], bytes, 1 + random % 299, MSG_DONTWAIT) < 0) {
            go_on(2);
        }
    }
    go_on(50);
    is_int(at(&w), 0, "nonsense at the door is nobody");
    both_close();
}

int main(void)
{
    idle_socket();
    stream();
    half_way();
    under_way();
    nobody_takes();
    refused();
    who_stays();
    presence();
    publisher();
    revoked();
    nonsense();
    return done_testing();
}
