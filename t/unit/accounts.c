/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/wsk_registry.h"

#include "registry_fixture.h"

static wsk_registry_t *reg;
static wsk_registered_t site, other;

static void open_empty(void)
{
    registry_empty();
    reg = registry_open();
    if (reg == NULL) {
        printf("Bail out! an empty registry does not open\n");
        exit(1);
    }
}

static void keys(void)
{
    const wsk_owner_t by_key = { NULL, registry_make(7)->hash };
    wsk_owner_t renewed;
    int64_t made;
    char first[65];

    open_empty();
    snprintf(first, sizeof(first), "%s", by_key.key_hash);
    is_int(wsk_registry_connect(
               reg, &(wsk_owner_t){ NULL, first }, "https://a.example", "A",
               &registry_make(1)->fresh, 9, REGISTRY_NOON, &site),
           WSK_ENOTFOUND, "an API key nobody has opens nothing");
    is_int(wsk_registry_key_made(reg, "ann", &made), WSK_OK, "nobody");
    is_int(made, 0, "has no API key");
    is_int(wsk_registry_set_key(reg, "ann", first, 77), WSK_OK,
           "an API key is set");
    wsk_registry_key_made(reg, "ann", &made);
    is_int(made, 77, "and its age is known");
    is_int(wsk_registry_connect(
               reg, &(wsk_owner_t){ NULL, first }, "https://a.example", "A",
               &registry_make(1)->fresh, 9, REGISTRY_NOON, &site),
           WSK_OK, "it connects a site");
    is_str(site.owner, "ann", "of its account");
    renewed.user = NULL;
    renewed.key_hash = registry_make(8)->hash;
    wsk_registry_set_key(reg, "ann", renewed.key_hash, 78);
    is_int(wsk_registry_connect(
               reg, &(wsk_owner_t){ NULL, first }, "https://b.example", "B",
               &registry_make(2)->fresh, 9, REGISTRY_NOON, &site),
           WSK_ENOTFOUND, "renewed, the old one is dead");
    is_int(wsk_registry_find(reg, registry_make(1)->key, &site), WSK_OK,
           "the site stays");
    is_int(wsk_registry_set_key(reg, "bob", registry_make(8)->hash, 79),
           WSK_EDUP, "no two accounts have one API key");
    wsk_registry_close(reg);
}

static wsk_status_e register_at(unsigned n, int64_t now_s)
{
    char url[64];

    snprintf(url, sizeof(url), "https://place-%u.example", n);
    return wsk_registry_connect(reg, &(wsk_owner_t){ "ann", NULL }, url, "",
                                &registry_make(n)->fresh, 2, now_s, &site);
}

static void rates(void)
{
    unsigned n;
    wsk_status_e rv = WSK_OK;

    open_empty();
    for (n = 0; rv == WSK_OK && n < 1000; n++) {
        rv = register_at(1, REGISTRY_NOON);
    }
    is_int(rv, WSK_ERATE, "an account may not change things without end");
    is_int(n, WSK_REGISTRY_BURST + 1, "but so often at once");
    is_int(
        wsk_registry_set_key(reg, "ann", registry_make(1)->hash, REGISTRY_NOON),
        WSK_ERATE, "whatever it is");
    is_int(wsk_registry_find(reg, registry_make(1)->key, &site), WSK_OK,
           "looking is free");
    is_int(registry_connect(reg, "bob", 1, 200, 2, &other), WSK_OK,
           "another account has its own");
    is_int(wsk_registry_disconnect(reg, site.key, NULL, REGISTRY_NOON), WSK_OK,
           "who leaves is let go");
    for (n = 0, rv = WSK_OK; rv == WSK_OK && n < 1000; n++) {
        rv = register_at(1, REGISTRY_NOON + 2);
    }
    is_int(n, 2 * WSK_REGISTRY_RATE + 1, "with time it may again");
    is_int(register_at(1, REGISTRY_NOON - 86400), WSK_OK,
           "a clock that is set back locks nobody out");
    wsk_registry_close(reg);
}

int main(void)
{
    alarm(300);
    keys();
    rates();
    registry_remove();
    return done_testing();
}
