/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_grant.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "auth/wsk_channel.h"

/*
 * A grant is kept as it is saved: three lists, one after the other.
 *
 *   FORMAT  version  { length  length  rights  name... }...
 *   1 byte  1 byte     2 bytes, high first  1 byte
 *
 * `rights` says what the name is: READ, WRITE and EXACT, a room. So equality is
 * memcmp, a grant is one block, and loading is checking.
 */
enum { FORMAT = 1, HEAD = 2, ENTRY_HEAD = 3, READ = 1, WRITE = 2, EXACT = 4 };

struct wsk_grant_t {
    wsk_grant_table_t *table; /* that it is in, or NULL */
    size_t refs;
    size_t len;
    uint8_t saved[];
};

struct wsk_grant_table_t {
    void *root; /* tsearch: no key of a stranger's choice makes it slow */
};

typedef struct entry_t {
    unsigned rights;
    wsk_slice_t name;
} entry_t;

static bool is_kept(wsk_slice_t name)
{
    return name.len > 0 && name.len <= WSK_GRANT_NAME_MAX;
}

static size_t size_of(const wsk_slice_t *names, size_t count)
{
    size_t size = 0;
    size_t i;

    for (i = 0; i < count; i++) {
        size += is_kept(names[i]) ? ENTRY_HEAD + names[i].len : 0;
    }
    return size;
}

static void put(wsk_grant_t *grant, wsk_slice_t name, unsigned rights)
{
    uint8_t *at = grant->saved + grant->len;

    if (is_kept(name)) {
        at[0] = (uint8_t)(name.len >> 8);
        at[1] = (uint8_t)name.len;
        at[2] = (uint8_t)rights;
        memcpy(at + ENTRY_HEAD, name.at, name.len);
        grant->len += ENTRY_HEAD + name.len;
    }
}

static wsk_grant_t *grant_of_size(size_t size)
{
    wsk_grant_t *grant = malloc(sizeof(*grant) + size);

    if (grant != NULL) {
        grant->table = NULL;
        grant->refs = 1;
        grant->len = 0;
    }
    return grant;
}

wsk_grant_t *wsk_grant_make(const wsk_grant_spec_t *spec)
{
    const unsigned read = spec->version == 1 ? READ | WRITE : READ;
    const size_t nwrite = spec->version == 1 ? 0 : spec->nwrite;
    const size_t nrooms = spec->version == 3 ? spec->nrooms : 0;
    wsk_grant_t *grant = grant_of_size(HEAD + size_of(spec->read, spec->nread)
                                       + size_of(spec->write, nwrite)
                                       + size_of(spec->rooms, nrooms));
    size_t i;

    if (grant == NULL) {
        return NULL;
    }
    grant->saved[0] = FORMAT;
    grant->saved[1] = (uint8_t)spec->version;
    grant->len = HEAD;
    for (i = 0; i < spec->nread; i++) {
        put(grant, spec->read[i], read);
    }
    for (i = 0; i < nwrite; i++) {
        put(grant, spec->write[i], WRITE);
    }
    for (i = 0; i < nrooms; i++) {
        put(grant, spec->rooms[i],
            spec->room_write[i] ? EXACT | READ | WRITE : EXACT | READ);
    }
    return grant;
}

wsk_grant_t *wsk_grant_ref(wsk_grant_t *grant)
{
    grant->refs++;
    return grant;
}

/* For tsearch: shorter first, then by bytes. */
static int compare(const void *a, const void *b)
{
    const wsk_grant_t *left = a;
    const wsk_grant_t *right = b;

    if (left->len != right->len) {
        return left->len < right->len ? -1 : 1;
    }
    return memcmp(left->saved, right->saved, left->len);
}

void wsk_grant_unref(wsk_grant_t *grant)
{
    if (grant == NULL || --grant->refs > 0) {
        return;
    }
    if (grant->table != NULL) {
        tdelete(grant, &grant->table->root, compare);
    }
    free(grant);
}

wsk_grant_table_t *wsk_grant_table_make(void)
{
    return calloc(1, sizeof(wsk_grant_table_t));
}

void wsk_grant_table_free(wsk_grant_table_t *table)
{
    while (table != NULL && table->root != NULL) {
        wsk_grant_t *grant = *(wsk_grant_t **)table->root;

        grant->table = NULL;
        tdelete(grant, &table->root, compare);
    }
    free(table);
}

wsk_grant_t *wsk_grant_intern(wsk_grant_table_t *table, wsk_grant_t *grant)
{
    wsk_grant_t **node = tsearch(grant, &table->root, compare);
    wsk_grant_t *equal;

    if (node == NULL) {
        return grant;
    }
    equal = *node;
    if (equal == grant) {
        grant->table = table;
        return grant;
    }
    wsk_grant_ref(equal);
    wsk_grant_unref(grant);
    return equal;
}

/* Step to the next entry. @return false at the end, or where it breaks off */
static bool next_entry(entry_t *entry, const uint8_t **pat, const uint8_t *end)
{
    const uint8_t *at = *pat;

    if (end - at < ENTRY_HEAD) {
        return false;
    }
    entry->name.len = (size_t)at[0] << 8 | at[1];
    entry->name.at = (const char *)at + ENTRY_HEAD;
    entry->rights = at[2];
    if ((size_t)(end - at - ENTRY_HEAD) < entry->name.len) {
        return false;
    }
    *pat = at + ENTRY_HEAD + entry->name.len;
    return true;
}

static bool starts_with(wsk_slice_t text, wsk_slice_t with)
{
    return text.len >= with.len && memcmp(text.at, with.at, with.len) == 0;
}

/* Whether the qualified spelling of a bare name begins with `name`; compared
 * piece by piece, so that nothing needs to be put together. */
static bool qualified_starts_with(const char *site_id, wsk_slice_t bare,
                                  wsk_slice_t name)
{
    const wsk_slice_t pieces[] = {
        { "site:", 5 }, { site_id, strlen(site_id) }, { ":", 1 }, bare
    };
    size_t i, len;

    for (i = 0; i < WSK_COUNT_OF(pieces) && name.len > 0; i++) {
        len = WSK_MIN(pieces[i].len, name.len);
        if (memcmp(pieces[i].at, name.at, len) != 0) {
            return false;
        }
        name.at += len;
        name.len -= len;
    }
    return name.len == 0;
}

static size_t qualified_len(const char *site_id, wsk_slice_t bare)
{
    return sizeof("site::") - 1 + strlen(site_id) + bare.len;
}

static bool is_document(wsk_slice_t bare)
{
    const wsk_slice_t yjs = { "yjs:", 4 };

    return starts_with(bare, yjs);
}

static bool reaches(const entry_t *entry, const char *site_id, wsk_slice_t bare,
                    wsk_slice_t given)
{
    const wsk_slice_t name = entry->name;

    if ((entry->rights & EXACT) == 0) {
        return starts_with(given, name)
               || qualified_starts_with(site_id, bare, name);
    }
    if (name.len == bare.len) {
        return starts_with(bare, name);
    }
    return name.len == qualified_len(site_id, bare)
           && qualified_starts_with(site_id, bare, name);
}

static bool may(const wsk_grant_t *grant, unsigned right, const char *site_id,
                wsk_slice_t bare, wsk_slice_t given)
{
    const bool only_exact = grant->saved[1] == 3 && is_document(bare);
    const uint8_t *at = grant->saved + HEAD;
    const uint8_t *end = grant->saved + grant->len;
    entry_t entry;

    while (next_entry(&entry, &at, end)) {
        if ((entry.rights & right) != 0
            && (!only_exact || (entry.rights & EXACT) != 0)
            && reaches(&entry, site_id, bare, given)) {
            return true;
        }
    }
    return false;
}

bool wsk_grant_may_read(const wsk_grant_t *grant, const char *site_id,
                        wsk_slice_t bare, wsk_slice_t given)
{
    return may(grant, READ, site_id, bare, given);
}

bool wsk_grant_may_write(const wsk_grant_t *grant, const char *site_id,
                         wsk_slice_t bare, wsk_slice_t given)
{
    return !wsk_channel_reserved(bare)
           && may(grant, WRITE, site_id, bare, given);
}

size_t wsk_grant_save(const wsk_grant_t *grant, uint8_t *out, size_t cap)
{
    if (cap >= grant->len) {
        memcpy(out, grant->saved, grant->len);
    }
    return grant->len;
}

/* What wsk_grant_make could have put there, for that version of token. */
static bool is_entry(const entry_t *entry, int version)
{
    switch (entry->rights) {
    case READ | WRITE:
        return is_kept(entry->name) && version == 1;
    case READ:
    case WRITE:
        return is_kept(entry->name) && version != 1;
    case EXACT | READ:
    case EXACT | READ | WRITE:
        return is_kept(entry->name) && version == 3;
    default:
        return false;
    }
}

static bool hangs_together(const uint8_t *bytes, size_t len)
{
    const uint8_t *at;
    entry_t entry;

    if (len < HEAD || bytes[0] != FORMAT || bytes[1] < 1 || bytes[1] > 3) {
        return false;
    }
    at = bytes + HEAD;
    while (next_entry(&entry, &at, bytes + len)) {
        if (!is_entry(&entry, bytes[1])) {
            return false;
        }
    }
    return at == bytes + len;
}

wsk_grant_t *wsk_grant_load(const uint8_t *bytes, size_t len)
{
    wsk_grant_t *grant;

    if (!hangs_together(bytes, len)) {
        return NULL;
    }
    grant = grant_of_size(len);
    if (grant != NULL) {
        memcpy(grant->saved, bytes, len);
        grant->len = len;
    }
    return grant;
}
