/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "auth/wsk_claims.h"

#include "auth_fixture.h"

#define SITE "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOW INT64_C(1700000000)

/* Claims that are all right: what is under test is set over them. */
static json_t *base(void)
{
    return json_pack("{s:i, s:s, s:[s], s:[s], s:I, s:I}", "v", 2, "user_id",
                     "1", "allowed_channel_prefixes",
                     "a:", "allowed_publish_prefixes", "b:", "iat",
                     (json_int_t)NOW, "exp", (json_int_t)NOW + 300);
}

static json_t *with(const char *changes)
{
    json_t *object = base();
    json_error_t error;
    json_t *over = json_loads(changes, 0, &error);

    if (object == NULL || over == NULL
        || json_object_update(object, over) != 0) {
        printf("Bail out! %s: %s\n", changes, error.text);
        exit(1);
    }
    json_decref(over);
    return object;
}

static wsk_token_e read_with(const char *changes, wsk_claims_t *claims)
{
    json_t *object = with(changes);
    const wsk_token_e why = wsk_claims_read(object, NOW, claims);

    json_decref(object);
    return why;
}

/* "rw" as the grant has it, for a bare name; and done with. */
static const char *rights_in(const char *changes, const char *bare)
{
    wsk_claims_t claims;

    if (read_with(changes, &claims) != WSK_TOKEN_OK) {
        return "refused";
    }
    {
        const wsk_slice_t name = slice(bare);
        const bool r = wsk_grant_may_read(claims.grant, SITE, name, name);
        const bool w = wsk_grant_may_write(claims.grant, SITE, name, name);

        wsk_grant_unref(claims.grant);
        return r && w ? "rw" : r ? "r" : w ? "w" : "";
    }
}

static void what_was_said_is_what_is_read(void)
{
    wsk_claims_t claims;

    is_int(read_with("{\"user_id\":\"jos\u00e9 7\"}", &claims), WSK_TOKEN_OK,
           "claims are read");
    is_int(claims.version, 2, "the version");
    is_str(claims.user_id, "jos\u00e9 7", "the user");
    is_int(claims.iat, NOW, "iat");
    is_int(claims.exp, NOW + 300, "exp");
    wsk_grant_unref(claims.grant);
    is_int(read_with("{\"user_id\":9223372036854775807}", &claims),
           WSK_TOKEN_OK, "a user may be a number");
    is_str(claims.user_id, "9223372036854775807", "which becomes text");
    wsk_grant_unref(claims.grant);
    is_int(read_with("{\"user_id\":0}", &claims), WSK_TOKEN_OK,
           "a visitor may be a number");
    is_str(claims.user_id, "0", "which is zero");
    wsk_grant_unref(claims.grant);
}

static void lists_become_rights(void)
{
    is_str(rights_in("{}", "a:1"), "r", "the first list is to read");
    is_str(rights_in("{}", "b:1"), "w", "the second is to write");
    is_str(rights_in("{}", "c:1"), "", "nothing else is allowed");
    is_str(rights_in("{\"v\":1}", "a:1"), "rw",
           "in version 1 who reads may write");
    is_str(rights_in("{\"v\":1}", "b:1"), "",
           "in version 1 the second list is not looked at");
    is_str(rights_in("{\"allowed_channel_prefixes\":{\"0\":\"x:\","
                     "\"7\":\"y:\"}}",
                     "y:1"),
           "r", "a list with holes is a list");
    is_str(rights_in("{\"allowed_publish_prefixes\":{\"3\":\"y:\"}}", "y:1"),
           "w", "to write, too");
    is_str(rights_in("{\"allowed_channel_prefixes\":[\"m:\",\"n:\",\"o:\"]}",
                     "n:1"),
           "r", "a list has many");
    is_str(rights_in("{\"allowed_channel_prefixes\":[\"\"]}", "a:1"), "",
           "an empty prefix is none");
}

static void rooms_are_of_version_three(void)
{
    const char *rooms =
        "{\"v\":3,\"rooms\":{\"yjs:1\":\"rw\",\"yjs:2\":\"r\"}}";

    is_str(rights_in(rooms, "yjs:1"), "rw", "a room to write in");
    is_str(rights_in(rooms, "yjs:2"), "r", "a room to read in");
    is_str(rights_in(rooms, "yjs:12"), "", "a room is no prefix");
    is_str(rights_in(rooms, "a:1"), "r", "prefixes go on");
    is_str(rights_in("{\"rooms\":{\"yjs:1\":\"rw\"}}", "yjs:1"), "",
           "version 2 has none");
    is_str(rights_in("{\"v\":3,\"rooms\":[]}", "a:1"), "r",
           "an empty list is no rooms");
    is_str(rights_in("{\"v\":3,\"rooms\":[\"yjs:1\"]}", "a:1"), "refused",
           "any other list is refused");
}

static void refusals_come_in_order(void)
{
    static const uint8_t marks[sizeof(wsk_claims_t)] = { 0x5a };
    wsk_claims_t claims;
    json_t *object;

    memset(&claims, 0, sizeof(claims));
    memcpy(&claims, marks, sizeof(marks));
    is_int(read_with("{\"exp\":1700000000,\"iat\":1699999999}", &claims),
           WSK_TOKEN_EXPIRED, "exp equal to now is over");
    is_int(read_with("{\"exp\":1700000000,\"iat\":1699999999,"
                     "\"allowed_channel_prefixes\":7}",
                     &claims),
           WSK_TOKEN_CLAIMS, "a wrong claim comes before that");
    is_int(read_with("{\"exp\":1700000000,\"iat\":1699999999,"
                     "\"nbf\":1800000000}",
                     &claims),
           WSK_TOKEN_EXPIRED, "the end comes before the beginning");
    is_int(read_with("{\"nbf\":1700000031}", &claims), WSK_TOKEN_EARLY,
           "31 seconds early is early");
    is_int(read_with("{\"v\":3,\"rooms\":{\"a\":\"r\",\"b\":\"w\"}}", &claims),
           WSK_TOKEN_CLAIMS, "one wrong room is enough");
    is_int(read_with("{\"aud\":null}", &claims), WSK_TOKEN_CLAIMS,
           "aud is for somebody else");
    object = json_object();
    is_int(wsk_claims_read(object, NOW, &claims), WSK_TOKEN_CLAIMS,
           "no claims are refused");
    json_decref(object);
    is_mem(&claims, sizeof(claims), marks, sizeof(marks),
           "none of them touched what the caller has");
}

static void the_clock_may_be_odd(void)
{
    json_t *object = with("{\"nbf\":9223372036854775807}");
    wsk_claims_t claims;

    is_int(wsk_claims_read(object, INT64_MAX, &claims), WSK_TOKEN_EXPIRED,
           "at the end of time everything is over");
    is_int(wsk_claims_read(object, INT64_MIN, &claims), WSK_TOKEN_EARLY,
           "at its beginning nothing has begun");
    is_int(wsk_claims_read(object, 0, &claims), WSK_TOKEN_EARLY, "nor in 1970");
    json_decref(object);
}

static void without_memory_nothing_is_read(void)
{
    json_t *object = with(
        "{\"v\":3,\"rooms\":{\"yjs:1\":\"rw\",\"yjs:2\":\"r\"}}");
    size_t nomem = 0;
    bool hit = true;
    wsk_claims_t claims;
    wsk_token_e why;
    long n;

    for (n = 0; hit && n < 100; n++) {
        fault_arm(FAULT_MEMORY, n, LONG_MAX);
        why = wsk_claims_read(object, NOW, &claims);
        hit = fault_end();
        nomem += why == WSK_TOKEN_NOMEM;
        if (why == WSK_TOKEN_OK) {
            wsk_grant_unref(claims.grant);
        }
    }
    json_decref(object);
    is_int((intmax_t)nomem, n - 1,
           "each of %ld allocations that failed was "
           "told",
           n - 1);
    ok(n > 4 && !hit, "and then there was enough");
}

int main(void)
{
    what_was_said_is_what_is_read();
    lists_become_rights();
    rooms_are_of_version_three();
    refusals_come_in_order();
    the_clock_may_be_odd();
    without_memory_nothing_is_read();
    return done_testing();
}
