/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_sign.h"

#include "auth_fixture.h"

#define NOW_MS INT64_C(1700000000000)

/* What the tests sign, and change. */
static wsk_signed_t request(void)
{
    const wsk_signed_t plain = {
        .method = slice("POST"),
        .path = slice("/publish"),
        .key = slice("key"),
        .ts = slice("1700000000000"),
        .nonce = slice("nonce"),
        .body = slice("{}"),
    };

    return plain;
}

static wsk_secrets_t secrets(const char *newest, const char *older)
{
    const wsk_secrets_t both = { { slice(newest), slice(older) } };

    return both;
}

/* Sign it as it stands; the text is good until the next call. */
static void sign(wsk_signed_t *r, const char *secret)
{
    static char text[3 + 2 * WSK_MAC_LEN + 1];
    const wsk_slice_t line = slice("\n");
    char body[2 * WSK_MAC_LEN + 1];
    const wsk_slice_t parts[] = { slice("v2"), line, r->method, line,
                                  r->path,     line, r->key,    line,
                                  r->ts,       line, r->nonce,  line,
                                  { body, 64 } };
    uint8_t mac[WSK_MAC_LEN];

    wsk_sha256(mac, &r->body, 1);
    wsk_hex(body, mac, sizeof(mac));
    wsk_mac(mac, slice(secret), parts, WSK_COUNT_OF(parts));
    memcpy(text, "v2=", 3);
    wsk_hex(text + 3, mac, sizeof(mac));
    r->sign = slice(text);
}

static wsk_sign_e check(const wsk_signed_t *r, int64_t now_ms)
{
    const wsk_secrets_t known = secrets("s", "");

    return wsk_sign_v2(&known, r, now_ms, NULL, NULL);
}

static void signatures_are_those_of_the_vectors(void)
{
    json_t *all = vectors("sign2.json");
    const json_t *one;
    size_t i;

    json_array_foreach(cases(all, "signatures"), i, one)
    {
        const wsk_secrets_t known = secrets(text(one, "secret"), "");
        uint8_t mac[WSK_MAC_LEN] = { 0 };
        char hex[2 * WSK_MAC_LEN + 1], given[80];
        wsk_signed_t r = { .method = slice_of(one, "method"),
                           .path = slice_of(one, "path"),
                           .key = slice_of(one, "key"),
                           .ts = slice_of(one, "ts"),
                           .nonce = slice_of(one, "nonce"),
                           .body = slice_of(one, "body") };
        const int64_t now_ms = strtoll(r.ts.at, NULL, 10);

        snprintf(given, sizeof(given), "v2=%s", text(one, "sign"));
        r.sign = slice(given);
        is_int(wsk_sign_v2(&known, &r, now_ms, mac, NULL), WSK_SIGN_OK,
               "%s is accepted", text(one, "name"));
        wsk_hex(hex, mac, sizeof(mac));
        is_str(hex, text(one, "sign"), "%s is what makes the request itself",
               text(one, "name"));
    }
    json_decref(all);
}

static void every_field_is_signed(void)
{
    const wsk_slice_t other = slice("0");
    wsk_signed_t r = request();
    wsk_signed_t changed;
    struct {
        const char *name;
        wsk_slice_t *field;
    } each[] = { { "method", &changed.method }, { "path", &changed.path },
                 { "key", &changed.key },       { "time", &changed.ts },
                 { "nonce", &changed.nonce },   { "body", &changed.body },
                 { "signature", &changed.sign } };
    size_t i;

    sign(&r, "s");
    is_int(check(&r, NOW_MS), WSK_SIGN_OK, "what was signed is right");
    for (i = 0; i < WSK_COUNT_OF(each); i++) {
        changed = r;
        *each[i].field = other;
        is_int(check(&changed, NOW_MS), WSK_SIGN_BAD,
               "with another %s it is not", each[i].name);
        changed = r;
        each[i].field->len--;
        is_int(check(&changed, NOW_MS), WSK_SIGN_BAD, "nor with half of a %s",
               each[i].name);
    }
}

static void fields_do_not_run_into_each_other(void)
{
    wsk_signed_t r = request();

    r.nonce = slice("a\nb");
    sign(&r, "s");
    is_int(check(&r, NOW_MS), WSK_SIGN_BAD, "a nonce is one line");
    r.nonce = slice("nonce");
    r.ts = slice("1700000000000\n1");
    sign(&r, "s");
    is_int(check(&r, NOW_MS), WSK_SIGN_BAD, "so is a time");
}

static void either_secret_may_sign(void)
{
    const wsk_secrets_t both = secrets("new", "old");
    const wsk_secrets_t none = secrets("", "");
    wsk_signed_t r = request();
    unsigned which = 7;

    sign(&r, "mine");
    is_int(wsk_sign_v2(&both, &r, NOW_MS, NULL, &which), WSK_SIGN_BAD,
           "no other secret signs");
    is_int(which, 7, "and none is told");
    sign(&r, "old");
    is_int(wsk_sign_v2(&both, &r, NOW_MS, NULL, &which), WSK_SIGN_OK,
           "the older one signs");
    is_int(which, 1, "and is told");
    sign(&r, "new");
    is_int(wsk_sign_v2(&both, &r, NOW_MS, NULL, &which), WSK_SIGN_OK,
           "so does the newest");
    is_int(which, 0, "and is told");
    is_int(wsk_sign_v2(&none, &r, NOW_MS, NULL, NULL), WSK_SIGN_BAD,
           "a site without secrets accepts nothing");
}

static void what_is_not_a_signature_is_a_wrong_one(void)
{
    wsk_signed_t r = request();
    char kept[80];
    size_t i;

    sign(&r, "s");
    snprintf(kept, sizeof(kept), "%s", r.sign.at);
    r.sign = slice(kept + 3);
    is_int(check(&r, NOW_MS), WSK_SIGN_BAD, "without its version it is wrong");
    kept[1] = '1';
    r.sign = slice(kept);
    is_int(check(&r, NOW_MS), WSK_SIGN_BAD, "with another version, too");
    kept[1] = '2';
    for (i = 3; kept[i] != '\0'; i++) {
        kept[i] = (char)(kept[i] >= 'a' ? kept[i] - 'a' + 'A' : kept[i]);
    }
    is_int(check(&r, NOW_MS), WSK_SIGN_OK, "capitals are hex, too");
    r.sign = slice("");
    is_int(check(&r, NOW_MS), WSK_SIGN_BAD, "none is wrong");
    r.sign = slice("v2=");
    is_int(check(&r, NOW_MS), WSK_SIGN_BAD, "a version alone is wrong");
}

static void the_window_is_a_minute_either_way(void)
{
    wsk_signed_t r = request();

    sign(&r, "s");
    is_int(check(&r, NOW_MS + 60000), WSK_SIGN_OK, "a minute late is in time");
    is_int(check(&r, NOW_MS + 60001), WSK_SIGN_CLOCK, "and no longer");
    is_int(check(&r, NOW_MS - 60000), WSK_SIGN_OK, "a minute early is in time");
    is_int(check(&r, NOW_MS - 60001), WSK_SIGN_CLOCK, "and no earlier");
    r.body = slice("{ }");
    is_int(check(&r, NOW_MS + 60001), WSK_SIGN_BAD,
           "a wrong signature learns nothing of the clock");
}

static void a_nonce_is_visible_ascii(void)
{
    static const char *const wrong[] = { "", " ", "a b", "a\tb", "\x7f", "ü" };
    char longest[WSK_SIGN_NONCE_MAX + 2];
    wsk_signed_t r = request();
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(wrong); i++) {
        r.nonce = slice(wrong[i]);
        sign(&r, "s");
        is_int(check(&r, NOW_MS), WSK_SIGN_BAD, "\"%s\" is none", wrong[i]);
    }
    memset(longest, 'n', sizeof(longest));
    r.nonce.at = longest;
    r.nonce.len = WSK_SIGN_NONCE_MAX;
    sign(&r, "s");
    is_int(check(&r, NOW_MS), WSK_SIGN_OK, "the longest is one");
    r.nonce.len++;
    sign(&r, "s");
    is_int(check(&r, NOW_MS), WSK_SIGN_BAD, "one more character is too much");
}

static void a_nonce_has_a_name(void)
{
    static const uint8_t abc[] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01,
                                   0xcf, 0xea, 0x41, 0x41, 0x40, 0xde,
                                   0x5d, 0xae, 0x22, 0x23 };
    uint8_t name[16];

    ok(wsk_sign_nonce(name, slice("abc")), "the name of a nonce");
    is_mem(name, 16, abc, 16, "is 16 bytes of its SHA-256");
}

/* The same key never makes one version's signature good for the other. */
static void versions_are_apart(void)
{
    const wsk_secrets_t known = secrets("s", "");
    wsk_signed_t r = request();

    sign(&r, "s");
    is_int(wsk_sign_v1(&known, r.body, r.ts, (wsk_slice_t){ r.sign.at + 3, 64 },
                       NOW_MS, NULL),
           WSK_SIGN_BAD, "version 2 is not version 1");
}

int main(void)
{
    signatures_are_those_of_the_vectors();
    every_field_is_signed();
    fields_do_not_run_into_each_other();
    either_secret_may_sign();
    what_is_not_a_signature_is_a_wrong_one();
    the_window_is_a_minute_either_way();
    a_nonce_is_visible_ascii();
    a_nonce_has_a_name();
    versions_are_apart();
    return done_testing();
}
