/* SPDX-License-Identifier: Apache-2.0 */
#include "transport/wsk_queue.h"

#include <stdlib.h>
#include <string.h>

wsk_slab_t *wsk_slab_make(size_t len)
{
    wsk_slab_t *slab;

    if (len > UINT32_MAX / 2) {
        return NULL;
    }
    slab = malloc(sizeof *slab + len);
    if (slab) {
        slab->refs = 1;
        slab->len = (uint32_t)len;
    }
    return slab;
}

void wsk_slab_ref(wsk_slab_t *slab)
{
    slab->refs++;
}

void wsk_slab_unref(wsk_slab_t *slab)
{
    if (--slab->refs == 0) {
        free(slab);
    }
}

bool wsk_queue_next(const wsk_queue_t *q, wsk_piece_t *p)
{
    const wsk_slab_t *slab;
    uint32_t at;

    if (q->frames <= 1) {
        slab = p->slab || !q->frames ? NULL : q->only;
        at = slab ? slab->len - q->bytes : 0;
    }
    else {
        p->node = !p->node             ? q->last->next
                  : p->node == q->last ? NULL
                                       : p->node->next;
        slab = p->node ? p->node->slab : NULL;
        at = p->node ? p->node->at : 0;
    }
    if (slab) {
        p->slab = slab;
        p->bytes = slab->bytes + at;
        p->len = slab->len - at;
        p->begun = at > 0;
    }
    return slab != NULL;
}

unsigned wsk_queue_vectors(const wsk_queue_t *q, struct iovec *iov,
                           unsigned max)
{
    wsk_piece_t p = { 0 };
    unsigned n = 0;

    while (n < max && wsk_queue_next(q, &p)) {
        iov[n].iov_base = (void *)(uintptr_t)p.bytes;
        iov[n++].iov_len = p.len;
    }
    return n;
}

static wsk_out_t *make_out(wsk_slab_t *slab, uint32_t at)
{
    wsk_out_t *out = malloc(sizeof *out);

    if (out) {
        *out = (wsk_out_t){ .next = out, .slab = slab, .at = at };
    }
    return out;
}

/* From one frame to two. */
static bool make_list(wsk_queue_t *q)
{
    wsk_out_t *out = make_out(q->only, q->only->len - q->bytes);

    if (out) {
        q->last = out;
    }
    return out != NULL;
}

/* From two to one. */
static void make_only(wsk_queue_t *q)
{
    wsk_out_t *out = q->last;

    q->only = out->slab;
    free(out);
}

bool wsk_queue_put(wsk_queue_t *q, wsk_slab_t *slab)
{
    if (q->frames == 0) {
        q->only = slab;
    }
    else {
        wsk_out_t *out = make_out(slab, 0);

        if (!out || (q->frames == 1 && !make_list(q))) {
            free(out);
            return false;
        }
        out->next = q->last->next;
        q->last->next = out;
        q->last = out;
    }
    wsk_slab_ref(slab);
    q->bytes += slab->len;
    q->frames++;
    return true;
}

bool wsk_queue_copy(wsk_queue_t *q, const uint8_t *bytes, size_t len,
                    bool begun)
{
    const uint32_t sent = begun ? 1 : 0; /* as if it had been a byte more */
    wsk_slab_t *slab = wsk_slab_make(len + sent);
    bool queued;

    if (!slab) {
        return false;
    }
    slab->bytes[0] = 0;
    memcpy(slab->bytes + sent, bytes, len);
    queued = wsk_queue_put(q, slab);
    if (queued) {
        wsk_queue_sent(q, sent);
    }
    wsk_slab_unref(slab);
    return queued;
}

/* The frame behind `before`, or the only one. */
static void drop_behind(wsk_queue_t *q, wsk_out_t *before)
{
    if (q->frames == 1) {
        q->bytes = 0;
        wsk_slab_unref(q->only);
        q->only = NULL;
    }
    else {
        wsk_out_t *out = before->next;

        before->next = out->next;
        q->last = out == q->last ? before : q->last;
        q->bytes -= out->slab->len - out->at;
        wsk_slab_unref(out->slab);
        free(out);
    }
    if (--q->frames == 1) {
        make_only(q);
    }
}

static size_t left_of_first(const wsk_queue_t *q)
{
    return q->frames == 1 ? q->bytes
                          : q->last->next->slab->len - q->last->next->at;
}

void wsk_queue_sent(wsk_queue_t *q, size_t n)
{
    while (n) {
        const size_t left = left_of_first(q);

        if (n < left) {
            q->bytes -= (uint32_t)n;
            if (q->frames > 1) {
                q->last->next->at += (uint32_t)n;
            }
            return;
        }
        n -= left;
        drop_behind(q, q->frames == 1 ? NULL : q->last);
    }
}

void wsk_queue_cut(wsk_queue_t *q, uint32_t sealed)
{
    wsk_piece_t p = { 0 };
    wsk_out_t *keep = NULL;
    uint32_t kept = 0, frames = 0;

    while (wsk_queue_next(q, &p) && (p.begun || kept < sealed)) {
        kept += (uint32_t)p.len;
        keep = frames++ ? keep->next : q->frames > 1 ? q->last->next : NULL;
    }
    if (!frames) {
        wsk_queue_clear(q);
        return;
    }
    while (q->frames > frames) {
        drop_behind(q, keep);
    }
}

void wsk_queue_clear(wsk_queue_t *q)
{
    while (q->frames) {
        drop_behind(q, q->frames == 1 ? NULL : q->last);
    }
}
