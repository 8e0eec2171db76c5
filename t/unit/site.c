/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_site.h"

#include "store_fixture.h"

static wsk_status_e put(wsk_segment_t *seg, const wsk_site_spec_t *spec,
                        uint64_t stamp)
{
    uint32_t site;

    return wsk_site_put(seg, spec, stamp, 0xabc, &site);
}

static void coming(void)
{
    wsk_segment_t *seg = store_new(1, 3, 2, 5);
    wsk_site_spec_t spec, read;
    wsk_site_state_e state = WSK_SITE_EMPTY;
    uint32_t site = 99, same = 98;

    store_spec(&spec, 1);
    is_int(wsk_site_put(seg, &spec, 1, UINT64_C(0xff123456789abcde), &site),
           WSK_OK, "a site is put");
    ok(store_head(seg, site, WSK_LOG_TEXT).epoch == UINT64_C(0x3456789abcde),
       "its logs begin under the epoch given, of 48 bits");
    is_int(wsk_site_read(seg, site, &read, &state), WSK_OK, "it can be read");
    ok(memcmp(&read, &spec, sizeof(read)) == 0 && state == WSK_SITE_ON,
       "as it was put, and on");
    is_int(wsk_site_put(seg, &spec, 1, 77, &same), WSK_OK, "put again");
    is_int(same, site, "it has the same number");
    is_int(wsk_site_count(seg), 1, "and is there once");
    store_spec(&spec, 2);
    put(seg, &spec, 1);
    store_spec(&spec, 3);
    is_int(wsk_site_put(seg, &spec, 1, 1, &site), WSK_EFULL,
           "a third finds no pages promised");
    is_int(site, 2, "but works");
    is_int(store_append(seg, site, WSK_LOG_TEXT, "a", 10, 1, NOON), WSK_OK,
           "with what is free");
    store_spec(&spec, 4);
    is_int(wsk_site_put(seg, &spec, 1, 1, &site), WSK_EFULL,
           "a fourth finds no place");
    is_int((intmax_t)site, UINT32_MAX, "and has no number");
    store_whole(seg, "a full table is whole");
    store_end(seg);
}

static void names(void)
{
    wsk_segment_t *seg = store_new(1, 8, 2, 20);
    wsk_site_spec_t spec;
    uint32_t site;

    store_spec(&spec, 1);
    put(seg, &spec, 1);
    memset(spec.site_id, 'f', 10);
    is_int(put(seg, &spec, 1), WSK_EINVAL, "a key keeps its site_id");
    store_spec(&spec, 2);
    snprintf(spec.site_id, sizeof(spec.site_id), "id-1");
    is_int(put(seg, &spec, 1), WSK_EINVAL, "no site has another's site_id");
    store_spec(&spec, 2);
    spec.key[0] = '\0';
    is_int(put(seg, &spec, 1), WSK_EINVAL, "a site has a key");
    store_spec(&spec, 2);
    spec.site_id[0] = '\0';
    is_int(put(seg, &spec, 1), WSK_EINVAL, "and a site_id");
    is_int(wsk_site_count(seg), 1, "none of those is there");
    is_int(wsk_site_by_key(seg, store_slice("key-1"), &site), WSK_OK,
           "found by key");
    is_int(wsk_site_by_id(seg, store_slice("id-1"), &site), WSK_OK,
           "found by id");
    is_int(wsk_site_by_key(seg, store_slice("key-2"), &site), WSK_ENOTFOUND,
           "others are not");
    store_end(seg);
}

static void versions(void)
{
    wsk_segment_t *seg = store_new(1, 8, 2, 20);
    const uint32_t site = store_site(seg, 1, 5000, 10);
    uint64_t was = wsk_site_version(seg, site);
    wsk_site_spec_t spec;

    store_spec(&spec, 1);
    spec.limits.history_bytes = 5000;
    spec.limits.history_messages = 10;
    put(seg, &spec, 1);
    ok(wsk_site_version(seg, site) == was,
       "put unchanged, a site keeps its version");
    put(seg, &spec, 2);
    ok(wsk_site_version(seg, site) == was, "whatever the stamp");
    spec.limits.max_message = 7;
    put(seg, &spec, 2);
    ok(wsk_site_version(seg, site) != was, "another limit, another version");
    was = wsk_site_version(seg, site);
    wsk_site_switch(seg, site, false);
    ok(wsk_site_version(seg, site) != was, "off is another version");
    was = wsk_site_version(seg, site);
    wsk_site_switch(seg, site, false);
    ok(wsk_site_version(seg, site) == was, "off again is not");
    is_int((intmax_t)wsk_site_version(seg, 7), 0, "no site, no version");
    store_end(seg);
}

static void switching(void)
{
    wsk_segment_t *seg = store_new(1, 8, 2, 20);
    const uint32_t site = store_site(seg, 1, 1 << 20, 100);
    const wsk_slice_t room = { "room", 4 };
    wsk_cursor_t before, at, heads[WSK_LOG_COUNT];
    wsk_site_state_e state;
    wsk_site_spec_t spec;
    wsk_pages_t pages;

    store_append(seg, site, WSK_LOG_TEXT, "room", 10, 1, NOON);
    before = store_head(seg, site, WSK_LOG_TEXT);
    store_append(seg, site, WSK_LOG_TEXT, "room", 10, 2, NOON);
    is_int(wsk_site_switch(seg, site, false), WSK_OK, "a site goes off");
    wsk_site_read(seg, site, &spec, &state);
    is_int(state, WSK_SITE_OFF, "and is known to be");
    is_int(store_append(seg, site, WSK_LOG_TEXT, "room", 10, 3, NOON),
           WSK_ENOTFOUND, "it takes no records");
    is_int(wsk_log_listen(seg, site, 0, heads), WSK_ENOTFOUND, "nor listeners");
    is_int(wsk_site_admit(seg, 0, site, 1, NULL), WSK_ADMIT_OFF,
           "nor connections");
    wsk_segment_pages(seg, &pages);
    ok(pages.free == 20 && pages.reserved == 0, "its pages are given back");
    is_int(wsk_site_switch(seg, site, true), WSK_OK, "it goes on");
    is_int((intmax_t)store_head(seg, site, WSK_LOG_TEXT).seq, 2,
           "and counts from where it was");
    is_int(wsk_log_since(seg, site, &before, &room, 1, NOON, &at), WSK_EGAP,
           "what was lost is told");
    wsk_segment_pages(seg, &pages);
    is_int(pages.reserved, 2, "its pages are promised again");
    is_int(wsk_site_switch(seg, 5, true), WSK_ENOTFOUND,
           "what is not there cannot be switched");
    store_whole(seg, "switching leaves all whole");
    store_end(seg);
}

static void retiring(void)
{
    wsk_segment_t *seg = store_new(1, 8, 2, 20);
    wsk_site_spec_t spec;
    wsk_site_state_e state;
    const uint64_t stamps[] = { 2, 9 };
    uint32_t gone, kept, again, other;

    store_spec(&spec, 1);
    wsk_site_put(seg, &spec, 1, 5, &gone);
    store_spec(&spec, 2);
    wsk_site_put(seg, &spec, 1, 5, &kept);
    put(seg, &spec, 2);
    store_spec(&spec, 3);
    wsk_site_put(seg, &spec, 9, 5, &other);
    wsk_site_retire(seg, stamps, 2);
    wsk_site_read(seg, kept, &spec, &state);
    is_int(state, WSK_SITE_ON, "what the configuration names stays on");
    wsk_site_read(seg, other, &spec, &state);
    is_int(state, WSK_SITE_ON, "as does what another stamp stands for");
    is_int((intmax_t)wsk_site_stamp(seg, other), 9, "a site has a stamp");
    is_int((intmax_t)wsk_site_stamp(seg, 7), 0, "no site, none");
    is_int(wsk_site_drop(seg, other), WSK_OK, "one is dropped alone");
    wsk_site_read(seg, other, &spec, &state);
    ok(state == WSK_SITE_OFF && spec.publish.at[0][0] == '\0',
       "it is off, and has no secrets");
    wsk_site_read(seg, kept, &spec, &state);
    is_int(state, WSK_SITE_ON, "others are as they were");
    is_int(wsk_site_drop(seg, 7), WSK_ENOTFOUND, "what is not there is not");
    wsk_site_read(seg, gone, &spec, &state);
    is_int(state, WSK_SITE_OFF, "what it no longer names goes off");
    ok(spec.publish.at[0][0] == '\0' && spec.jwt.at[0][0] == '\0',
       "and has no secrets any more");
    ok(memmem(seg->base, seg->spec.bytes, "secret 1", 8) == NULL,
       "nobody has them");
    is_int(wsk_site_by_key(seg, store_slice("key-1"), &again), WSK_OK,
           "it is still found");
    is_int(wsk_site_switch(seg, gone, true), WSK_ENOTFOUND,
           "but not switched on without secrets");
    store_spec(&spec, 1);
    is_int(wsk_site_put(seg, &spec, 3, 5, &again), WSK_OK, "put again");
    is_int(again, gone, "it has its old number");
    wsk_site_read(seg, gone, &spec, &state);
    ok(state == WSK_SITE_ON && spec.publish.at[0][0] != '\0',
       "and works with its new secrets");
    store_end(seg);
}

static void rotation(void)
{
    wsk_segment_t *seg = store_new(1, 8, 2, 20);
    const uint32_t site = store_site(seg, 1, 5000, 10);
    wsk_site_spec_t spec, read;

    store_spec(&spec, 1);
    memcpy(spec.publish.at[1], spec.publish.at[0], sizeof(spec.publish.at[1]));
    snprintf(spec.publish.at[0], sizeof(spec.publish.at[0]), "the next");
    put(seg, &spec, 1);
    wsk_site_read(seg, site, &read, NULL);
    ok(strcmp(read.publish.at[0], "the next") == 0
           && strcmp(read.publish.at[1], "publish secret 1") == 0,
       "two secrets live side by side");
    spec.publish.at[1][0] = '\0';
    put(seg, &spec, 1);
    ok(memmem(seg->base, seg->spec.bytes, "publish secret", 14) == NULL,
       "of the one that is dropped no byte is left");
    store_end(seg);
}

static void stats(void)
{
    wsk_segment_t *seg = store_new(1, 8, 2, 20);
    const uint32_t site = store_site(seg, 1, 1 << 20, 10);
    wsk_site_stats_t now;

    is_int(wsk_site_stats(seg, 5, &now), WSK_ENOTFOUND, "no site, no stats");
    wsk_site_stats(seg, site, &now);
    ok(now.head == 0 && now.oldest == 1 && now.bytes == 0 && now.pages == 0,
       "a new site has nothing");
    store_append(seg, site, WSK_LOG_TEXT, "a", 20000, 1, NOON);
    wsk_site_admit(seg, 0, site, 9, NULL);
    wsk_count(seg, 0, site, WSK_C_published, 3);
    is_int((intmax_t)wsk_site_counter(seg, site, WSK_C_published), 3,
           "a counter is read without a lock");
    is_int((intmax_t)wsk_site_counter(seg, 99, WSK_C_published), 0,
           "that of nobody is 0");
    is_str(wsk_site_key(seg, site), "key-1", "so is the key");
    is_str(wsk_site_key(seg, 99), "", "which nobody has");
    wsk_site_stats(seg, site, &now);
    ok(now.head == 1 && now.oldest == 1 && now.bytes >= 20000 && now.pages == 2
           && now.connections == 1 && now.counters[WSK_C_published] == 3,
       "what it has is told");
    store_end(seg);
}

/* Many processes put the same sites at once. */
static void together(void)
{
    wsk_segment_t *seg = store_new(1, 64, 2, 200);
    wsk_site_spec_t spec;
    pid_t pids[3];
    unsigned i, p;

    for (p = 0; p < 3; p++) {
        pids[p] = fork();
        if (pids[p] == 0) {
            for (i = 0; i < 2000; i++) {
                store_spec(&spec, (i * 7 + p) % 64);
                spec.limits.max_message = i;
                put(seg, &spec, 1);
            }
            _exit(0);
        }
    }
    for (p = 0; p < 3; p++) {
        waitpid(pids[p], NULL, 0);
    }
    is_int(wsk_site_count(seg), 64, "sites put by many are there once each");
    store_whole(seg, "and whole");
    store_end(seg);
}

static void generations(void)
{
    wsk_segment_t *seg = store_new(1, 4, 2, 20);
    wsk_site_spec_t spec, read;
    wsk_site_state_e state;
    const uint64_t kept = 3;
    uint32_t site;

    store_spec(&spec, 1);
    spec.generation = 5;
    wsk_site_put(seg, &spec, 1, 5, &site);
    spec.generation = 4;
    is_int(put(seg, &spec, 1), WSK_EINVAL, "an older generation is refused");
    spec.generation = 6;
    is_int(put(seg, &spec, 1), WSK_OK, "a newer one comes into force");
    is_int(wsk_site_revoke(seg, site, 5), WSK_OK, "revoking the older one");
    wsk_site_read(seg, site, &read, &state);
    ok(state == WSK_SITE_ON && read.generation == 6, "leaves the newer alone");
    is_int(wsk_site_revoke(seg, site, 6), WSK_OK, "revoking the one in force");
    wsk_site_read(seg, site, &read, &state);
    is_int(state, WSK_SITE_OFF, "switches the site off");
    ok(read.publish.at[0][0] == '\0' && read.jwt.at[0][0] == '\0',
       "and leaves no secret");
    is_int((long)wsk_site_revoked(seg, site), 6, "which stays known");
    is_int((long)wsk_site_revoked(seg, 3), 0, "of nobody there is none");
    is_int(put(seg, &spec, 2), WSK_EINVAL, "it does not come again");
    is_int(wsk_site_switch(seg, site, true), WSK_ENOTFOUND, "by no way");
    spec.generation = 7;
    is_int(put(seg, &spec, 2), WSK_OK, "the next generation does");
    wsk_site_retire(seg, &kept, 1);
    is_int(put(seg, &spec, 4), WSK_OK,
           "what was only taken out of the configuration comes again");
    spec.generation = 6;
    is_int(put(seg, &spec, 4), WSK_EINVAL, "and what was revoked stays so");
    is_int(wsk_site_revoke(seg, 3, 1), WSK_ENOTFOUND, "nobody's is not found");
    store_whole(seg, "a revoked site is whole");
    store_end(seg);
}

int main(void)
{
    alarm(120);
    coming();
    names();
    versions();
    switching();
    retiring();
    rotation();
    stats();
    together();
    generations();
    return done_testing();
}
