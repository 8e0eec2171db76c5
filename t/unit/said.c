/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_said.h"

#include "store_fixture.h"

static void cleaning(void)
{
    wsk_site_spec_t dirty, clean, again;

    memset(&dirty, 'x', sizeof(dirty));
    memset(&again, 0, sizeof(again));
    wsk_said_clean(&clean, &dirty);
    is_int((intmax_t)strlen(clean.key), WSK_KEY_MAX, "texts are ended");
    is_int((intmax_t)strlen(clean.publish.at[1]), WSK_SECRET_MAX,
           "secrets too");
    store_spec(&dirty, 5);
    memset(dirty.key + strlen(dirty.key) + 1, 'q', 20);
    memset(dirty.jwt.at[1] + 1, 'q', 20);
    wsk_said_clean(&clean, &dirty);
    store_spec(&dirty, 5);
    wsk_said_clean(&again, &dirty);
    ok(memcmp(&clean, &again, sizeof(clean)) == 0,
       "what lies behind an end does not count");
    is_int((intmax_t)clean.limits.publish_rate, 50, "limits are taken over");
}

static void changing(void)
{
    wsk_segment_t *seg = store_new(1, 2, 2, 4);
    const uint32_t number = store_site(seg, 1, 1000, 10);
    wsk_site_t *site = &seg->sites[number];
    wsk_said_t said = *wsk_said_of(site);
    const uint64_t version = atomic_load(&site->version);

    snprintf(said.spec.jwt.at[0], sizeof(said.spec.jwt.at[0]), "new");
    wsk_said_put(site, &said);
    is_str(wsk_said_of(site)->spec.jwt.at[0], "new", "a change is in force");
    ok(atomic_load(&site->version) != version, "and told by the version");
    ok(memmem(seg->base, seg->spec.bytes, "jwt secret", 10) == NULL,
       "nothing is left of the secret it replaced");
    store_end(seg);
}

int main(void)
{
    cleaning();
    changing();
    return done_testing();
}
