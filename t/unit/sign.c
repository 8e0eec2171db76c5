/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "auth/wsk_sign.h"

#include "auth_fixture.h"

#define TS "1700000000000"
#define NOW_MS INT64_C(1700000000000)

static const wsk_slice_t none = { NULL, 0 };

static wsk_secrets_t secrets(const char *newest, const char *older)
{
    const wsk_secrets_t both = { { newest != NULL ? slice(newest) : none,
                                   older != NULL ? slice(older) : none } };

    return both;
}

/* The signature as text; 64 digits and a NUL. */
static const char *sign_of(const char *secret, wsk_slice_t body, const char *ts)
{
    static char hex[2 * WSK_MAC_LEN + 1];
    const wsk_slice_t parts[] = { body, slice("."), slice(ts) };
    uint8_t mac[WSK_MAC_LEN];

    wsk_mac(mac, slice(secret), parts, 3);
    wsk_hex(hex, mac, sizeof(mac));
    return hex;
}

/* Whether a request is right that has this time and signature. */
static wsk_sign_e check(const char *ts, const char *sign, int64_t now_ms)
{
    const wsk_secrets_t known = secrets("s", NULL);

    return wsk_sign_v1(&known, slice("{}"), slice(ts), slice(sign), now_ms,
                       NULL);
}

static void signatures_are_those_of_the_vectors(void)
{
    json_t *crypto = vectors("crypto.json");
    const json_t *one;
    size_t i;

    json_array_foreach(cases(crypto, "signatures"), i, one)
    {
        const wsk_secrets_t known = secrets(text(one, "secret"), NULL);
        const wsk_slice_t ts = slice_of(one, "ts");
        const wsk_slice_t sign = slice_of(one, "sign");
        uint8_t mac[WSK_MAC_LEN] = { 0 };
        char hex[2 * WSK_MAC_LEN + 1];

        is_int(wsk_sign_v1(&known, slice_of(one, "body"), ts, sign,
                           strtoll(ts.at, NULL, 10), mac),
               WSK_SIGN_OK, "%s is accepted", text(one, "name"));
        wsk_hex(hex, mac, sizeof(mac));
        is_str(hex, sign.at, "%s is what makes the request itself",
               text(one, "name"));
        is_int(wsk_sign_v1(&known, slice("other"), ts, sign,
                           strtoll(ts.at, NULL, 10), mac),
               WSK_SIGN_BAD, "%s is of no other body", text(one, "name"));
    }
    json_decref(crypto);
}

static void either_secret_may_sign(void)
{
    const wsk_secrets_t both = secrets("new", "old");
    const wsk_secrets_t older = secrets(NULL, "old");
    const wsk_secrets_t empty = secrets("", NULL);
    const wsk_slice_t body = slice("{}");

    is_int(wsk_sign_v1(&both, body, slice(TS), slice(sign_of("new", body, TS)),
                       NOW_MS, NULL),
           WSK_SIGN_OK, "the newest secret signs");
    is_int(wsk_sign_v1(&both, body, slice(TS), slice(sign_of("old", body, TS)),
                       NOW_MS, NULL),
           WSK_SIGN_OK, "the older one signs, too");
    is_int(wsk_sign_v1(&older, body, slice(TS), slice(sign_of("old", body, TS)),
                       NOW_MS, NULL),
           WSK_SIGN_OK, "the place of the newest may be empty");
    is_int(wsk_sign_v1(&both, body, slice(TS), slice(sign_of("mine", body, TS)),
                       NOW_MS, NULL),
           WSK_SIGN_BAD, "no other secret signs");
    is_int(wsk_sign_v1(&empty, body, slice(TS), slice(sign_of("new", body, TS)),
                       NOW_MS, NULL),
           WSK_SIGN_BAD, "a site without secrets accepts nothing");
}

/* HMAC-SHA256 with the empty key, over "{}." and TS. */
#define EMPTY_KEYED \
    "da804f501e331a91185e297585bd49670bf40eb73ceacf64b26e6a0bf0c24475"

static void a_secret_that_is_not_there_signs_nothing(void)
{
    static const char zeros[] =
        "0000000000000000000000000000000000000000000000000000000000000000";
    const wsk_secrets_t absent = { { none, none } };

    is_int(wsk_sign_v1(&absent, slice("{}"), slice(TS), slice(EMPTY_KEYED),
                       NOW_MS, NULL),
           WSK_SIGN_BAD, "the empty key's signature is wrong");
    is_int(wsk_sign_v1(&absent, slice("{}"), slice(TS), slice(zeros), NOW_MS,
                       NULL),
           WSK_SIGN_BAD, "so are zeros, which a failed MAC leaves");
}

static void what_is_not_a_signature_is_a_wrong_one(void)
{
    char sign[80];
    size_t i, accepted = 0;

    snprintf(sign, sizeof(sign), "%s", sign_of("s", slice("{}"), TS));
    is_int(check(TS, sign, NOW_MS), WSK_SIGN_OK, "the right one is right");
    for (i = 0; i < 64; i++) {
        const char kept = sign[i];

        sign[i] = kept == '0' ? '1' : '0';
        accepted += check(TS, sign, NOW_MS) != WSK_SIGN_BAD;
        sign[i] = kept;
    }
    is_int((intmax_t)accepted, 0, "a digit changed anywhere is wrong");
    sign[64] = '0';
    sign[65] = '\0';
    is_int(check(TS, sign, NOW_MS), WSK_SIGN_BAD, "a digit more is wrong");
    sign[63] = '\0';
    is_int(check(TS, sign, NOW_MS), WSK_SIGN_BAD, "a digit less is wrong");
    is_int(check(TS, "", NOW_MS), WSK_SIGN_BAD, "none is wrong");
    is_int(check(TS, "dummy", NOW_MS), WSK_SIGN_BAD,
           "the probe's \"dummy\" is wrong");
    snprintf(sign, sizeof(sign), "%s", sign_of("s", slice("{}"), TS));
    for (i = 0; i < 64; i++) {
        sign[i] = (char)(sign[i] >= 'a' ? sign[i] - 'a' + 'A' : sign[i]);
    }
    is_int(check(TS, sign, NOW_MS), WSK_SIGN_OK, "capitals are hex, too");
}

static void the_window_is_a_minute_either_way(void)
{
    char sign[80];

    snprintf(sign, sizeof(sign), "%s", sign_of("s", slice("{}"), TS));
    is_int(check(TS, sign, NOW_MS + 60000), WSK_SIGN_OK,
           "a minute late is in time");
    is_int(check(TS, sign, NOW_MS + 60001), WSK_SIGN_CLOCK,
           "a millisecond later is not");
    is_int(check(TS, sign, NOW_MS - 60000), WSK_SIGN_OK,
           "a minute early is in time");
    is_int(check(TS, sign, NOW_MS - 60001), WSK_SIGN_CLOCK,
           "a millisecond earlier is not");
    sign[0] = sign[0] == '0' ? '1' : '0';
    is_int(check(TS, sign, NOW_MS + 60001), WSK_SIGN_BAD,
           "a wrong signature learns nothing of the clock");
}

static void a_time_stamp_is_digits(void)
{
    static const char *const wrong[] = {
        "",      "-1",     "+1",   "1.0",  " 1",
        "1 ",    "0x10",   "1e3",  "NaN",  "17000000000000000",
        "1:000", "1/0000", "\t11", "１２", "9999999999999999999999"
    };
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(wrong); i++) {
        is_int(check(wrong[i], sign_of("s", slice("{}"), wrong[i]), NOW_MS),
               WSK_SIGN_BAD, "\"%s\", rightly signed, is no time", wrong[i]);
    }
    is_int(check("0", sign_of("s", slice("{}"), "0"), 1), WSK_SIGN_OK,
           "one digit is a time");
    is_int(check("0001700000000000",
                 sign_of("s", slice("{}"), "0001700000000000"), NOW_MS),
           WSK_SIGN_OK, "so are sixteen, with zeros before");
    is_int(check("9999999999999999",
                 sign_of("s", slice("{}"), "9999999999999999"), NOW_MS),
           WSK_SIGN_CLOCK, "sixteen nines are a time far off");
}

static void only_the_accepted_leave_a_mac(void)
{
    const wsk_secrets_t known = secrets("s", NULL);
    static const uint8_t sevens[4] = { 7, 7, 7, 7 };
    uint8_t mac[WSK_MAC_LEN];

    memset(mac, 7, sizeof(mac));
    wsk_sign_v1(&known, slice("{}"), slice(TS),
                slice(sign_of("other", slice("{}"), TS)), NOW_MS, mac);
    is_mem(mac, 4, sevens, 4, "a wrong signature is not kept");
    wsk_sign_v1(&known, slice("{}"), slice(TS),
                slice(sign_of("s", slice("{}"), TS)), 0, mac);
    is_mem(mac, 4, sevens, 4, "nor is one out of its time");
}

/* Whenever memory ends: right, or unknown, never wrong. */
static void without_memory_nothing_is_wrong(void)
{
    const wsk_secrets_t known = secrets("s", "t");
    const char *sign = sign_of("s", slice("{}"), TS);
    wsk_sign_e rv = WSK_SIGN_OK;
    bool hit = true;
    long n = 0;

    while (hit && n < 1000) {
        fault_arm(FAULT_MEMORY, n++, LONG_MAX);
        rv = wsk_sign_v1(&known, slice("{}"), slice(TS), slice(sign), NOW_MS,
                         NULL);
        hit = fault_end();
        if (rv != WSK_SIGN_OK && rv != WSK_SIGN_NOMEM) {
            ok(false, "without memory from %ld on: %d", n - 1, rv);
        }
    }
    ok(n > 1 && n < 1000, "without memory no signature is wrong (%ld ways)", n);
    is_int(rv, WSK_SIGN_OK, "and with it, it is right");
    fault_arm(FAULT_MEMORY, 0, LONG_MAX);
    rv = wsk_sign_v1(&known, slice("{}"), slice(TS), slice(sign), NOW_MS, NULL);
    fault_end();
    is_int(rv, WSK_SIGN_NOMEM, "without any, nothing is known of it");
}

int main(void)
{
    signatures_are_those_of_the_vectors();
    either_secret_may_sign();
    a_secret_that_is_not_there_signs_nothing();
    what_is_not_a_signature_is_a_wrong_one();
    the_window_is_a_minute_either_way();
    a_time_stamp_is_digits();
    only_the_accepted_leave_a_mac();
    without_memory_nothing_is_wrong();
    return done_testing();
}
