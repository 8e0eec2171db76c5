/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_said.h"

#include <string.h>

static void copy_text(char *to, const char *from, size_t size)
{
    memcpy(to, from, strnlen(from, size - 1));
}

static void copy_pair(wsk_secret_pair_t *to, const wsk_secret_pair_t *from)
{
    copy_text(to->at[0], from->at[0], sizeof(to->at[0]));
    copy_text(to->at[1], from->at[1], sizeof(to->at[1]));
}

void wsk_said_clean(wsk_site_spec_t *to, const wsk_site_spec_t *from)
{
    memset(to, 0, sizeof(*to));
    copy_text(to->key, from->key, sizeof(to->key));
    copy_text(to->site_id, from->site_id, sizeof(to->site_id));
    copy_text(to->url, from->url, sizeof(to->url));
    copy_text(to->user, from->user, sizeof(to->user));
    copy_pair(&to->publish, &from->publish);
    copy_pair(&to->jwt, &from->jwt);
    to->signature = from->signature;
    to->generation = from->generation;
    to->incarnation = from->incarnation;
    to->limits = from->limits;
}

void wsk_said_put(wsk_site_t *site, const wsk_said_t *said)
{
    const uint32_t now = atomic_load(&site->said_now) & 1;

    site->said[!now] = *said;
    wsk_settle();
    atomic_store(&site->said_now, !now);
    wsk_settle();
    wsk_wipe(&site->said[now], sizeof(site->said[now]));
    atomic_fetch_add(&site->version, 1);
}
