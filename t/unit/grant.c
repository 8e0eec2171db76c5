/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "auth/wsk_grant.h"

#include "auth/wsk_channel.h"

#include "auth_fixture.h"

#define SITE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MOST 64

/* Lists to make a grant of; `spec` lends them. */
typedef struct lists_t {
    wsk_slice_t read[MOST], write[MOST], rooms[MOST];
    bool room_write[MOST];
    wsk_grant_spec_t spec;
} lists_t;

static void start(lists_t *lists, int version)
{
    memset(lists, 0, sizeof(*lists));
    lists->spec.version = version;
    lists->spec.read = lists->read;
    lists->spec.write = lists->write;
    lists->spec.rooms = lists->rooms;
    lists->spec.room_write = lists->room_write;
}

static void add_room(lists_t *lists, const char *name, bool write)
{
    lists->room_write[lists->spec.nrooms] = write;
    lists->rooms[lists->spec.nrooms++] = slice(name);
}

/* A grant to read one prefix and write another. */
static wsk_grant_t *grant_of(int version, const char *read, const char *write)
{
    lists_t lists;

    start(&lists, version);
    lists.read[lists.spec.nread++] = slice(read);
    lists.write[lists.spec.nwrite++] = slice(write);
    return wsk_grant_make(&lists.spec);
}

static bool may_read(const wsk_grant_t *grant, const char *site_id,
                     const char *given)
{
    return wsk_grant_may_read(
        grant, site_id, wsk_channel_bare(slice(given), site_id), slice(given));
}

static bool may_write(const wsk_grant_t *grant, const char *site_id,
                      const char *given)
{
    return wsk_grant_may_write(
        grant, site_id, wsk_channel_bare(slice(given), site_id), slice(given));
}

static wsk_grant_t *grant_from(const json_t *one)
{
    const json_t *value;
    const char *name;
    lists_t lists;
    size_t i;

    start(&lists, (int)json_integer_value(member(one, "version")));
    json_array_foreach(member(one, "read"), i, value)
    {
        lists.read[lists.spec.nread++] = slice(json_string_value(value));
    }
    json_array_foreach(member(one, "write"), i, value)
    {
        lists.write[lists.spec.nwrite++] = slice(json_string_value(value));
    }
    json_object_foreach(member(one, "rooms"), name, value)
    {
        add_room(&lists, name, strcmp(json_string_value(value), "rw") == 0);
    }
    return wsk_grant_make(&lists.spec);
}

/* The same rights, after a journey. */
static wsk_grant_t *moved(const wsk_grant_t *grant)
{
    uint8_t saved[4096];
    const size_t len = wsk_grant_save(grant, saved, sizeof(saved));

    return len <= sizeof(saved) ? wsk_grant_load(saved, len) : NULL;
}

static void rights_are_those_of_the_vectors(void)
{
    json_t *all = vectors("rights.json");
    const char *site_id = text(all, "site_id");
    const json_t *one, *channel;
    size_t i, j;

    json_array_foreach(cases(all, "grants"), i, one)
    {
        wsk_grant_t *grant = grant_from(one);
        wsk_grant_t *other = moved(grant);

        json_array_foreach(cases(one, "channels"), j, channel)
        {
            const char *given = text(channel, "given");
            const bool r = json_is_true(member(channel, "read"));
            const bool w = json_is_true(member(channel, "write"));

            ok(may_read(grant, site_id, given) == r
                   && may_read(other, site_id, given) == r,
               "%s: %s %s", text(one, "name"), r ? "reads" : "does not read",
               given);
            ok(may_write(grant, site_id, given) == w
                   && may_write(other, site_id, given) == w,
               "%s: %s %s", text(one, "name"), w ? "writes" : "does not write",
               given);
        }
        wsk_grant_unref(other);
        wsk_grant_unref(grant);
    }
    json_decref(all);
}

/* The rule once more, with names put together. */
static bool by_the_book(const char *prefix, const char *given)
{
    const wsk_slice_t bare = wsk_channel_bare(slice(given), SITE);
    char qualified[512];

    snprintf(qualified, sizeof(qualified), "site:" SITE ":%.*s", (int)bare.len,
             bare.at);
    return prefix[0] != '\0'
           && (strncmp(qualified, prefix, strlen(prefix)) == 0
               || strncmp(given, prefix, strlen(prefix)) == 0);
}

static void every_beginning_of_a_name_is_a_prefix(void)
{
    static const char *const names[] = { "a",
                                         "ab",
                                         "abc:d",
                                         "site:" SITE ":a",
                                         "site:" SITE ":abc:d",
                                         "site:" SITE "x:a",
                                         "yjs:ab" };
    char prefix[128];
    size_t i, j, len, wrong = 0, right = 0;

    for (i = 0; i < WSK_COUNT_OF(names); i++) {
        for (len = 0; len <= strlen(names[i]) + 1; len++) {
            wsk_grant_t *grant;

            /* Each beginning, and the name with a character more. */
            snprintf(prefix, sizeof(prefix), "%.*s%s", (int)len, names[i],
                     len > strlen(names[i]) ? "z" : "");
            grant = grant_of(2, prefix, "-");
            for (j = 0; j < WSK_COUNT_OF(names); j++) {
                const bool want = by_the_book(prefix, names[j]);

                right += want;
                wrong += may_read(grant, SITE, names[j]) != want;
            }
            wsk_grant_unref(grant);
        }
    }
    is_int((intmax_t)wrong, 0, "a right is what begins either spelling");
    ok(right > 300, "which happened %lu times", (unsigned long)right);
}

static void names_without_sense_are_left_out(void)
{
    char name[WSK_GRANT_NAME_MAX + 2];
    lists_t lists;
    wsk_grant_t *grant;
    size_t len;

    memset(name, 'n', sizeof(name));
    start(&lists, 3);
    lists.read[lists.spec.nread++] = slice("");
    lists.read[lists.spec.nread++] = (wsk_slice_t){ name,
                                                    WSK_GRANT_NAME_MAX + 1 };
    add_room(&lists, "", true);
    grant = wsk_grant_make(&lists.spec);
    len = wsk_grant_save(grant, NULL, 0);
    wsk_grant_unref(grant);
    start(&lists, 3);
    grant = wsk_grant_make(&lists.spec);
    is_int((intmax_t)len, (intmax_t)wsk_grant_save(grant, NULL, 0),
           "the empty name, and one over the bound, take no place");
    wsk_grant_unref(grant);
    lists.read[lists.spec.nread++] = (wsk_slice_t){ name, WSK_GRANT_NAME_MAX };
    grant = wsk_grant_make(&lists.spec);
    ok(len < wsk_grant_save(grant, NULL, 0), "one at the bound does");
    wsk_grant_unref(grant);
}

static void equal_grants_are_one(void)
{
    wsk_grant_table_t *table = wsk_grant_table_make();
    wsk_grant_t *first = grant_of(2, "a:", "b:");
    wsk_grant_t *equal = grant_of(2, "a:", "b:");
    wsk_grant_t *other = grant_of(2, "a:", "c:");
    wsk_grant_t *late = grant_of(2, "a:", "b:");
    wsk_grant_t *swapped = grant_of(2, "b:", "a:");
    wsk_grant_t *newer = grant_of(3, "a:", "b:");

    ok(wsk_grant_intern(table, first) == first, "the first of its kind stays");
    ok(wsk_grant_intern(table, equal) == first, "an equal one becomes it");
    ok(wsk_grant_intern(table, other) == other, "another does not");
    ok(wsk_grant_intern(table, swapped) == swapped,
       "nor one with its lists exchanged");
    ok(wsk_grant_intern(table, newer) == newer, "nor one of another version");
    ok(wsk_grant_intern(table, wsk_grant_ref(first)) == first,
       "one that is in there stays");
    wsk_grant_unref(first);
    wsk_grant_unref(first);
    ok(may_read(first, SITE, "a:1"), "it lives while somebody holds it");
    wsk_grant_unref(first);
    ok(wsk_grant_intern(table, late) == late,
       "when nobody does, an equal one is the first again");
    wsk_grant_unref(late);
    wsk_grant_unref(other);
    wsk_grant_unref(swapped);
    wsk_grant_unref(newer);
    wsk_grant_table_free(table);
}

static void a_table_takes_many(void)
{
    enum { MANY = 3000 };
    static wsk_grant_t *grants[MANY];
    wsk_grant_table_t *table = wsk_grant_table_make();
    size_t i, wrong = 0;
    char name[32];

    for (i = 0; i < MANY; i++) {
        snprintf(name, sizeof(name), "room-%lu", (unsigned long)(i * 7919));
        grants[i] = wsk_grant_intern(table, grant_of(2, name, name));
    }
    for (i = 0; i < MANY; i++) {
        wsk_grant_t *again;

        snprintf(name, sizeof(name), "room-%lu", (unsigned long)(i * 7919));
        again = wsk_grant_intern(table, grant_of(2, name, name));
        wrong += again != grants[i] || !may_write(again, SITE, name);
        wsk_grant_unref(again);
    }
    is_int((intmax_t)wrong, 0, "each of %d grants is found again", MANY);
    for (i = 0; i < MANY; i += 2) {
        wsk_grant_unref(grants[i]);
    }
    for (i = 1; i < MANY; i += 2) {
        snprintf(name, sizeof(name), "room-%lu", (unsigned long)(i * 7919));
        wrong += !may_write(grants[i], SITE, name);
        wsk_grant_unref(grants[i]);
    }
    is_int((intmax_t)wrong, 0, "those that stay are whole when others go");
    wsk_grant_table_free(table);
}

static void a_grant_may_outlive_its_table(void)
{
    wsk_grant_table_t *table = wsk_grant_table_make();
    wsk_grant_t *one = wsk_grant_intern(table, grant_of(2, "a:", "b:"));
    wsk_grant_t *two = wsk_grant_intern(table, grant_of(2, "c:", "d:"));

    wsk_grant_table_free(table);
    ok(may_read(one, SITE, "a:1") && may_write(two, SITE, "d:1"),
       "grants stay when their table goes");
    wsk_grant_unref(one);
    wsk_grant_unref(two);
    wsk_grant_table_free(NULL);
    wsk_grant_unref(NULL);
}

/* One of every kind of entry. */
static wsk_grant_t *rich_grant(int version)
{
    lists_t lists;

    start(&lists, version);
    lists.read[lists.spec.nread++] = slice("news:");
    lists.read[lists.spec.nread++] = slice("site:" SITE ":shop:");
    lists.write[lists.spec.nwrite++] = slice("carts:");
    add_room(&lists, "yjs:postType/post:1", true);
    add_room(&lists, "yjs:postType/post:2", false);
    return wsk_grant_make(&lists.spec);
}

static void a_grant_travels_whole_or_not_at_all(void)
{
    uint8_t saved[512], again[512];
    int version;
    size_t len, cut, wrong = 0;

    for (version = 1; version <= 3; version++) {
        wsk_grant_t *grant = rich_grant(version);
        wsk_grant_t *loaded;

        len = wsk_grant_save(grant, saved, sizeof(saved));
        loaded = wsk_grant_load(saved, len);
        ok(loaded != NULL, "a grant of version %d arrives", version);
        is_mem(again, wsk_grant_save(loaded, again, sizeof(again)), saved, len,
               "as it left");
        wsk_grant_unref(loaded);
        wsk_grant_unref(grant);
        for (cut = 0; cut < len; cut++) {
            uint8_t *tight = malloc(cut > 0 ? cut : 1);

            memcpy(tight, saved, cut);
            loaded = wsk_grant_load(tight, cut);
            /* Where an entry ends, fewer entries are a grant, too. */
            wrong += loaded != NULL && wsk_grant_save(loaded, NULL, 0) != cut;
            wsk_grant_unref(loaded);
            free(tight);
        }
    }
    is_int((intmax_t)wrong, 0, "what arrives cut is a smaller grant or none");
    memset(again, 7, sizeof(again));
    {
        wsk_grant_t *grant = rich_grant(3);

        ok(wsk_grant_save(grant, again, len - 1) == len && again[0] == 7,
           "a space too small stays as it was");
        wsk_grant_unref(grant);
    }
}

static void nothing_else_is_a_grant(void)
{
    /* Format, version; then length, rights, name. */
    static const struct {
        const char *name;
        const char *bytes;
        size_t len;
        bool right;
    } rows[] = {
        { "no rights at all", "\1\2", 2, true },
        { "nothing", "", 0, false },
        { "half a head", "\1", 1, false },
        { "another format", "\2\2", 2, false },
        { "version 0", "\1\0", 2, false },
        { "version 4", "\1\4", 2, false },
        { "a prefix to read", "\1\2\0\1\1a", 6, true },
        { "a prefix to write", "\1\2\0\1\2a", 6, true },
        { "a prefix to read and write", "\1\2\0\1\3a", 6, false },
        { "the same in version 1", "\1\1\0\1\3a", 6, true },
        { "version 1 with a prefix to read only", "\1\1\0\1\1a", 6, false },
        { "a room in version 2", "\1\2\0\1\5a", 6, false },
        { "a room in version 3", "\1\3\0\1\5a", 6, true },
        { "a room to write in", "\1\3\0\1\7a", 6, true },
        { "a room without reading", "\1\3\0\1\6a", 6, false },
        { "a room without rights", "\1\3\0\1\4a", 6, false },
        { "rights nobody knows", "\1\2\0\1\10a", 6, false },
        { "no right", "\1\2\0\1\0a", 6, false },
        { "an empty name", "\1\2\0\0\1", 5, false },
        { "a byte after the last name", "\1\2\0\1\1ab", 7, false },
        { "a name longer than the rest", "\1\2\0\2\1a", 6, false },
        { "a name of 64 KiB", "\1\2\377\377\1a", 6, false },
    };
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(rows); i++) {
        wsk_grant_t *grant = wsk_grant_load((const uint8_t *)rows[i].bytes,
                                            rows[i].len);

        is_int(grant != NULL, rows[i].right, "%s is %s", rows[i].name,
               rows[i].right ? "a grant" : "none");
        wsk_grant_unref(grant);
    }
}

static void without_memory_grants_are_not_shared(void)
{
    wsk_grant_table_t *table = wsk_grant_table_make();
    wsk_grant_t *one = grant_of(2, "a:", "b:");
    wsk_grant_t *made, *loaded, *kept;
    wsk_grant_table_t *none;
    const uint8_t empty[] = { 1, 2 };

    fault_arm(FAULT_MEMORY, 0, LONG_MAX);
    made = grant_of(2, "a:", "b:");
    loaded = wsk_grant_load(empty, sizeof(empty));
    none = wsk_grant_table_make();
    kept = wsk_grant_intern(table, one);
    fault_end();
    ok(made == NULL, "no memory, no grant");
    ok(loaded == NULL, "nor from elsewhere");
    ok(none == NULL, "nor a table");
    ok(kept == one && may_read(kept, SITE, "a:1"),
       "what cannot enter the table is kept");
    wsk_grant_unref(kept);
    wsk_grant_unref(made);
    wsk_grant_unref(loaded);
    wsk_grant_table_free(none);
    wsk_grant_table_free(table);
}

int main(void)
{
    rights_are_those_of_the_vectors();
    every_beginning_of_a_name_is_a_prefix();
    names_without_sense_are_left_out();
    equal_grants_are_one();
    a_table_takes_many();
    a_grant_may_outlive_its_table();
    a_grant_travels_whole_or_not_at_all();
    nothing_else_is_a_grant();
    without_memory_grants_are_not_shared();
    return done_testing();
}
