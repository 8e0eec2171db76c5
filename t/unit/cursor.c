/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_log.h"

#include "tap.h"

static const struct {
    uint64_t epoch, seq;
    const char *text;
} forms[] = {
    { 0, 0, "000000000000-0" },
    { 1, 7, "000000000001-7" },
    { UINT64_C(0xabcdef012345), 10, "abcdef012345-10" },
    { UINT64_C(0xffffffffffff), UINT64_MAX,
      "ffffffffffff-18446744073709551615" },
};

static const char *const not_ids[] = { "",
                                       "-",
                                       "abc",
                                       "000000000001",
                                       "000000000001-",
                                       "00000000001-7",
                                       "0000000000001-7",
                                       "00000000000A-7",
                                       "00000000000g-7",
                                       "000000000001-07",
                                       "000000000001-00",
                                       "000000000001--7",
                                       "000000000001-+7",
                                       "000000000001-7 ",
                                       " 00000000001-7",
                                       "000000000001-7a",
                                       "000000000001:7",
                                       "000000000001-18446744073709551616",
                                       "000000000001-99999999999999999999",
                                       "000000000001-000000000000000000001" };

int main(void)
{
    wsk_cursor_t cursor;
    char text[WSK_ID_MAX];
    size_t i, len;

    for (i = 0; i < WSK_COUNT_OF(forms); i++) {
        const wsk_slice_t slice = { forms[i].text, strlen(forms[i].text) };
        const wsk_cursor_t from = { forms[i].epoch, forms[i].seq };

        len = wsk_cursor_text(text, &from);
        is_str(text, forms[i].text, "an id is written %s", forms[i].text);
        is_int((intmax_t)len, (intmax_t)slice.len, "and its length told");
        ok(wsk_cursor_parse(slice, &cursor) && cursor.epoch == from.epoch
               && cursor.seq == from.seq,
           "and read again");
    }
    for (i = 0; i < WSK_COUNT_OF(not_ids); i++) {
        const wsk_slice_t slice = { not_ids[i], strlen(not_ids[i]) };

        cursor.epoch = 5;
        cursor.seq = 6;
        ok(!wsk_cursor_parse(slice, &cursor) && cursor.epoch == 5
               && cursor.seq == 6,
           "\"%s\" is none", not_ids[i]);
    }
    return done_testing();
}
