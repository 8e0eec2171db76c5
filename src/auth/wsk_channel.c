/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_channel.h"

#include <string.h>

static const char SITE[] = "site:";
static const char RESERVED[] = "wps:";

static bool starts_with(wsk_slice_t text, const char *with, size_t len)
{
    return text.len >= len && memcmp(text.at, with, len) == 0;
}

static wsk_slice_t without(wsk_slice_t text, size_t len)
{
    const wsk_slice_t rest = { text.at + len, text.len - len };

    return rest;
}

wsk_slice_t wsk_channel_bare(wsk_slice_t given, const char *site_id)
{
    const size_t id_len = strlen(site_id);
    wsk_slice_t bare = given;
    wsk_slice_t rest;

    while (starts_with(bare, SITE, sizeof(SITE) - 1)) {
        rest = without(bare, sizeof(SITE) - 1);
        if (!starts_with(rest, site_id, id_len) || rest.len == id_len
            || rest.at[id_len] != ':') {
            break;
        }
        bare = without(rest, id_len + 1);
    }
    return bare;
}

/* How many bytes the character takes that `text` begins with, and which it
 * is; 0 if it is not well-formed (Unicode, table 3-7). */
static size_t character(uint32_t *pcode, wsk_slice_t text)
{
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    const uint8_t *at = (const uint8_t *)text.at;
    uint32_t code;
    size_t len, i;

    if (at[0] < 0x80) {
        len = 1;
        code = at[0];
    }
    else if (at[0] < 0xc0 || at[0] > 0xf4) {
        return 0;
    }
    else {
        len = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
        code = at[0] & (0x7fU >> len);
    }
    if (len > text.len) {
        return 0;
    }
    for (i = 1; i < len; i++) {
        if ((at[i] & 0xc0) != 0x80) {
            return 0;
        }
        code = code << 6 | (at[i] & 0x3f);
    }
    *pcode = code;
    return code < least[len] || code > 0x10ffff
                   || (code >= 0xd800 && code <= 0xdfff)
               ? 0
               : len;
}

static bool may_stand_in_a_name(uint32_t code)
{
    return code >= 0x20 && (code < 0x7f || code > 0x9f) && code != ',';
}

bool wsk_channel_valid(wsk_slice_t bare, size_t max)
{
    uint32_t code = 0;
    size_t len;

    if (bare.len == 0 || bare.len > max || bare.at[0] == ' '
        || bare.at[bare.len - 1] == ' ') {
        return false;
    }
    while (bare.len > 0) {
        len = character(&code, bare);
        if (len == 0 || !may_stand_in_a_name(code)) {
            return false;
        }
        bare = without(bare, len);
    }
    return true;
}

bool wsk_channel_reserved(wsk_slice_t bare)
{
    return starts_with(bare, RESERVED, sizeof(RESERVED) - 1);
}
