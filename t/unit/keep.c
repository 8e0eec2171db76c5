/* SPDX-License-Identifier: Apache-2.0 */
/* Who is for a keeper, and when one leaves. That it forks and goes on is shown by
 * t/528-keepers.t. */
#include "hand_fixture.h"

#include <signal.h>

static SSL *some_ssl(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    SSL *ssl = SSL_new(ctx);

    SSL_CTX_free(ctx);
    return ssl;
}

static void whom(void)
{
    wsk_conn_t *c;

    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    c = who.c;
    c->ssl = some_ssl();
    w.loop->keeps = true;
    wsk_segment_mark(w.seg, WSK_MARK_KEEPERS, 1);
    ok(!wsk_keep_may(w.loop, c), "nobody, before there is a successor");
    w.loop->phase = PHASE_HAND;
    ok(wsk_keep_may(w.loop, c), "then who is over TLS");
    c->told = true;
    ok(!wsk_keep_may(w.loop, c), "not who was told to come back");
    c->told = false;
    c->stays = true;
    ok(!wsk_keep_may(w.loop, c), "nor who was refused");
    c->stays = false;
    c->state = WSK_CONN_CLOSING;
    ok(!wsk_keep_may(w.loop, c), "nor who is closing");
    c->state = WSK_CONN_OPEN;
    w.loop->keeps = false;
    ok(!wsk_keep_may(w.loop, c), "nobody, where there are no keepers");
    w.loop->keeps = true;
    wsk_segment_mark(w.seg, WSK_MARK_KEEPERS, 0);
    ok(!wsk_keep_may(w.loop, c), "nor where the next configuration has none");
    wsk_segment_mark(w.seg, WSK_MARK_KEEPERS, 1);
    SSL_free(c->ssl);
    c->ssl = NULL;
    ok(!wsk_keep_may(w.loop, c), "nor who can be handed over");
    w.loop->phase = PHASE_STAY;
    close(who.fd);
    both_close();
}

static void keeper(void)
{
    world_open(&w);
    w.loop->spec.is_keeper = true;
    w.loop->spec.parent = (int32_t)getpid();
    wsk_lifeline_take(&w.loop->spec.lifeline, (int32_t)getpid(),
                      WSK_LIFELINE_START);
    w.loop->born_ms = w.loop->in_force_ms = w.now.mono_ms;
    wsk_segment_mark(w.seg, WSK_MARK_KEEPERS, 1);
    wsk_segment_mark(w.seg, WSK_MARK_KEEPER_AGE_MS, 5000);
    client_open(&w, &who, WSK_KIND_WS, 1);
    w.over = false;
    world_later(&w, 1000);
}

static void leaves(const char *why, bool hurry)
{
    world_later(&w, 600);
    is_int(atomic_load(&w.loop->stop), hurry ? 2 : 1, "%s", why);
    world_seconds(&w, 10);
    has(client_heard(&w, &who), "close 1012", "its clients are told");
    close(who.fd);
    world_seconds(&w, 4);
    ok(w.over, "and it is over");
    world_close(&w);
}

static void when(void)
{
    int another;

    keeper();
    is_int(atomic_load(&w.loop->stop), 0, "a keeper stays");
    ok(alarm(0) > 0, "and would be ended if it hung");
    world_later(&w, 3000);
    is_int(atomic_load(&w.loop->stop), 0, "while it is young");
    world_later(&w, 1000);
    leaves("too old, it leaves", false);

    keeper();
    another = wsk_slot_claim(w.seg, WSK_SLOT_KEEPER, 1, 2, w.now.unix_us + 1);
    leaves("it leaves when another has come that needs the place", false);

    keeper();
    another = wsk_slot_claim(w.seg, WSK_SLOT_KEEPER, 1, 2, 1);
    world_later(&w, 600);
    is_int(atomic_load(&w.loop->stop), 0, "not for one that is older");
    wsk_segment_mark(w.seg, WSK_MARK_KEEPERS, 2);
    wsk_slot_release(w.seg, (unsigned)another);
    another = wsk_slot_claim(w.seg, WSK_SLOT_KEEPER, 1, 2, w.now.unix_us + 1);
    world_later(&w, 600);
    is_int(atomic_load(&w.loop->stop), 0, "nor where there is place for both");
    wsk_segment_mark(w.seg, WSK_MARK_KEEPERS, 0);
    leaves("it leaves when there are to be none any more", false);

    keeper();
    wsk_segment_mark(w.seg, WSK_MARK_KEEPER_AGE_MS, 1000000);
    wsk_segment_mark(w.seg, WSK_MARK_RELOAD, 1);
    world_seconds(&w, 19);
    is_int(atomic_load(&w.loop->stop), 0,
           "it stays while a reload is under way");
    wsk_segment_mark(w.seg, WSK_MARK_READ, 1);
    world_seconds(&w, 10);
    is_int(atomic_load(&w.loop->stop), 0, "and after it");
    wsk_segment_mark(w.seg, WSK_MARK_RELOAD, 2);
    world_seconds(&w, 20);
    leaves("it leaves when the reload brought somebody else", false);

    keeper();
    wsk_segment_mark(w.seg, WSK_MARK_LEAVE, 1);
    leaves("it leaves at once when httpd stops", true);

    keeper();
    w.loop->spec.lifeline.started++;
    leaves("and when httpd is not the one any more", true);

    keeper();
    close(who.fd);
    world_run(&w);
    ok(w.over, "without a client it is over");
    world_close(&w);
}

static void a_secret_goes(void)
{
    wsk_site_spec_t spec = world_spec(1);

    keeper();
    snprintf(spec.jwt.at[0], sizeof(spec.jwt.at[0]), "another");
    world_put(&w, 1, &spec);
    world_later(&w, 600);
    has(client_heard(&w, &who), "close 1012",
        "who came with a secret that is revoked is told, unasked");
    is_int(w.ended, 0, "and may say goodbye");
    close(who.fd);
    world_seconds(&w, 4);
    world_close(&w);
    alarm(0);
}

int main(void)
{
    whom();
    when();
    a_secret_goes();
    return done_testing();
}
