/* SPDX-License-Identifier: Apache-2.0 */
#include "registry/wsk_registry.h"

#include "registry_fixture.h"

static wsk_registry_t *reg;
static wsk_registered_t site;

static void open_empty(void)
{
    registry_empty();
    reg = registry_open();
    if (reg == NULL) {
        printf("Bail out! an empty registry does not open\n");
        exit(1);
    }
}

static void codes(void)
{
    wsk_offer_t offer = { NULL, "https://a.example", "A", "a.example",
                          REGISTRY_NOON + 60 };
    char first[65], second[65];

    open_empty();
    snprintf(first, sizeof(first), "%s", registry_make(1)->hash);
    snprintf(second, sizeof(second), "%s", registry_make(2)->hash);
    offer.hash = first;
    is_int(wsk_registry_offer(reg, "ann", &offer, REGISTRY_NOON), WSK_OK,
           "a code is offered");
    is_int(wsk_registry_redeem(reg, second, NULL, &registry_make(1)->fresh, 9,
                               REGISTRY_NOON, &site),
           WSK_ENOTFOUND, "another is not it");
    is_int(wsk_registry_redeem(reg, first, "https://b.example",
                               &registry_make(1)->fresh, 9, REGISTRY_NOON,
                               &site),
           WSK_ENOTFOUND, "nor is it for another site");
    is_int(wsk_registry_redeem(reg, first, NULL, &registry_make(1)->fresh, 9,
                               REGISTRY_NOON + 60, &site),
           WSK_EGAP, "nor good any more after its time");
    is_int(wsk_registry_redeem(reg, first, "https://b.example",
                               &registry_make(1)->fresh, 9, REGISTRY_NOON + 60,
                               &site),
           WSK_ENOTFOUND, "of which only its own site is told");
    is_int(wsk_registry_redeem(reg, first, offer.url, &registry_make(1)->fresh,
                               9, REGISTRY_NOON + 59, &site),
           WSK_OK, "before it is");
    is_int(wsk_registry_redeem(reg, first, NULL, &registry_make(3)->fresh, 9,
                               REGISTRY_NOON + 59, &site),
           WSK_ENOTFOUND, "as long as one has it nobody else does");
    wsk_registry_find(reg, registry_make(1)->key, &site);
    is_int(wsk_registry_redeemed(reg, first), WSK_OK, "it is used up");
    is_str(site.owner, "ann", "for who offered it");
    is_str(site.url, offer.url, "at the URL that was approved");
    is_int(wsk_registry_redeem(reg, first, NULL, &registry_make(3)->fresh, 9,
                               REGISTRY_NOON, &site),
           WSK_ENOTFOUND, "once");
    wsk_registry_offer(reg, "ann", &offer, REGISTRY_NOON);
    offer.hash = second;
    is_int(wsk_registry_offer(reg, "ann", &offer, REGISTRY_NOON), WSK_OK,
           "a second code for the same site");
    is_int(wsk_registry_redeem(reg, first, NULL, &registry_make(3)->fresh, 9,
                               REGISTRY_NOON, &site),
           WSK_ENOTFOUND, "takes the place of the first");
    is_int(wsk_registry_redeem(reg, second, NULL, &registry_make(3)->fresh, 9,
                               REGISTRY_NOON, &site),
           WSK_OK, "and connects");
    is_int(wsk_registry_redeemed(reg, second), WSK_OK, "used up, too");
    is_str(site.key, registry_make(1)->key, "the site that is there");
    wsk_registry_offer(reg, "ann", &offer, REGISTRY_NOON);
    offer.hash = first;
    wsk_registry_offer(reg, "bob", &offer, REGISTRY_NOON + 60 + 599);
    is_int(wsk_registry_redeem(reg, second, NULL, &registry_make(3)->fresh, 9,
                               REGISTRY_NOON + 60 + 599, &site),
           WSK_EGAP, "one that is too old is remembered as such");
    wsk_registry_offer(reg, "bob", &offer, REGISTRY_NOON + 60 + 600);
    is_int(wsk_registry_redeem(reg, second, NULL, &registry_make(3)->fresh, 9,
                               REGISTRY_NOON + 60 + 600, &site),
           WSK_ENOTFOUND, "for ten minutes");
    wsk_registry_close(reg);
}

/* Who redeemed it could not be answered. */
static void again(void)
{
    const wsk_offer_t offer = { registry_make(1)->hash, "https://a.example",
                                "A", "a.example", REGISTRY_NOON + 60 };
    char hash[65];

    open_empty();
    snprintf(hash, sizeof(hash), "%s", offer.hash);
    wsk_registry_offer(reg, "ann", &offer, REGISTRY_NOON);
    is_int(wsk_registry_redeem(reg, hash, NULL, &registry_make(1)->fresh, 9,
                               REGISTRY_NOON + 1, &site),
           WSK_OK, "a code is redeemed");
    is_int(wsk_registry_unredeemed(reg, hash), WSK_OK, "and given back");
    is_int(wsk_registry_redeem(reg, hash, NULL, &registry_make(2)->fresh, 9,
                               REGISTRY_NOON + 1, &site),
           WSK_OK, "it is good again");
    is_str(site.key, registry_make(1)->key, "for the same site");
    is_str(site.publish[0], registry_make(2)->publish, "with new secrets");
    is_int(wsk_registry_redeem(reg, hash, NULL, &registry_make(3)->fresh, 9,
                               REGISTRY_NOON + WSK_REGISTRY_CLAIM_S, &site),
           WSK_ENOTFOUND, "who died with it had it for some seconds");
    is_int(wsk_registry_redeem(reg, hash, NULL, &registry_make(3)->fresh, 9,
                               REGISTRY_NOON + 1 + WSK_REGISTRY_CLAIM_S, &site),
           WSK_OK, "and no longer");
    wsk_registry_close(reg);
}

int main(void)
{
    alarm(300);
    codes();
    again();
    registry_remove();
    return done_testing();
}
