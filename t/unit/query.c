/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_query.h"

#include "tap.h"

static void finds(const char *query, const char *want, const char *what)
{
    const wsk_slice_t got = wsk_query_find(
        (wsk_slice_t){ query, strlen(query) }, "since");

    if (want == NULL) {
        ok(got.at == NULL && got.len == 0, "%s", what);
        return;
    }
    is_mem(got.at, got.len, want, strlen(want), "%s", what);
}

static void find(void)
{
    finds("since=1-2", "1-2", "a parameter alone");
    finds("a=1&since=1-2&b=2", "1-2", "among others");
    finds("since=1&since=2", "1", "the first of two");
    finds("since=", "", "an empty value is one");
    finds("since=a=b", "a=b", "a value ends at the ampersand alone");
    finds("since", NULL, "a name without a value is none");
    finds("xsince=1", NULL, "the end of another name is none");
    finds("sinces=1", NULL, "nor is its beginning");
    finds("Since=1", NULL, "nor is it in other letters");
    finds("s%69nce=1", NULL, "nor written otherwise");
    finds("&&since=3&", "3", "empty parameters are stepped over");
    finds("", NULL, "an empty query has none");
    ok(wsk_query_find((wsk_slice_t){ NULL, 0 }, "since").at == NULL,
       "nor has no query");
    ok(wsk_query_find((wsk_slice_t){ "a=1&since=2", 9 }, "since").at == NULL,
       "what lies behind the end is not looked at");
}

static void cuts(const char *text, const char *want, const char *what)
{
    char copy[200];

    snprintf(copy, sizeof(copy), "%s", text);
    wsk_query_cut(copy, "token");
    is_str(copy, want, "%s", what);
}

static void cut(void)
{
    cuts("/ws?token=abc", "/ws", "with the last one the mark goes");
    cuts("/ws?token=abc&a=1", "/ws?a=1", "at the front");
    cuts("/ws?a=1&token=abc&b=2", "/ws?a=1&b=2", "in the middle");
    cuts("/ws?a=1&token=abc", "/ws?a=1", "at the end");
    cuts("/ws?token=a&token=b&c=1&token=d", "/ws?c=1", "all of them");
    cuts("/ws?token=a&token=b", "/ws", "and nothing else");
    cuts("/ws?token=", "/ws", "an empty one");
    cuts("/ws?xtoken=a&tokens=b&token", "/ws?xtoken=a&tokens=b&token",
         "others stay");
    cuts("/ws?&token=a&&b", "/ws?&&b", "empty ones stay");
    cuts("/ws?a=?token=1", "/ws?a=?token=1", "a second mark is a character");
    cuts("/ws", "/ws", "no query, no change");
    cuts("/ws?", "/ws?", "nor with an empty one");
    cuts("/token=a", "/token=a", "a path is left alone");
    cuts("GET /ws?token=abc HTTP/1.1", "GET /ws HTTP/1.1",
         "what follows a query stays");
    cuts("GET /ws?a=1&token=abc HTTP/1.1", "GET /ws?a=1 HTTP/1.1",
         "with what is before");
    cuts("GET /ws HTTP/1.1?token=a", "GET /ws HTTP/1.1",
         "and who writes a mark elsewhere leaves no token");
}

int main(void)
{
    find();
    cut();
    return done_testing();
}
