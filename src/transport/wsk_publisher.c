/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A publish socket: every text frame is the body of a publish, and is answered
 * by one frame, in order.
 */
#include <stdlib.h>
#include <string.h>

#include "transport/wsk_loop_int.h"
#include "transport/wsk_take.h"

/* Of no secret it is a mark that nothing has. @return false without memory */
static bool mark_of(uint8_t mark[WSK_MAC_LEN], const char *secret)
{
    const wsk_slice_t text = { secret, strlen(secret) };

    memset(mark, 0, WSK_MAC_LEN);
    return text.len == 0 || wsk_sha256(mark, &text, 1);
}

wsk_conn_t *wsk_publisher_make(const wsk_site_spec_t *spec, unsigned secret,
                               uint32_t max_body)
{
    wsk_conn_t *c = wsk_conn_make(WSK_KIND_PUBLISHER);

    if (!c) {
        return NULL;
    }
    c->publisher = calloc(1, sizeof *c->publisher);
    if (!c->publisher
        || !mark_of(c->publisher->mark, spec->publish.at[secret])) {
        wsk_conn_drop(c);
        return NULL;
    }
    c->publisher->max_body = max_body;
    return c;
}

void wsk_publisher_enter(wsk_conn_t *c, site_view_t *v)
{
    wsk_publisher_t *p = c->publisher;

    p->conn = c;
    p->next = v->publishers;
    p->link = &v->publishers;
    if (p->next) {
        p->next->link = &p->next;
    }
    v->publishers = p;
}

void wsk_publisher_leave(wsk_conn_t *c)
{
    wsk_publisher_t *p = c->kind == WSK_KIND_PUBLISHER ? c->publisher : NULL;

    if (!p || !p->link) {
        return;
    }
    *p->link = p->next;
    if (p->next) {
        p->next->link = p->link;
    }
    p->link = NULL;
}

bool wsk_publisher_proved(const wsk_conn_t *c, const site_view_t *v)
{
    wsk_publisher_t *p = c->publisher;
    uint8_t mark[WSK_MAC_LEN];
    bool live = false, known = true;
    unsigned i;

    if (p->version == v->version) {
        return true;
    }
    for (i = 0; i < WSK_COUNT_OF(v->spec.publish.at); i++) {
        known &= mark_of(mark, v->spec.publish.at[i]);
        live |= wsk_same(mark, p->mark, sizeof mark);
    }
    if (live) {
        p->version = v->version;
    }
    return live || !known; /* what cannot be told now is looked at again */
}

bool wsk_publisher_check(wsk_loop_t *l, wsk_conn_t *c, const site_view_t *v)
{
    if (wsk_turn_gone(l, c)) {
        wsk_say_close(l, c, WSK_CLOSE_SITE, "site not found");
        return false;
    }
    if (!wsk_publisher_proved(c, v)) {
        wsk_say_close(l, c, WSK_CLOSE_TOKEN, "secret revoked");
        return false;
    }
    return true;
}

uint64_t wsk_publisher_frame_max(const wsk_conn_t *c)
{
    return 2 * (uint64_t)c->publisher->max_body + 1024;
}

static void answer(wsk_loop_t *l, wsk_conn_t *c, const site_view_t *v,
                   wsk_slice_t body, wsk_text_t *t)
{
    const wsk_taker_t by = { .seg = l->spec.seg,
                             .bell = l->spec.bell,
                             .slot = l->slot,
                             .site = c->site,
                             .spec = &v->spec,
                             .now_us = l->now_us };
    wsk_again_t again = { 0 };

    if (body.len > c->publisher->max_body) {
        wsk_loop_count(l, c, WSK_C_publish_refused, 1);
        wsk_take_refusal(t, WSK_TAKE_too_large, &again);
        return;
    }
    wsk_take(&by, body, t, &again);
}

void wsk_publisher_frame(wsk_loop_t *l, wsk_conn_t *c, wsk_opcode_e op,
                         const uint8_t *bytes, size_t len)
{
    const site_view_t *v = wsk_turn_view(l, c->site);
    const wsk_again_t never = { 0 };
    wsk_text_t t = { 0 };

    if (!wsk_publisher_check(l, c, v)) {
        return;
    }
    if (op == WSK_OP_TEXT) {
        answer(l, c, v, (wsk_slice_t){ (const char *)bytes, len }, &t);
    }
    else {
        wsk_loop_count(l, c, WSK_C_publish_refused, 1);
        wsk_take_refusal(&t, WSK_TAKE_invalid_json, &never);
    }
    wsk_say_text(l, c, &t);
}
