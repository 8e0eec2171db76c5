/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hub_fixture -- a hub over a small segment, and members that write down what
 * they are told.
 *
 * A member's line reads: a:3 for record 3 on channel a, b!2 for binary record 2
 * on b, a[7 8] a+9 a-7 for the list of a and its changes, gap:5-9 for "all after 5 and up to 9 may be gone", lost.
 *
 * Owner     stage_open/stage_close; members are static in the tests and leave
 *           before stage_close.
 */
#ifndef WSK_HUB_FIXTURE_H
#define WSK_HUB_FIXTURE_H

#include "store_fixture.h"

#include "hub/wsk_hub_int.h"

typedef struct ear_t {
    wsk_member_t m; /* first */
    char text[16384];
    size_t len;
    unsigned room; /* records of a replay it still takes */
    bool watches;  /* writes down presence, too */
} ear_t;

typedef struct stage_t {
    wsk_segment_t *seg;
    wsk_hub_t *hub;
    unsigned slot;
    uint32_t site;
    unsigned made, done; /* frames, and ends of deliveries */
    unsigned wrong;      /* bodies that are not those of their number */
} stage_t;

__attribute__((format(printf, 2, 3))) TAP_UNUSED static void
ear_note(ear_t *ear, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(ear->text + ear->len, sizeof(ear->text) - ear->len, fmt,
                  args);
    va_end(args);
    ear->len = WSK_MIN(ear->len + (size_t)n, sizeof(ear->text) - 1);
}

static void ear_presence(ear_t *ear, const wsk_record_t *record)
{
    wsk_slice_t rest = { NULL, 0 }, state;
    const wsk_presence_e what = wsk_presence_read(record->body, &rest);
    uint64_t member;
    unsigned n = 0;

    if (!ear->watches) {
        return;
    }
    ear_note(ear, "%.*s", (int)record->channel.len, record->channel.at);
    ear_note(ear, "%s", what == WSK_PRESENCE_SYNC ? "[" : "");
    while (wsk_presence_next(&rest, &member, &state)) {
        ear_note(ear, "%s%u",
                 what == WSK_PRESENCE_JOIN   ? "+"
                 : what == WSK_PRESENCE_LEFT ? "-"
                 : n++ > 0                   ? " "
                                             : "",
                 (unsigned)member);
    }
    ear_note(ear, "%s", what == WSK_PRESENCE_SYNC ? "] " : " ");
}

static void ear_deliver(void *baton, wsk_member_t *m, wsk_delivery_t *d)
{
    stage_t *st = baton;

    if (d->log == WSK_LOG_PRESENCE) {
        ear_presence((ear_t *)m, d->record);
        return;
    }
    if (d->frames[0] == NULL) {
        d->frames[0] = st;
        st->made++;
    }
    if (m->replaying && ((ear_t *)m)->room > 0) {
        ((ear_t *)m)->room--;
    }
    st->wrong += !store_same(d->record->body, d->record->seq);
    ear_note((ear_t *)m, "%.*s%c%llu ", (int)d->record->channel.len,
             d->record->channel.at, d->log == WSK_LOG_TEXT ? ':' : '!',
             (unsigned long long)d->record->seq);
}

static void ear_done(void *baton, wsk_delivery_t *d)
{
    stage_t *st = baton;

    st->done += d->frames[0] != NULL;
    d->frames[0] = NULL;
}

static void ear_gap(void *baton, wsk_member_t *m, const wsk_cursor_t *since,
                    const wsk_cursor_t *oldest)
{
    (void)baton;
    ear_note((ear_t *)m, "gap:%llu-%llu ", (unsigned long long)since->seq,
             (unsigned long long)oldest->seq);
}

static void ear_lost(void *baton, wsk_member_t *m)
{
    (void)baton;
    ear_note((ear_t *)m, "lost ");
}

static bool ear_room(void *baton, wsk_member_t *m)
{
    (void)baton;
    return ((ear_t *)m)->room > 0;
}

static const wsk_sink_ops_t ear_ops = { .deliver = ear_deliver,
                                        .done = ear_done,
                                        .gap = ear_gap,
                                        .lost = ear_lost,
                                        .room = ear_room };

/* One site whose history holds so many messages. */
TAP_UNUSED static stage_t stage_open(uint32_t messages)
{
    stage_t st = { .seg = store_new(4, 4, 8, 40) };

    st.site = store_site(st.seg, 1, (uint64_t)WSK_KB(256), messages);
    st.slot = (unsigned)wsk_slot_claim(st.seg, WSK_SLOT_CHILD, 1, 1, NOON);
    return st;
}

/* Apart from stage_open, so that the hub knows where the stage stays. */
TAP_UNUSED static void stage_hub(stage_t *st)
{
    st->hub = wsk_hub_make(st->seg, st->slot, &ear_ops, st);
}

TAP_UNUSED static void stage_close(stage_t *st)
{
    wsk_hub_free(st->hub);
    wsk_slot_release(st->seg, st->slot);
    store_end(st->seg);
}

TAP_UNUSED static wsk_status_e ear_join(stage_t *st, ear_t *ear, uint64_t id)
{
    *ear = (ear_t){ .m.id = id, .room = 1000 };
    return wsk_hub_join(st->hub, &ear->m, st->site);
}

/* Subscribe to channels of one letter each. */
TAP_UNUSED static wsk_status_e ear_on(stage_t *st, ear_t *ear,
                                      const char *letters)
{
    wsk_slice_t names[64];
    const unsigned n = (unsigned)strlen(letters);
    unsigned i;

    for (i = 0; i < n; i++) {
        names[i] = (wsk_slice_t){ letters + i, 1 };
    }
    return wsk_hub_subscribe(st->hub, &ear->m, names, n, 100);
}

/* Go on after record `seq` on channels it is on. */
TAP_UNUSED static wsk_status_e ear_resume(stage_t *st, ear_t *ear, uint64_t seq,
                                          const char *letters)
{
    wsk_slice_t names[64];
    const unsigned n = (unsigned)strlen(letters);
    wsk_cursor_t since = store_head(st->seg, st->site, WSK_LOG_TEXT);
    unsigned i;

    since.seq = seq;
    for (i = 0; i < n; i++) {
        names[i] = (wsk_slice_t){ letters + i, 1 };
    }
    return wsk_hub_resume(st->hub, &ear->m, &since, names, n, NOON);
}

/* Replay to the end, or until there is no room. */
TAP_UNUSED static void ear_replay(stage_t *st, ear_t *ear)
{
    unsigned i;

    for (i = 0; i < 10000 && wsk_hub_replay(st->hub, &ear->m); i++) {
    }
    if (i == 10000) {
        ear_note(ear, "without end ");
    }
}

/* Append one text record on each of these channels. */
TAP_UNUSED static void stage_say(stage_t *st, const char *letters)
{
    char name[2] = "";

    for (; *letters != '\0'; letters++) {
        name[0] = *letters;
        store_append(st->seg, st->site, WSK_LOG_TEXT, name, 100,
                     store_head(st->seg, st->site, WSK_LOG_TEXT).seq + 1, NOON);
    }
}

/* Append a binary record, from somebody. */
TAP_UNUSED static void stage_send(stage_t *st, const char *name,
                                  uint64_t sender)
{
    static char body[100];
    wsk_record_t record = {
        store_slice(name), { body, sizeof(body) }, sender, 0, 0
    };
    wsk_cursor_t first;

    store_fill(body, sizeof(body),
               store_head(st->seg, st->site, WSK_LOG_BINARY).seq + 1);
    wsk_log_append(st->seg, st->site, WSK_LOG_BINARY, &record, 1, NULL, NOON,
                   &first);
}

TAP_UNUSED static void stage_pump(stage_t *st)
{
    unsigned i;

    for (i = 0; i < 10000 && wsk_hub_pump(st->hub, st->site); i++) {
    }
}

/* What it heard since it was asked last. */
TAP_UNUSED static const char *heard(ear_t *ear)
{
    static char last[sizeof(ear->text)];

    memcpy(last, ear->text, ear->len);
    last[ear->len > 0 ? ear->len - 1 : 0] = '\0';
    ear->len = 0;
    return last;
}

#endif
