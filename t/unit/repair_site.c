/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whoever dies in the table of sites: a site is there or not, and has one
 * secret or the other.
 */
#include "repair_fixture.h"

static wsk_site_spec_t other_spec;
static uint64_t version;

static void put_other(wsk_segment_t *seg)
{
    uint32_t number;

    wsk_site_put(seg, &other_spec, 2, 0xe1, &number);
}

static bool same_spec(const wsk_site_spec_t *a, const wsk_site_spec_t *b)
{
    return strcmp(a->key, b->key) == 0 && strcmp(a->site_id, b->site_id) == 0
           && strcmp(a->publish.at[0], b->publish.at[0]) == 0
           && strcmp(a->jwt.at[0], b->jwt.at[0]) == 0
           && a->limits.connections == b->limits.connections;
}

static bool anywhere(const wsk_segment_t *seg, const char *text)
{
    return memmem(seg->base, seg->spec.bytes, text, strlen(text)) != NULL;
}

/* A new site is there or not; after a second try it is, with all it says. */
static const char *put_once(wsk_segment_t *seg)
{
    wsk_site_spec_t read;
    uint32_t number;

    if (whole(seg) != NULL) {
        return whole(seg);
    }
    if (wsk_site_put(seg, &other_spec, 2, 0xe1, &number) != WSK_OK
        || wsk_site_read(seg, number, &read, NULL) != WSK_OK
        || !same_spec(&read, &other_spec)) {
        return "a site cannot be put a second time";
    }
    if (wsk_site_by_id(seg, store_slice(other_spec.site_id), &number) != WSK_OK
        || store_append(seg, number, WSK_LOG_TEXT, "a", 9, 1, NOON) != WSK_OK) {
        return "a site cannot be used";
    }
    return wsk_site_count(seg) == 2 ? whole(seg) : "a site is there twice";
}

static void put_new(wsk_segment_t *seg)
{
    death_t death = { "a new site", put_other, put_once };

    store_spec(&other_spec, 77);
    deaths_try(&death, seg);
}

/* Either secret is in force, never a part of one; of the old one no byte is
 * left as soon as the change is through. */
static const char *rotated(wsk_segment_t *seg)
{
    wsk_site_spec_t old, read;
    uint32_t number;

    store_spec(&old, 0);
    if (wsk_site_read(seg, site, &read, NULL) != WSK_OK
        || (!same_spec(&read, &old) && !same_spec(&read, &other_spec))) {
        return "half a change is in force";
    }
    if (same_spec(&read, &other_spec)
        && wsk_site_version(seg, site) == version) {
        return "a change is in force and nobody is told";
    }
    if (whole(seg) != NULL) {
        return whole(seg);
    }
    wsk_site_put(seg, &other_spec, 2, 0xe1, &number);
    if (number != site || anywhere(seg, old.publish.at[0])
        || anywhere(seg, old.jwt.at[0])) {
        return "an old secret is still somewhere";
    }
    return anywhere(seg, other_spec.jwt.at[0]) ? NULL : "no secret is left";
}

static void put_changed(wsk_segment_t *seg)
{
    death_t death = { "a changed site", put_other, rotated };

    store_spec(&other_spec, 0);
    snprintf(other_spec.publish.at[0], sizeof(other_spec.publish.at[0]),
             "another one");
    snprintf(other_spec.jwt.at[0], sizeof(other_spec.jwt.at[0]), "and this");
    other_spec.limits.connections = 5;
    version = wsk_site_version(seg, site);
    deaths_try(&death, seg);
}

static void retire(wsk_segment_t *seg)
{
    const uint64_t stamp = 99;

    wsk_site_retire(seg, &stamp, 1);
}

static const char *retired(wsk_segment_t *seg)
{
    wsk_site_spec_t old;
    wsk_site_state_e state;
    wsk_pages_t pages;
    const char *why = whole(seg);

    store_spec(&old, 0);
    if (why != NULL) {
        return why;
    }
    retire(seg);
    if (wsk_site_read(seg, site, &old, &state) != WSK_OK
        || state != WSK_SITE_OFF || anywhere(seg, "publish secret")) {
        return "a retired site is not silent";
    }
    wsk_segment_pages(seg, &pages);
    return pages.free == pages.total && pages.reserved == 0
               ? whole(seg)
               : "a retired site keeps pages";
}

static void retire_site(wsk_segment_t *seg)
{
    death_t death = { "retiring a site", retire, retired };

    store_append(seg, site, WSK_LOG_TEXT, "room", 40000, 1, NOON);
    store_append(seg, site, WSK_LOG_BINARY, "room", 9000, 1, NOON);
    deaths_try(&death, seg);
}

/* Every call an act makes was made once, so that no step is the linker's. */
static void warm_up(wsk_segment_t *seg)
{
    make_batch(1);
    append_batch(seg);
    store_spec(&other_spec, 9);
    put_other(seg);
    retire(seg);
}

int main(void)
{
    static with_fn *const each[] = { put_new, put_changed, retire_site };
    size_t i;

    with_segment(warm_up);
    for (i = 0; i < WSK_COUNT_OF(each); i++) {
        with_segment(each[i]);
    }
    return done_testing();
}
