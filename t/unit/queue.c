/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "transport/wsk_queue.h"

#include <stdlib.h>

static bool put(wsk_queue_t *q, const char *text)
{
    wsk_slab_t *slab = wsk_slab_make(strlen(text));
    bool queued;

    memcpy(slab->bytes, text, strlen(text));
    queued = wsk_queue_put(q, slab);
    wsk_slab_unref(slab);
    return queued;
}

/* Frames with a bar before each, a bar less before one that has begun. */
static const char *shown(const wsk_queue_t *q)
{
    static char text[256];
    wsk_piece_t p = { 0 };
    size_t len = 0, bytes = 0;
    unsigned n = 0;

    while (wsk_queue_next(q, &p)) {
        len += (size_t)sprintf(text + len, "%s%.*s", p.begun ? "" : "|",
                               (int)p.len, (const char *)p.bytes);
        bytes += p.len;
        n++;
    }
    text[len] = '\0';
    return n == q->frames && bytes == q->bytes ? text : "counted wrong";
}

static void grows_and_shrinks(void)
{
    wsk_queue_t q = { 0 };

    is_str(shown(&q), "", "an empty queue has no first");
    ok(put(&q, "ab"), "one is put");
    is_str(shown(&q), "|ab", "and there");
    wsk_queue_sent(&q, 1);
    is_str(shown(&q), "b", "some of it leaves");
    ok(put(&q, "cd") && put(&q, "ef"), "two more");
    is_str(shown(&q), "b|cd|ef", "behind it");
    wsk_queue_sent(&q, 2);
    is_str(shown(&q), "d|ef", "some bytes are of two");
    wsk_queue_sent(&q, 1);
    is_str(shown(&q), "|ef", "of two, one stays");
    put(&q, "gh");
    wsk_queue_sent(&q, 3);
    is_str(shown(&q), "h", "which of them has begun is known");
    wsk_queue_sent(&q, 1);
    is_str(shown(&q), "", "all is out");
    put(&q, "i");
    is_str(shown(&q), "|i", "and it is as new");
    wsk_queue_clear(&q);
    is_str(shown(&q), "", "or dropped");
    ok(put(&q, "a") && put(&q, "b") && put(&q, "c"), "three again");
    wsk_queue_clear(&q);
    is_str(shown(&q), "", "all of them dropped");
}

/* Every queue of up to four frames of three bytes, cut after any number of bytes
 * sent and with any number sealed. */
static void cut(void)
{
    unsigned frames, sent, sealed, wrong = 0;

    for (frames = 0; frames <= 4; frames++) {
        for (sent = 0; sent <= 3 * frames; sent++) {
            for (sealed = 0; sealed <= 3 * frames - sent; sealed++) {
                wsk_queue_t q = { 0 };
                const unsigned kept = (sent + sealed + 2) / 3 * 3 - sent;
                unsigned i;

                for (i = 0; i < frames; i++) {
                    put(&q, "xyz");
                }
                wsk_queue_sent(&q, sent);
                wsk_queue_cut(&q, sealed);
                wrong += q.bytes != kept || q.frames != (kept + 2) / 3;
                put(&q, "!");
                wrong += strchr(shown(&q), '!') == NULL;
                wsk_queue_sent(&q, kept + 1);
                wrong += q.frames != 0;
            }
        }
    }
    is_int(wrong, 0, "what has begun and what is sealed stays, no more");
}

static void shared(void)
{
    wsk_queue_t a = { 0 }, b = { 0 };
    wsk_slab_t *slab = wsk_slab_make(3);

    wsk_queue_put(&a, slab);
    wsk_queue_put(&b, slab);
    wsk_queue_put(&b, slab);
    is_int(slab->refs, 4, "each place in a queue is a reference");
    wsk_queue_clear(&b);
    is_int(slab->refs, 2, "which goes with it");
    wsk_queue_sent(&a, 3);
    is_int(slab->refs, 1, "or when it has left");
    wsk_slab_unref(slab);
    ok(wsk_slab_make((size_t)UINT32_MAX) == NULL,
       "a slab larger than a queue can count is refused");
}

static void copied(void)
{
    wsk_queue_t q = { 0 };

    ok(wsk_queue_copy(&q, (const uint8_t *)"ab", 2, true)
           && wsk_queue_copy(&q, (const uint8_t *)"cd", 2, false),
       "another's frames");
    is_str(shown(&q), "ab|cd", "the first of which had begun");
    wsk_queue_cut(&q, 0);
    is_str(shown(&q), "ab", "so it is kept");
    wsk_queue_clear(&q);
}

static void vectors(void)
{
    wsk_queue_t q = { 0 };
    struct iovec iov[3];

    is_int(wsk_queue_vectors(&q, iov, 3), 0, "of nothing, nothing");
    put(&q, "ab");
    wsk_queue_sent(&q, 1);
    is_int(wsk_queue_vectors(&q, iov, 3), 1, "of one, one");
    is_mem(iov[0].iov_base, iov[0].iov_len, "b", 1, "what is left of it");
    put(&q, "cd");
    put(&q, "ef");
    put(&q, "gh");
    is_int(wsk_queue_vectors(&q, iov, 3), 3,
           "of many, as many as there is room");
    is_mem(iov[2].iov_base, iov[2].iov_len, "ef", 2, "in order");
    wsk_queue_clear(&q);
}

/* Whatever cannot be had, what was queued is as it was. */
static void no_memory(void)
{
    static const char *const before[] = { "", "bc", "c|abc" };
    unsigned had;

    for (had = 0; had < 3; had++) {
        unsigned wrong = 0;
        long n = 0;
        bool failed = true;

        for (; failed; n++) {
            wsk_queue_t q = { 0 };
            wsk_slab_t *slab = wsk_slab_make(1);
            char want[16];
            unsigned i;
            bool queued;

            for (i = 0; i < had; i++) {
                put(&q, "abc");
            }
            wsk_queue_sent(&q, had);
            slab->bytes[0] = '!';
            fault_arm(FAULT_MEMORY, n, LONG_MAX);
            queued = wsk_queue_put(&q, slab);
            failed = fault_end();
            snprintf(want, sizeof want, "%s%s", before[had],
                     queued ? "|!" : "");
            wrong += queued == failed || strcmp(shown(&q), want) != 0;
            wsk_queue_clear(&q);
            wrong += slab->refs != 1;
            wsk_slab_unref(slab);
        }
        is_int(wrong, 0, "behind %u", had);
        is_int(n - 1, (int[]){ 0, 2, 1 }[had], "which may fail so often");
    }
}

int main(void)
{
    grows_and_shrinks();
    cut();
    shared();
    copied();
    vectors();
    no_memory();
    return done_testing();
}
