/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_derive.h"

#include "auth_fixture.h"

static wsk_vhost_t vhost_of(const json_t *one)
{
    return (wsk_vhost_t){ slice_of(one, "server_name"),
                          json_integer_value(member(one, "uid")),
                          (uint32_t)json_integer_value(member(one, "epoch")) };
}

static void one_is_as_the_vector_says(const json_t *one)
{
    const wsk_vhost_t vhost = vhost_of(one);
    const uint64_t generation = (uint64_t)json_integer_value(
        member(one, "generation"));
    const char *name = text(one, "name");
    uint8_t host_key[WSK_HOST_KEY_LEN], key[WSK_MAC_LEN];
    char hex[2 * WSK_MAC_LEN + 1], tag[WSK_TAG_LEN + 1];
    char site_key[WSK_KEY_MAX + 1];

    ok(wsk_unhex(host_key, sizeof(host_key), slice_of(one, "host_key"))
           && wsk_derive_vhost(key, host_key, &vhost),
       "%s: a key is derived", name);
    wsk_hex(hex, key, sizeof(key));
    is_str(hex, text(one, "vhost_key"), "%s: the key of the host", name);
    ok(wsk_derive_tag(tag, &vhost), "%s: a tag", name);
    is_str(tag, text(one, "tag"), "%s: its tag", name);
    ok(wsk_derive_site_key(site_key, tag, slice_of(one, "home")),
       "%s: a site key", name);
    is_str(site_key, text(one, "site_key"), "%s: its site key", name);
    ok(wsk_derive_is_of(tag, site_key), "%s: is seen to be of the host", name);
    wsk_derive_secret(hex, key, "publish", slice_of(one, "home"), generation);
    is_str(hex, text(one, "publish_secret"), "%s: publish secret", name);
    wsk_derive_secret(hex, key, "token", slice_of(one, "home"), generation);
    is_str(hex, text(one, "jwt_secret"), "%s: token secret", name);
}

/* What makes two cases two must show in both of their secrets. */
static void no_two_share_a_secret(const json_t *list)
{
    size_t i, j;

    for (i = 0; i < json_array_size(list); i++) {
        for (j = 0; j < i; j++) {
            const json_t *a = json_array_get(list, i);
            const json_t *b = json_array_get(list, j);
            const bool one_host = strcasecmp(text(a, "server_name"),
                                             text(b, "server_name"))
                                      == 0
                                  && i == 1 && j == 0;
            const bool same =
                strcmp(text(a, "publish_secret"), text(b, "publish_secret"))
                    == 0
                || strcmp(text(a, "jwt_secret"), text(b, "jwt_secret")) == 0;

            ok(same == one_host, "%s and %s", text(a, "name"), text(b, "name"));
        }
    }
}

static void bad_names_have_no_key(void)
{
    static const uint8_t host_key[WSK_HOST_KEY_LEN] = { 1 };
    static const uint8_t zeros[WSK_MAC_LEN];
    char much[300];
    const wsk_vhost_t bad[] = { { slice(""), 1, 0 },
                                { { much, 256 }, 1, 0 },
                                { slice("a|b"), 1, 0 },
                                { { "a\0b", 3 }, 1, 0 } };
    uint8_t key[WSK_MAC_LEN];
    char tag[WSK_TAG_LEN + 1], site_key[WSK_KEY_MAX + 1];
    size_t i;

    memset(much, 'a', sizeof(much));
    for (i = 0; i < WSK_COUNT_OF(bad); i++) {
        memset(key, 7, sizeof(key));
        ok(!wsk_derive_vhost(key, host_key, &bad[i]), "name %lu has no key",
           (unsigned long)i);
        is_mem(key, sizeof(key), zeros, sizeof(zeros), "but zeros");
        ok(!wsk_derive_tag(tag, &bad[i]) && tag[0] == '\0', "nor a tag");
    }
    ok(!wsk_derive_site_key(site_key, "short", slice("https://a.example")),
       "a tag of another length makes no site key");
    ok(!wsk_derive_site_key(site_key, "0123456789abcdef01234567", slice("")),
       "no home, no site key");
    ok(!wsk_derive_secret(much, key, "publish", slice(""), 1), "nor a secret");
}

static void a_site_key_is_of_one_host(void)
{
    static const char tag[] = "0123456789abcdef01234567";

    ok(wsk_derive_is_of(tag, "h0123456789abcdef01234567-x"), "its own");
    ok(!wsk_derive_is_of(tag, "h0123456789abcdef01234568-x"), "another's");
    ok(!wsk_derive_is_of(tag, "h0123456789abcdef01234567"), "cut off");
    ok(!wsk_derive_is_of(tag, "h0123456789abcdef012345678-x"), "longer");
    ok(!wsk_derive_is_of(tag, "x0123456789abcdef01234567-x"), "no h");
    ok(!wsk_derive_is_of("", "h-x"), "no tag, no site");
    ok(!wsk_derive_is_of(tag, ""), "no key");
}

int main(void)
{
    json_t *host = vectors("host.json");
    const json_t *one;
    size_t i;

    json_array_foreach(cases(host, "derived"), i, one)
    {
        one_is_as_the_vector_says(one);
    }
    no_two_share_a_secret(cases(host, "derived"));
    bad_names_have_no_key();
    a_site_key_is_of_one_host();
    json_decref(host);
    return done_testing();
}
