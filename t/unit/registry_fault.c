/* SPDX-License-Identifier: Apache-2.0 */
/* A registry's life, with each call failing that can. */
#include "fault_sqlite.h"
#include "fault_walk.h"

#include "registry_fixture.h"

#define WAIT_MS 20
#define HASH "e123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CODE "f123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define NOW (REGISTRY_NOON + 1000)

static const char *wrong;
static wsk_registry_t *reg, *judge; /* the judge is another connection */
static wsk_registered_t out;

static void need(bool good, const char *what)
{
    wrong = good || wrong ? wrong : what;
}

/* All that is there, as text: order, secrets, who is archived. */
typedef struct picture_t {
    char text[4000];
    size_t len;
    bool ended;
} picture_t;

static int64_t picture_begin(void *baton, int64_t last, bool *whole)
{
    (void)baton;
    (void)last;
    *whole = true;
    return 0;
}

static void picture_site(void *baton, const wsk_registered_t *site)
{
    picture_t *p = baton;

    p->len += (size_t)snprintf(
        p->text + p->len, sizeof(p->text) - p->len,
        "%s %s %.9s%s %.9s%s %d %llu;", site->key + 28, site->url,
        site->publish[0] + 56, site->publish[1], site->jwt[0] + 56, site->owner,
        (int)site->archived, (unsigned long long)site->times);
}

static void picture_end(void *baton)
{
    ((picture_t *)baton)->ended = true;
}

static const wsk_visitor_t camera = { picture_begin, picture_site,
                                      picture_end };

static void take_picture(picture_t *p)
{
    int64_t made_s = 0;

    memset(p, 0, sizeof(*p));
    fault_pause();
    need(wsk_registry_visit(judge, &camera, p) == WSK_OK && p->ended,
         "another connection cannot read it");
    wsk_registry_key_made(judge, "ann", &made_s);
    snprintf(p->text + p->len, sizeof(p->text) - p->len, " %lld",
             (long long)made_s);
    fault_resume();
}

/* What is done to it. */

static wsk_status_e set_key(void)
{
    return wsk_registry_set_key(reg, "ann", HASH, NOW);
}

static wsk_status_e connect_one(void)
{
    return registry_connect(reg, "ann", 1, 1, REGISTRY_MOST, &out);
}

static wsk_status_e connect_two(void)
{
    const wsk_owner_t owner = { NULL, HASH };

    return wsk_registry_connect(reg, &owner, "https://site-2.example", "Two",
                                &registry_make(2)->fresh, REGISTRY_MOST, NOW,
                                &out);
}

static wsk_status_e offer(void)
{
    const wsk_offer_t code = { CODE, "https://site-3.example", "Three",
                               "site-3.example", NOW + 60 };

    return wsk_registry_offer(reg, "bob", &code, NOW);
}

static wsk_status_e redeem(void)
{
    const wsk_status_e rv = wsk_registry_redeem(reg, CODE, NULL,
                                                &registry_make(3)->fresh,
                                                REGISTRY_MOST, NOW + 1, &out);

    need(rv != WSK_OK || strcmp(out.key, registry_make(3)->key) == 0,
         "redeemed, but not whole");
    return rv;
}

static wsk_status_e redeemed(void)
{
    return wsk_registry_redeemed(reg, CODE);
}

static wsk_status_e rotate(void)
{
    return wsk_registry_rotate(reg, "ann", registry_make(1)->key,
                               &registry_make(7)->fresh, NOW, &out);
}

static wsk_status_e find(void)
{
    char key[33];
    wsk_status_e rv;

    memcpy(key, registry_make(1)->key, sizeof(key));
    rv = wsk_registry_find(reg, key, &out);
    need(rv != WSK_OK
             || (strcmp(out.key, key) == 0 && strlen(out.publish[0]) == 64
                 && strlen(out.jwt[0]) == 64 && strcmp(out.owner, "ann") == 0
                 && strcmp(out.url, "https://site-1.example") == 0),
         "found, but not whole");
    return rv;
}

static void see_one(void *baton, const wsk_registered_t *site)
{
    unsigned *n = baton;

    ++*n;
    need(strlen(site->key) == 32 && strlen(site->publish[0]) == 64
             && strlen(site->jwt[0]) == 64 && strcmp(site->owner, "ann") == 0,
         "listed, but not whole");
}

static wsk_status_e list(void)
{
    unsigned n = 0;
    const wsk_status_e rv = wsk_registry_list(reg, "ann", see_one, &n);

    need(rv != WSK_OK || n == 2, "a site is missing from the list");
    return rv;
}

static wsk_status_e visit(void)
{
    picture_t seen = { .len = 0 }, is;
    const wsk_status_e rv = wsk_registry_visit(reg, &camera, &seen);

    need((rv == WSK_OK) == seen.ended, "a visit that failed has an end");
    take_picture(&is);
    need(rv != WSK_OK || strncmp(seen.text, is.text, seen.len) == 0,
         "visited, but not whole");
    return rv;
}

static wsk_status_e room(void)
{
    const wsk_owner_t owner = { "ann", NULL };

    return wsk_registry_room(reg, &owner, "https://site-9.example", 5, &out);
}

static wsk_status_e full(void)
{
    const wsk_owner_t owner = { "ann", NULL };
    const wsk_status_e rv = wsk_registry_room(
        reg, &owner, "https://site-9.example", 2, &out);

    need(rv != WSK_OK, "there is room where there is none");
    return rv == WSK_EFULL ? WSK_OK : rv;
}

static wsk_status_e disconnect(void)
{
    const wsk_owner_t owner = { "ann", NULL };

    return wsk_registry_disconnect(reg, registry_make(2)->key, &owner, NOW);
}

static bool knows(void *baton, const wsk_registered_t *site)
{
    (void)baton;
    return strlen(site->publish[0]) == 64;
}

static wsk_status_e leave(void)
{
    const wsk_leaver_t who = { knows, NULL, NULL };

    return wsk_registry_leave(reg, registry_make(3)->key, &who, NOW);
}

static const struct {
    const char *name;
    wsk_status_e (*act)(void);
    bool changes;
} acts[] = {
    { "an API key", set_key, true },
    { "connect", connect_one, true },
    { "connect", connect_two, true },
    { "offer", offer, false },
    { "redeem", redeem, true },
    { "redeemed", redeemed, false },
    { "rotate", rotate, true },
    { "find", find, false },
    { "list", list, false },
    { "visit", visit, false },
    { "room", room, false },
    { "full", full, false },
    { "disconnect", disconnect, true },
    { "leave", leave, true },
};

/* It is done and there, or not done and nothing of it is. */
static wsk_status_e do_act(unsigned i)
{
    picture_t before, after;
    wsk_status_e rv;
    bool same;

    take_picture(&before);
    rv = acts[i].act();
    take_picture(&after);
    same = strcmp(before.text, after.text) == 0;
    need(rv == WSK_OK || rv == WSK_ENOMEM || rv == WSK_EBROKEN
             || rv == WSK_EAGAIN,
         "an error that is none of these");
    /* A commit that fails at its very end may have been done. */
    need(rv == WSK_OK || rv == WSK_EBROKEN || same,
         "an error, but something has changed");
    need(rv != WSK_OK || !same || !acts[i].changes,
         "no error, but nothing has changed");
    return same ? rv : WSK_OK;
}

static const char *lives(bool soft)
{
    char why[WSK_REGISTRY_WHY];
    unsigned i;
    wsk_status_e rv;

    (void)soft;
    wrong = NULL;
    registry_empty();
    need(wsk_registry_open(registry_file, WAIT_MS, &judge, why) == WSK_OK,
         "it does not open");
    fault_resume();
    rv = wsk_registry_open(registry_file, WAIT_MS, &reg, why);
    if (rv != WSK_OK) {
        need(reg == NULL && (rv == WSK_ENOMEM || why[0] != '\0'),
             "it does not open, and nothing says why");
        fault_end();
        need(wsk_registry_open(registry_file, WAIT_MS, &reg, why) == WSK_OK,
             "it does not open any more");
    }
    for (i = 0; i < WSK_COUNT_OF(acts) && wrong == NULL; i++) {
        rv = do_act(i);
        if (rv != WSK_OK) {
            fault_end();
            if (rv == WSK_EAGAIN) { /* it rests for half as long as it waits */
                usleep(WAIT_MS * 1000 / 2 + 1000);
            }
            need(do_act(i) == WSK_OK, "it cannot be done afterwards");
        }
    }
    fault_end();
    if (reg) {
        wsk_registry_close(reg);
    }
    wsk_registry_close(judge);
    registry_remove();
    registry_folder[0] = '\0';
    return wrong;
}

int main(void)
{
    static const fault_walk_t walk = { "a registry", lives, 40, false };
    static const char *const calls[] = { "malloc",
                                         "calloc",
                                         "open",
                                         "flock",
                                         "pthread_mutex_timedlock",
                                         "sqlite open",
                                         "sqlite pread",
                                         "sqlite pwrite",
                                         "sqlite ftruncate",
                                         "sqlite fcntl",
                                         "sqlite fstat",
                                         "sqlite fsync" };
    unsigned i;

    lives(true); /* what SQLite keeps for good */
    fault_walks(&walk);
    for (i = 0; i < WSK_COUNT_OF(calls); i++) {
        ok(fault_times(calls[i]) > 0, "%s has failed %u times", calls[i],
           fault_times(calls[i]));
    }
    return done_testing();
}
