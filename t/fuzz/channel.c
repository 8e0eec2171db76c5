/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a client calls a channel: its bare name is the end of what was
 * given and stays when looked at again, a valid one is text, and rights to it
 * are what a comparison of names put together says.
 *
 * Input: a prefix and a name, with a line feed between them; in each a `@`
 * stands for the qualifying prefix of the site.
 */
#include "auth/wsk_channel.h"

#include <jansson.h>

#include "auth/wsk_grant.h"
#include "auth_fixture.h"

#define SITE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define QUALIFIER "site:" SITE ":"
#define MOST 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* The bytes with `@` written out; cut where it gets too long. */
static wsk_slice_t written_out(char out[MOST], const uint8_t *at, size_t len)
{
    wsk_slice_t whole = { out, 0 };
    size_t i;

    for (i = 0; i < len && whole.len + sizeof(QUALIFIER) < MOST; i++) {
        if (at[i] == '@') {
            memcpy(out + whole.len, QUALIFIER, sizeof(QUALIFIER) - 1);
            whole.len += sizeof(QUALIFIER) - 1;
        }
        else {
            out[whole.len++] = (char)at[i];
        }
    }
    return whole;
}

static bool begins(wsk_slice_t text, wsk_slice_t with)
{
    return text.len >= with.len && memcmp(text.at, with.at, with.len) == 0;
}

/* jansson's opinion of UTF-8, and our rules one by one. */
static bool valid_by_the_book(wsk_slice_t bare)
{
    json_t *text = json_stringn(bare.at, bare.len);
    bool valid = text != NULL && bare.len > 0 && bare.len <= WSK_CHANNEL_MAX
                 && bare.at[0] != ' ' && bare.at[bare.len - 1] != ' ';
    size_t i;

    for (i = 0; valid && i < bare.len; i++) {
        const unsigned char c = (unsigned char)bare.at[i];
        const unsigned char next = (unsigned char)(i + 1 < bare.len
                                                       ? bare.at[i + 1]
                                                       : 0);

        valid = c >= 0x20 && c != 0x7f && c != ','
                && (c != 0xc2 || next >= 0xa0);
    }
    json_decref(text);
    return valid;
}

static bool right_by_the_book(wsk_slice_t prefix, wsk_slice_t bare,
                              wsk_slice_t given)
{
    static char name[sizeof(QUALIFIER) + MOST];
    const wsk_slice_t qualified = { name, sizeof(QUALIFIER) - 1 + bare.len };

    memcpy(name, QUALIFIER, sizeof(QUALIFIER) - 1);
    memcpy(name + sizeof(QUALIFIER) - 1, bare.at, bare.len);
    return prefix.len > 0 && prefix.len <= WSK_GRANT_NAME_MAX
           && (begins(qualified, prefix) || begins(given, prefix));
}

static void one_right(wsk_slice_t prefix, wsk_slice_t bare, wsk_slice_t given,
                      int version)
{
    const wsk_grant_spec_t spec = { .version = version,
                                    .read = &prefix,
                                    .nread = 1,
                                    .write = &prefix,
                                    .nwrite = 1 };
    const bool is_document = begins(bare, slice("yjs:"));
    const bool right = right_by_the_book(prefix, bare, given)
                       && (version != 3 || !is_document);
    wsk_grant_t *grant = wsk_grant_make(&spec);

    must(grant != NULL, "no memory");
    must(wsk_grant_may_read(grant, SITE, bare, given) == right, "reading");
    must(wsk_grant_may_write(grant, SITE, bare, given)
             == (right && !begins(bare, slice("wps:"))),
         "writing");
    wsk_grant_unref(grant);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char first[MOST], second[MOST];
    const uint8_t *feed = size > 0 ? memchr(data, '\n', size) : NULL;
    wsk_slice_t prefix, given, bare, again;
    int version;

    if (feed == NULL) {
        return 0;
    }
    prefix = written_out(first, data, (size_t)(feed - data));
    given = written_out(second, feed + 1, size - (size_t)(feed - data) - 1);
    bare = wsk_channel_bare(given, SITE);
    again = wsk_channel_bare(bare, SITE);
    must(bare.len <= given.len && bare.at + bare.len == given.at + given.len,
         "a bare name is no end of what was given");
    must(again.at == bare.at && again.len == bare.len,
         "a bare name has another bare name");
    must(!begins(bare, slice(QUALIFIER)), "a bare name is qualified");
    must(wsk_channel_valid(bare, WSK_CHANNEL_MAX) == valid_by_the_book(bare),
         "two opinions on a name");
    must(wsk_channel_reserved(bare) == begins(bare, slice("wps:")),
         "two opinions on who may speak");
    for (version = 1; version <= 3; version++) {
        one_right(prefix, bare, given, version);
    }
    return 0;
}
