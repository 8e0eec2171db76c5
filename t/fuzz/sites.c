/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a site file holds: what is taken for a site is within the bounds that
 * all others rely on; of what is not, it is said what is wrong, and not with the
 * words of a secret.
 *
 * Input: the file.
 */
#include "conf/wsk_site_file.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static int ends_within(const char *text, size_t cap)
{
    return memchr(text, 0, cap) != NULL;
}

static int is_pair(const wsk_secret_pair_t *pair)
{
    return pair->at[0][0] && ends_within(pair->at[0], sizeof pair->at[0])
           && ends_within(pair->at[1], sizeof pair->at[1]);
}

static void may_be_one(const wsk_site_spec_t *spec)
{
    size_t i;

    must(spec->key[0] && ends_within(spec->key, sizeof spec->key), "a key");
    for (i = 0; spec->key[i]; i++) {
        must(isalnum((unsigned char)spec->key[i])
                 || strchr("-_.", spec->key[i]) != NULL,
             "of such characters");
    }
    must(is_pair(&spec->publish) && is_pair(&spec->jwt), "two secrets");
    must(ends_within(spec->url, sizeof spec->url), "an address");
    must(spec->user[0] && ends_within(spec->user, sizeof spec->user), "a user");
    must(spec->signature == 1 || spec->signature == 2, "a version");
}

/* Only the names of limits are said again. */
static void tells_no_secret(const json_t *site, const char *wrong)
{
    const json_t *secret = json_object_get(site, "publish_secret");
    const char *text = json_string_value(secret);

    must(wrong[0] && ends_within(wrong, WSK_SITE_WRONG_MAX), "it says what");
    if (text && strlen(text) > 8 && strstr(wrong, "no limit") == NULL
        && strstr(wrong, "limit \"") == NULL) {
        must(strstr(wrong, text) == NULL, "but not the secret");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    json_t *root = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES,
                              NULL);
    size_t i;

    for (i = 0; root && i < wsk_site_file_count(root); i++) {
        const json_t *site = wsk_site_file_at(root, i);
        wsk_site_spec_t spec;
        char wrong[WSK_SITE_WRONG_MAX] = "";

        memset(&spec, 0, sizeof spec);
        memcpy(spec.user, "somebody", 9);
        if (wsk_site_file_spec(site, &spec, wrong)) {
            may_be_one(&spec);
        }
        else {
            tells_no_secret(site, wrong);
        }
    }
    json_decref(root);
    return 0;
}
