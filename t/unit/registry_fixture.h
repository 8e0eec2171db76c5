/* SPDX-License-Identifier: Apache-2.0 */
/* A registry in a folder of its own, and what a caller would make for it. */
#ifndef WSK_REGISTRY_FIXTURE_H
#define WSK_REGISTRY_FIXTURE_H

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "registry/wsk_registry.h"
#include "tap.h"

#define REGISTRY_NOON INT64_C(1700000000)
#define REGISTRY_WAIT 5000
#define REGISTRY_MOST 5

static char registry_folder[64];
static char registry_file[96];
static char registry_why[WSK_REGISTRY_WHY];

TAP_UNUSED static void registry_write(const void *bytes, size_t len)
{
    const int fd = open(registry_file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    if (fd < 0 || write(fd, bytes, len) != (ssize_t)len || close(fd) != 0) {
        printf("Bail out! no file\n");
        exit(1);
    }
}

static void registry_unlink(void)
{
    char journal[128];

    snprintf(journal, sizeof(journal), "%s-journal", registry_file);
    unlink(registry_file);
    unlink(journal);
}

/* An empty file, as the parent of httpd makes it. */
TAP_UNUSED static void registry_empty(void)
{
    if (registry_folder[0] == '\0') {
        snprintf(registry_folder, sizeof(registry_folder), "%s/registry-XXXXXX",
                 P_tmpdir);
        if (mkdtemp(registry_folder) == NULL) {
            printf("Bail out! no folder\n");
            exit(1);
        }
        snprintf(registry_file, sizeof(registry_file), "%s/r", registry_folder);
    }
    registry_unlink();
    registry_write("", 0);
}

TAP_UNUSED static void registry_remove(void)
{
    registry_unlink();
    rmdir(registry_folder);
}

TAP_UNUSED static wsk_registry_t *registry_open(void)
{
    wsk_registry_t *reg;

    if (wsk_registry_open(registry_file, REGISTRY_WAIT, &reg, registry_why)
        != WSK_OK) {
        note("%s", registry_why);
        return NULL;
    }
    return reg;
}

/* Secrets of number n: hex that tells what it is. */
typedef struct registry_made_t {
    char key[33], publish[65], jwt[65], hash[65];
    wsk_fresh_t fresh;
} registry_made_t;

TAP_UNUSED static registry_made_t *registry_make(unsigned n)
{
    static registry_made_t made;

    snprintf(made.key, sizeof(made.key), "%032x", n);
    snprintf(made.publish, sizeof(made.publish), "a%063x", n);
    snprintf(made.jwt, sizeof(made.jwt), "b%063x", n);
    snprintf(made.hash, sizeof(made.hash), "c%063x", n);
    made.fresh = (wsk_fresh_t){ made.key, made.publish, made.jwt, 1 };
    return &made;
}

/* Site n of a user, by a URL of that number. */
TAP_UNUSED static wsk_status_e
registry_connect(wsk_registry_t *reg, const char *user, unsigned url_n,
                 unsigned n, uint32_t most, wsk_registered_t *out)
{
    const wsk_owner_t owner = { user, NULL };
    char url[64];

    snprintf(url, sizeof(url), "https://site-%u.example", url_n);
    return wsk_registry_connect(reg, &owner, url, "A site",
                                &registry_make(n)->fresh, most,
                                REGISTRY_NOON + n, out);
}

typedef struct registry_seen_t {
    unsigned n, broken, ended;
    int64_t since, last;
    char keys[400]; /* the last digit of each */
} registry_seen_t;

static int64_t registry_begin(void *baton, int64_t last, bool *whole)
{
    registry_seen_t *seen = baton;

    *whole = true;
    seen->last = last;
    return seen->since;
}

static void registry_end(void *baton)
{
    ((registry_seen_t *)baton)->ended++;
}

static void registry_see(void *baton, const wsk_registered_t *site)
{
    registry_seen_t *seen = baton;

    if (seen->n < sizeof(seen->keys) - 1) {
        seen->keys[seen->n] = site->key[strlen(site->key) - 1];
    }
    seen->n++;
    seen->broken += !site->archived
                    && (strlen(site->key) != 32
                        || strlen(site->publish[0]) != 64
                        || strlen(site->jwt[0]) != 64 || !site->url[0]
                        || !site->owner[0]
                        || strcmp(site->publish[0] + 1, site->jwt[0] + 1) != 0);
}

/* What changed after `since`. */
TAP_UNUSED static registry_seen_t registry_changes(wsk_registry_t *reg,
                                                   int64_t since)
{
    static const wsk_visitor_t visitor = { registry_begin, registry_see,
                                           registry_end };
    registry_seen_t seen = { .since = since };

    if (wsk_registry_visit(reg, &visitor, &seen) != WSK_OK || seen.ended != 1) {
        seen.broken = 1000;
    }
    return seen;
}

TAP_UNUSED static registry_seen_t registry_count(wsk_registry_t *reg)
{
    return registry_changes(reg, 0);
}

#endif
