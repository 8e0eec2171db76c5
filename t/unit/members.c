/* SPDX-License-Identifier: Apache-2.0 */
/* Pages of members: packed, written anew, given back, and found broken. */
#include "repair_fixture.h"

#include "store/wsk_members.h"
#include "store/wsk_pages.h"

static wsk_work_t work;

static wsk_entry_t *find(wsk_segment_t *seg, uint64_t member)
{
    wsk_members_walk_t walk = { 0, 0 };
    wsk_entry_t *entry;

    while ((entry = wsk_members_next(seg, &work.state.members, &walk)) != NULL
           && entry->member != member) {
    }
    return entry;
}

static unsigned count(wsk_segment_t *seg)
{
    wsk_members_walk_t walk = { 0, 0 };
    unsigned n = 0;

    while (wsk_members_next(seg, &work.state.members, &walk) != NULL) {
        n++;
    }
    return n;
}

static wsk_status_e add(uint64_t member, size_t bytes, wsk_entry_t *old)
{
    static char state[WSK_PRESENCE_STATE];
    const wsk_entry_t head = { .member = member,
                               .slot = (uint32_t)slot,
                               .channel = 4,
                               .state = (uint16_t)bytes,
                               .mark = WSK_ENTRY_MARK };
    wsk_status_e rv;

    store_fill(state, bytes, member);
    rv = wsk_members_add(&work, &head, store_slice("room"),
                         (wsk_slice_t){ state, bytes }, old);
    if (work.changed) {
        wsk_work_commit(&work);
    }
    return rv;
}

static void packed(wsk_segment_t *seg)
{
    wsk_work_begin(&work, seg, site);
    is_int(wsk_entry_bytes(4, 1), 40, "a member takes a multiple of eight");
    add(1, 100, NULL);
    add(2, 200, NULL);
    add(3, 300, NULL);
    is_int(count(seg), 3, "three are there");
    is_int(work.state.members.page[1], 0, "on one page");
    ok(store_same(wsk_entry_state(find(seg, 2)), 2), "with their states");
    is_mem(wsk_entry_channel(find(seg, 3)).at, 4, "room", 4, "and channels");
    wsk_members_remove(find(seg, 1));
    ok(find(seg, 1) == NULL && count(seg) == 2, "one is taken out at once");
    add(2, 50, find(seg, 2));
    is_int(count(seg), 2, "one takes the place of another");
    is_int(wsk_entry_state(find(seg, 2)).len, 50, "with another state");
    is_int(work.state.members.used[0],
           wsk_entry_bytes(4, 300) + wsk_entry_bytes(4, 50),
           "and what was gone takes no bytes any more");
    wsk_work_end(&work);
    store_whole(seg, "the segment is whole");
}

static void given_back(wsk_segment_t *seg)
{
    unsigned i;

    wsk_work_begin(&work, seg, site);
    for (i = 0; i < 9; i++) {
        add(i, 4000, NULL);
    }
    is_int(work.state.members.page[2] != 0, 1, "nine large ones take three");
    is_int(work.state.members.page[3], 0, "pages");
    for (i = 0; i < 4; i++) {
        wsk_members_remove(find(seg, i));
    }
    wsk_members_tidy(&work);
    wsk_work_commit(&work);
    is_int(count(seg), 5, "five of them stay");
    is_int(work.state.members.page[2], 0, "on two pages");
    wsk_members_count(seg, work.site, &work.state.members);
    is_int(atomic_load(&work.site->present), 5, "they are counted");
    wsk_members_clear(&work);
    wsk_work_commit(&work);
    is_int(count(seg), 0, "none stays");
    is_int(atomic_load(&work.site->pages), 0, "nor a page");
    wsk_work_end(&work);
    store_whole(seg, "the segment is whole");
}

static const char *broken(wsk_segment_t *seg)
{
    wsk_pages_unmark(seg, site);
    return wsk_members_check(seg, site, &work.state.members);
}

static void found_broken(wsk_segment_t *seg)
{
    const wsk_members_state_t *members = &work.state.members;
    wsk_entry_t *entry;

    wsk_work_begin(&work, seg, site);
    add(1, 100, NULL);
    ok(broken(seg) == NULL, "all is well");
    entry = find(seg, 1);
    entry->mark = 0;
    is_str(broken(seg), "a member is not one", "a mark is missing");
    ok(find(seg, 1) == NULL, "nor is it found");
    entry->mark = WSK_ENTRY_MARK;
    entry->state = 65535;
    ok(find(seg, 1) == NULL, "nor one that does not end");
    entry->state = 100;
    work.state.members.used[0] += 8;
    is_str(broken(seg), "a page of members ends within one", "too much used");
    work.state.members.used[0] -= 8;
    work.state.members.page[2] = members->page[0];
    is_str(broken(seg), "there are members behind the last page", "a hole");
    work.state.members.page[1] = members->page[0];
    is_str(broken(seg), "members lie on a page that is not theirs", "twice");
    work.state.members.page[1] = 5000;
    is_str(broken(seg), "members lie nowhere", "a page that is none");
    wsk_work_end(&work);
}

int main(void)
{
    static with_fn *const each[] = { packed, given_back, found_broken };
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(each); i++) {
        with_segment(each[i]);
    }
    return done_testing();
}
