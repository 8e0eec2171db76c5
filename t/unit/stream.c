/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_stream.h"

#include "auth_fixture.h"

#define NOW INT64_C(1700000000)

static const uint8_t random_one[WSK_STREAM_RANDOM] = { 1, 2, 3, 4 };

static wsk_stream_owner_t owner(const char *secret, const char *site,
                                const char *user)
{
    return (wsk_stream_owner_t){ slice(secret), slice(site), slice(user) };
}

static bool good(const wsk_stream_owner_t *who, const char *id, int64_t now_s)
{
    uint64_t sender;

    return wsk_stream_check(who, slice(id), now_s, &sender);
}

static void owners(void)
{
    const wsk_stream_owner_t who = owner("secret", "site", "7");
    const wsk_stream_owner_t others[] = { owner("Secret", "site", "7"),
                                          owner("secret", "sites", "7"),
                                          owner("secret", "site", "8"),
                                          owner("secret", "site", "") };
    char id[WSK_STREAM_LEN + 1];
    uint64_t sender = 0, again = 1;
    unsigned i, wrong = 0;

    ok(wsk_stream_make(&who, 0, random_one, id), "an id is made");
    is_int((intmax_t)strlen(id), WSK_STREAM_LEN, "of 32 letters");
    is_int((intmax_t)strspn(id, "0123456789abcdef"), WSK_STREAM_LEN,
           "all hex digits");
    ok(wsk_stream_check(&who, slice(id), NOW, &sender), "it is its owner's");
    wsk_stream_check(&who, slice(id), NOW + 100, &again);
    ok(sender != 0 && sender == again, "under one number");
    for (i = 0; i < WSK_COUNT_OF(others); i++) {
        wrong += good(&others[i], id, NOW);
    }
    is_int(wrong, 0, "of another server, site or user it is not");
}

static void forged(void)
{
    const wsk_stream_owner_t who = owner("secret", "site", "7");
    char id[WSK_STREAM_LEN + 2], other[WSK_STREAM_LEN + 1];
    unsigned i, accepted = 0;

    wsk_stream_make(&who, 0, random_one, id);
    for (i = 0; i < WSK_STREAM_LEN; i++) {
        const char was = id[i];

        id[i] = was == '0' ? '1' : '0';
        accepted += good(&who, id, NOW);
        id[i] = was;
    }
    is_int(accepted, 0, "with any digit changed it is nobody's");
    accepted = (unsigned)good(&who, "", NOW)
               + (unsigned)good(&who, "00000000000000000000000000000000", NOW);
    id[WSK_STREAM_LEN] = '0';
    id[WSK_STREAM_LEN + 1] = '\0';
    accepted += good(&who, id, NOW);
    id[WSK_STREAM_LEN - 1] = '\0';
    accepted += good(&who, id, NOW);
    is_int(accepted, 0, "nor of another length");
    wsk_stream_make(&who, 0, (const uint8_t *)"abcd", other);
    ok(strncmp(id, other, 16) != 0 && strncmp(id + 16, other + 16, 15) != 0,
       "two ids of one user differ, and so do their numbers");
}

static void times(void)
{
    const wsk_stream_owner_t who = owner("secret", "site", "7");
    char id[WSK_STREAM_LEN + 1];

    wsk_stream_make(&who, (uint32_t)NOW, random_one, id);
    ok(good(&who, id, NOW - 30) && good(&who, id, NOW),
       "a lease is good to its end");
    ok(!good(&who, id, NOW + 1), "and not after");
    wsk_stream_make(&who, 0, random_one, id);
    ok(good(&who, id, NOW * 2), "without a time it does not end");
    wsk_stream_make(&who, UINT32_MAX, random_one, id);
    ok(good(&who, id, (int64_t)UINT32_MAX), "time has no sign");
}

static void no_secret(void)
{
    const wsk_stream_owner_t who = owner("", "site", "7");
    char id[WSK_STREAM_LEN + 1];

    ok(!wsk_stream_make(&who, 0, random_one, id),
       "without a secret there is no id");
    is_int((intmax_t)strlen(id), WSK_STREAM_LEN, "what is written is text");
    ok(!good(&who, id, NOW), "but not accepted");
}

int main(void)
{
    owners();
    forged();
    times();
    no_secret();
    return done_testing();
}
