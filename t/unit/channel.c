/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_channel.h"

#include "auth_fixture.h"

static void spellings_are_those_of_the_vectors(const json_t *all)
{
    const char *site_id = text(all, "site_id");
    const json_t *one;
    size_t i;

    json_array_foreach(cases(all, "spellings"), i, one)
    {
        const wsk_slice_t want = slice_of(one, "bare");
        wsk_slice_t bare = wsk_channel_bare(slice_of(one, "given"), site_id);

        is_mem(bare.at, bare.len, want.at, want.len, "%s", text(one, "name"));
        bare = wsk_channel_bare(bare, site_id);
        is_mem(bare.at, bare.len, want.at, want.len, "%s: and stays so",
               text(one, "name"));
    }
}

static void names_are_those_of_the_vectors(const json_t *all)
{
    const size_t max = (size_t)json_integer_value(member(all, "max"));
    const json_t *one;
    size_t i;

    is_int((intmax_t)max, WSK_CHANNEL_MAX, "the vectors know the bound");
    json_array_foreach(cases(all, "names"), i, one)
    {
        is_int(wsk_channel_valid(slice_of(one, "channel"), max),
               json_is_true(member(one, "valid")), "a name of %s is %s",
               text(one, "name"),
               json_is_true(member(one, "valid")) ? "valid" : "refused");
    }
    json_array_foreach(cases(all, "reserved"), i, one)
    {
        is_int(wsk_channel_reserved(slice_of(one, "channel")),
               json_is_true(member(one, "reserved")), "\"%s\" is %s",
               text(one, "channel"),
               json_is_true(member(one, "reserved")) ? "reserved" : "free");
    }
}

static void bytes_are_those_of_the_vectors(const json_t *all)
{
    uint8_t bytes[64];
    const json_t *one;
    size_t i;

    json_array_foreach(cases(all, "bytes"), i, one)
    {
        const wsk_slice_t hex = slice_of(one, "hex");
        const wsk_slice_t name = { (const char *)bytes, hex.len / 2 };

        ok(wsk_unhex(bytes, name.len, hex), "%s: hex", text(one, "name"));
        is_int(wsk_channel_valid(name, WSK_CHANNEL_MAX),
               json_is_true(member(one, "valid")), "a name with %s is %s",
               text(one, "name"),
               json_is_true(member(one, "valid")) ? "valid" : "refused");
    }
}

/* The UTF-8 of a number, whether or not it is a character. */
static size_t encode(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3f));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3f));
        out[2] = (char)(0x80 | (code & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3f));
    out[2] = (char)(0x80 | (code >> 6 & 0x3f));
    out[3] = (char)(0x80 | (code & 0x3f));
    return 4;
}

static void every_character_is_judged(void)
{
    char name[6] = "x";
    wsk_slice_t all = { name, 0 };
    size_t wrong = 0;
    uint32_t code;

    for (code = 0; code < 0x1fffff; code++) {
        const bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        const bool is_character = code <= 0x10ffff
                                  && (code < 0xd800 || code > 0xdfff);

        all.len = 1 + encode(name + 1, code);
        name[all.len++] = 'x';
        wrong += wsk_channel_valid(all, 200)
                 != (is_character && !is_control && code != ',');
    }
    is_int((intmax_t)wrong, 0,
           "of all characters only controls and the comma "
           "are refused, and no surrogate passes");
}

static void a_name_is_not_read_past_its_end(void)
{
    char name[4];
    wsk_slice_t cut = { name, 0 };
    size_t wrong = 0;

    encode(name, 0x1f600);
    for (cut.len = 0; cut.len < 4; cut.len++) {
        wrong += wsk_channel_valid(cut, 200);
    }
    is_int((intmax_t)wrong, 0, "what follows a name does not complete it");
    cut.len = 4;
    ok(wsk_channel_valid(cut, 4), "a name as long as the bound is valid");
    ok(!wsk_channel_valid(cut, 3), "a bound may be lower than the vectors'");
}

int main(void)
{
    json_t *all = vectors("channels.json");

    spellings_are_those_of_the_vectors(all);
    names_are_those_of_the_vectors(all);
    bytes_are_those_of_the_vectors(all);
    every_character_is_judged();
    a_name_is_not_read_past_its_end();
    json_decref(all);
    return done_testing();
}
