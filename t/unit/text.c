/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "transport/wsk_text.h"

#include "tap.h"

static wsk_slice_t slice(const char *at)
{
    return (wsk_slice_t){ at, strlen(at) };
}

static void is_text(wsk_text_t *t, const char *want, const char *what)
{
    ok(wsk_text_ok(t), "%s: there was memory", what);
    is_mem(t->at, t->len, want, strlen(want), "%s", what);
    wsk_text_free(t);
}

static void strings(void)
{
    wsk_text_t t = { 0 };
    char all[0x7f];
    json_t *back;
    unsigned i;

    wsk_text_string(&t, slice(""));
    is_text(&t, "\"\"", "an empty string");
    wsk_text_string(&t, slice("a\"b\\c/\n\x01\x1f\x7f"));
    is_text(&t, "\"a\\\"b\\\\c/\\n\\u0001\\u001f\x7f\"",
            "quotes, backslashes and control characters");
    wsk_text_string(&t, slice("\xc3\xa4\xf0\x9f\x98\x80"));
    is_text(&t, "\"\xc3\xa4\xf0\x9f\x98\x80\"", "other characters as they are");
    for (i = 0; i < sizeof(all); i++) {
        all[i] = (char)(i + 1);
    }
    wsk_text_string(&t, (wsk_slice_t){ all, sizeof(all) });
    back = json_loadb(t.at, t.len, JSON_DECODE_ANY, NULL);
    is_mem(json_string_value(back), json_string_length(back), all, sizeof(all),
           "a reader gets every character back");
    json_decref(back);
    wsk_text_free(&t);
}

static void growing(void)
{
    wsk_text_t t = { 0 };
    unsigned wrong = 0, i;

    for (i = 0; i < 1000; i++) {
        wsk_text_fmt(&t, "%u,", 1000 + i);
    }
    is_int((intmax_t)t.len, 5000, "a text grows");
    for (i = 0; i < 1000; i++) {
        wrong += (unsigned)atoi(t.at + 5 * (size_t)i) != 1000 + i;
    }
    is_int(wrong, 0, "and keeps all it was given");
    wsk_text_free(&t);
    wsk_text_fmt(&t, "%600s", "");
    ok(!wsk_text_ok(&t), "a format too long for its line says so");
    wsk_text_put(&t, "more");
    is_int((intmax_t)t.len, 0, "and nothing is added to it then");
    wsk_text_free(&t);
    ok(wsk_text_ok(&t), "a text that was freed is new");
}

static void bodies(void)
{
    wsk_text_t t = { 0 };
    json_t *data = json_pack("{s:s, s:[i,n]}", "a", "line\nline", "b", 1);

    wsk_text_body(&t, (wsk_slice_t){ "post.\"x\"", 8 }, data);
    is_text(&t,
            "\"event\":\"post.\\\"x\\\"\",\"data\":{\"a\":\"line\\nline\","
            "\"b\":[1,null]}",
            "a body, compact and on one line");
    json_decref(data);
    data = json_integer(7);
    wsk_text_body(&t, (wsk_slice_t){ "n", 1 }, data);
    is_text(&t, "\"event\":\"n\",\"data\":7", "data may be any value");
    json_decref(data);
    data = json_pack("[b,b,n,f,I,[],{}]", 1, 0, 1.5,
                     (json_int_t)-9007199254740993);
    wsk_text_body(&t, (wsk_slice_t){ "n", 1 }, data);
    is_text(&t,
            "\"event\":\"n\",\"data\":[true,false,null,1.5,-9007199254740993,"
            "[],{}]",
            "each as it was written");
    json_decref(data);
    data = json_stringn("a\0b", 3);
    wsk_text_body(&t, (wsk_slice_t){ "n\0m", 3 }, data);
    is_text(&t, "\"event\":\"n\\u0000m\",\"data\":\"a\\u0000b\"",
            "lengths say where a text ends, not NUL");
    json_decref(data);
    wsk_text_body(&t, (wsk_slice_t){ "n", 1 }, NULL);
    is_text(&t, "\"event\":\"n\",\"data\":{}", "no data is an empty object");
}

static void messages(void)
{
    const wsk_record_t record = { .channel = { "po\"sts", 6 },
                                  .body = { "\"event\":\"e\",\"data\":{}",
                                            21 } };
    const wsk_cursor_t id = { 0xabc, 7 };
    wsk_text_t t = { 0 };

    wsk_text_message(&t, &record, &id, true);
    is_text(&t,
            "{\"type\":\"message\",\"channel\":\"po\\\"sts\",\"event\":\"e\","
            "\"data\":{},\"id\":\"000000000abc-7\"}",
            "an envelope for sockets");
    wsk_text_message(&t, &record, &id, false);
    is_text(&t,
            "{\"channel\":\"po\\\"sts\",\"event\":\"e\",\"data\":{},"
            "\"id\":\"000000000abc-7\"}",
            "and without its type for streams and polls");
}

/* Whichever allocation fails, the text says so, and frees. */
static void without_memory(void)
{
    wsk_text_t t = { 0 };
    long after;
    unsigned silent = 0, failures = 0;
    bool hit = true;

    for (after = 0; hit && after < 100; after++) {
        unsigned i;

        fault_arm(FAULT_MEMORY, after, LONG_MAX);
        for (i = 0; i < 40; i++) {
            wsk_text_put(&t, "0123456789abcdef");
        }
        hit = fault_end();
        failures += hit;
        silent += hit && wsk_text_ok(&t);
        wsk_text_free(&t);
    }
    ok(failures > 2, "memory ran out in %u places", failures);
    is_int(silent, 0, "and never in silence");
}

int main(void)
{
    strings();
    growing();
    bodies();
    messages();
    without_memory();
    return done_testing();
}
