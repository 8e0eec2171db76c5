/* SPDX-License-Identifier: Apache-2.0 */
/* A hub's life, with each call failing that can. */
#include "fault_walk.h"

#include "hub_fixture.h"

#define LARGE 100000 /* more than the hub's scratch */

static stage_t st, from;
static ear_t early, late, guest, watcher;
static char said[200]; /* the letter of each record of the text log */
static unsigned nsaid;
static const char *wrong;

static void need(bool good, const char *what)
{
    wrong = good || wrong ? wrong : what;
}

/* Another process does. */
static void say(const char *letters, size_t len)
{
    char name[2] = "";

    fault_pause();
    for (; *letters; letters++) {
        name[0] = *letters;
        if (store_append(st.seg, st.site, WSK_LOG_TEXT, name, len, nsaid + 1,
                         NOON)
            == WSK_OK) {
            said[++nsaid] = *letters;
        }
    }
    fault_resume();
}

/* All records after the first `since` on these channels, once and in order; or
 * it was told. */
static void has_all(const ear_t *ear, const char *letters, unsigned since,
                    bool soft)
{
    unsigned at = since, seq;
    char letter, kind;
    const char *text = ear->text;
    bool told = strstr(text, "gap") || strstr(text, "lost");

    for (; *text; text += strcspn(text, " "), text += *text == ' ') {
        if (sscanf(text, "%c%c%u", &letter, &kind, &seq) != 3 || kind != ':') {
            continue;
        }
        need(seq > at, "a message came twice, or out of order");
        need(seq <= nsaid && said[seq] == letter, "a message of nobody");
        for (at++; at < seq; at++) {
            need(told || !strchr(letters, said[at]), "a message is missing");
        }
    }
    for (at++; at <= nsaid; at++) {
        need(told || !strchr(letters, said[at]), "the last message is missing");
    }
    need(!soft || !told, "a gap, though nothing was lost");
}

/* Who it thinks is present on `a`: as a set. */
static uint64_t present(const ear_t *ear)
{
    const char *text = ear->text;
    uint64_t set = 0;
    bool list = false;

    for (; *text; text++) {
        if (*text == '[') {
            set = 0;
            list = true;
        }
        else if (*text == ']') {
            list = false;
        }
        else if (*text == '+' || *text == '-' || list) {
            const char *number = text + (*text == '+' || *text == '-');
            const uint64_t bit = UINT64_C(1) << (atoi(number) & 63);

            set = *text == '-' ? set & ~bit : set | bit;
            text = number + strspn(number, "0123456789") - 1;
            text += text[1] == ' ' && list;
        }
    }
    return set & ~UINT64_C(1);
}

/* Join, again if it is refused. */
static bool joins(stage_t *at, ear_t *ear, uint64_t id)
{
    wsk_status_e rv = ear_join(at, ear, id);

    if (rv != WSK_OK) {
        need(rv == WSK_ENOMEM && !ear->m.site, "refused, but not cleanly");
        rv = ear_join(at, ear, id);
    }
    return rv == WSK_OK;
}

static bool goes_on(stage_t *at, ear_t *ear, const char *letters)
{
    const unsigned before = ear->m.nsubs;
    wsk_status_e rv = ear_on(at, ear, letters);

    if (rv != WSK_OK) {
        need(rv == WSK_ENOMEM && ear->m.nsubs == before,
             "subscribed to a part of it");
        rv = ear_on(at, ear, letters);
    }
    return rv == WSK_OK;
}

/* To the hub `st`, from `from`. */
static bool moves(void)
{
    wsk_sub_in_t subs[8];
    wsk_place_in_t place;
    wsk_status_e rv = WSK_ENOMEM;
    unsigned i, tries;

    wsk_hub_place(&guest.m, &place);
    for (i = 0; i < guest.m.nsubs; i++) {
        subs[i] = (wsk_sub_in_t){ wsk_hub_name(&guest.m.subs[i]),
                                  guest.m.subs[i].from, guest.m.subs[i].known };
    }
    for (tries = 0; tries < 2 && rv != WSK_OK; tries++) {
        const size_t before = late.len;

        late.m = (wsk_member_t){ .id = guest.m.id };
        rv = wsk_hub_arrive(st.hub, &late.m, st.site, &place, subs, i);
        need(rv == WSK_OK || (!late.m.site && late.len == before),
             "it did not arrive, but something came");
    }
    if (rv == WSK_OK) {
        wsk_hub_leave(from.hub, &guest.m);
    }
    return rv == WSK_OK;
}

static void sync_one(void *baton, wsk_member_t *m)
{
    wsk_hub_sync(baton, m);
}

/* A round of whatever is to be done, as of a loop that wakes. */
static void round_of_all(void)
{
    uint32_t site;
    unsigned i;

    if (!st.hub) {
        return;
    }
    if (wsk_hub_starved(st.hub, &site, 1)) {
        wsk_hub_each(st.hub, site, sync_one, st.hub);
    }
    stage_pump(&st);
    for (i = 0; i < 100 && late.m.site && wsk_hub_replay(st.hub, &late.m);
         i++) {
    }
}

static void enter(unsigned member, const char *state, size_t len)
{
    const wsk_present_t who = { .member = member,
                                .slot = st.slot,
                                .channels = 4 };

    fault_pause();
    wsk_presence_enter(st.seg, st.site, &who, store_slice("a"),
                       (wsk_slice_t){ state, len }, NOON);
    fault_resume();
}

static void open_stage(void)
{
    nsaid = 0;
    wrong = NULL;
    early = late = guest = watcher = (ear_t){ 0 };
    st = stage_open(200);
    from = (stage_t){ .seg = st.seg, .site = st.site };
    from.slot = (unsigned)wsk_slot_claim(st.seg, WSK_SLOT_CHILD, 2, 1, NOON);
    fault_resume();
}

static bool begin(stage_t *at)
{
    stage_hub(at);
    if (!at->hub) {
        stage_hub(at);
    }
    return at->hub != NULL;
}

static bool open_both(void)
{
    return begin(&st) && begin(&from);
}

/* Nobody says anything from here on: what is late comes by itself. */
static void close_both(void)
{
    ear_t *all[] = { &early, &late, &watcher, &guest };
    const char *why;
    unsigned i;

    for (i = 0; i < WSK_COUNT_OF(all); i++) {
        if (all[i]->m.site) {
            wsk_hub_leave(i < 3 ? st.hub : from.hub, &all[i]->m);
        }
    }
    wsk_hub_free(from.hub);
    wsk_slot_release(from.seg, from.slot);
    need(st.wrong == 0, "what came is not what was said");
    need(wsk_segment_check(st.seg, &why) == WSK_OK, "the segment is damaged");
    stage_close(&st);
}

/* Live, with one record that is larger than the scratch. */
static const char *live(bool soft)
{
    bool on = false;

    open_stage();
    if (open_both() && joins(&st, &early, 1) && goes_on(&st, &early, "ab")) {
        on = true;
        say("abc", 100);
        round_of_all();
        say("a", LARGE);
        say("b", 100);
        round_of_all();
        goes_on(&st, &early, "cdefghijklmnop"); /* wider tables */
        wsk_hub_unsubscribe(st.hub, &early.m, (wsk_slice_t){ "p", 1 });
    }
    fault_end();
    round_of_all();
    if (on) {
        has_all(&early, "ab", 0, soft);
    }
    close_both();
    return wrong;
}

/* Somebody resumes over a large record, and moves over to another hub. */
static const char *moving(bool soft)
{
    bool on = false;

    open_stage();
    say("ab", 100);
    if (open_both() && joins(&from, &guest, 7) && goes_on(&from, &guest, "ab")
        && joins(&st, &early, 1) && goes_on(&st, &early, "ab")) {
        on = true;
        say("ab", 100);
        stage_pump(&from);
        say("a", LARGE);
        say("ba", 100);
        stage_pump(&from); /* further than the other hub */
        late.room = 1000;
        moves();
        say("ab", 100);
        round_of_all();
    }
    fault_end();
    round_of_all();
    if (on) {
        stage_pump(&from); /* if it is still there */
        ear_note(&guest, "%s", late.text);
        has_all(&guest, "ab", 2, soft);
        has_all(&early, "ab", 2, soft);
    }
    close_both();
    return wrong;
}

/* Who resumes by its cursor. */
static const char *resumes(bool soft)
{
    bool on = false;

    open_stage();
    if (open_both()) {
        say("aba", 100);
        say("a", LARGE);
        say("ab", 100);
        if (joins(&st, &late, 5) && goes_on(&st, &late, "a")) {
            on = true;
            ear_resume(&st, &late, 1, "a");
            say("aa", 100); /* the log has more than the live stream had */
            while (wsk_hub_replay(st.hub, &late.m)) {
            }
            round_of_all();
            say("a", 100);
            round_of_all();
        }
    }
    fault_end();
    round_of_all();
    if (on) {
        has_all(&late, "a", 1, soft);
    }
    close_both();
    return wrong;
}

/* Who resumes where this process has not read yet, behind a large record. */
static const char *comes_ahead(bool soft)
{
    bool on = false;
    uint32_t site;

    open_stage();
    if (open_both() && joins(&st, &early, 1) && goes_on(&st, &early, "b")) {
        say("a", LARGE);
        say("ba", 100);
        if (joins(&st, &late, 5) && goes_on(&st, &late, "a")) {
            const uint64_t head = store_head(st.seg, st.site, WSK_LOG_TEXT).seq;

            on = ear_resume(&st, &late, head, "a") == WSK_OK;
            while (on && wsk_hub_replay(st.hub, &late.m)) {
            }
            say("b", LARGE);
            say("aa", 100);
            stage_pump(&st);
        }
    }
    fault_end();
    if (st.hub && wsk_hub_starved(st.hub, &site, 1)) {
        wsk_hub_pump(st.hub,
                     site); /* as a loop does it: once, then who replays */
        while (late.m.site && wsk_hub_replay(st.hub, &late.m)) {
        }
    }
    if (st.hub) {
        stage_pump(&st);
    }
    if (on && strcmp(heard(&late), "a:5 a:6") != 0) {
        need(false, "what came after it came, once and in order");
    }
    (void)soft;
    close_both();
    return wrong;
}

/* A list that is larger than the scratch. */
static const char *watches(bool soft)
{
    static char state[WSK_PRESENCE_STATE];
    bool on = false;
    unsigned i;

    memset(state, 'x', sizeof(state));
    open_stage();
    if (open_both()) {
        for (i = 1; i <= 20; i++) {
            enter(i, state, sizeof(state) - 100);
        }
        if (joins(&st, &watcher, 9) && goes_on(&st, &watcher, "a")) {
            watcher.watches = on = true;
            wsk_hub_sync(st.hub, &watcher.m);
            enter(30, state, 10);
            round_of_all();
            wsk_presence_leave(st.seg, st.site, 3, store_slice("a"), NOON);
            round_of_all();
        }
    }
    fault_end();
    round_of_all();
    if (on && present(&watcher) != UINT64_C(0x401ffff6)) {
        need(false, "who is present was not told");
    }
    (void)soft;
    close_both();
    return wrong;
}

int main(void)
{
    static const fault_walk_t walks[] = {
        { "live", live, 0, false },
        { "moving", moving, 0, false },
        { "resuming", resumes, 0, false },
        { "resuming ahead", comes_ahead, 0, false },
        { "presence", watches, 0, false },
    };
    unsigned i;

    for (i = 0; i < WSK_COUNT_OF(walks); i++) {
        fault_walks(&walks[i]);
    }
    for (i = 0; i < 4; i++) {
        static const char *const calls[] = { "malloc", "calloc", "realloc",
                                             "pthread_mutex_lock" };

        ok(fault_times(calls[i]) > 0, "%s has failed %u times", calls[i],
           fault_times(calls[i]));
    }
    return done_testing();
}
