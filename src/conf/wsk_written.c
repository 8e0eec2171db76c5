/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/wsk_written.h"

#include "apr_strings.h"

#include "conf/wsk_units.h"

static const char *show_pair(apr_pool_t *pool, int64_t rate, int64_t burst)
{
    return apr_psprintf(pool, "%" APR_INT64_T_FMT " %" APR_INT64_T_FMT,
                        (apr_int64_t)rate, (apr_int64_t)burst);
}

static const char *show_rate(apr_pool_t *pool, const wsk_settings_t *set)
{
    return show_pair(pool, set->publish_rate, set->publish_burst);
}

static const char *show_user(apr_pool_t *pool, const wsk_settings_t *set)
{
    return show_pair(pool, set->user_publish_rate, set->user_publish_burst);
}

static const char *show_keepers(apr_pool_t *pool, const wsk_settings_t *set)
{
    if (set->keepers == 0) {
        return "0";
    }
    return apr_pstrcat(
        pool, wsk_unit_show(pool, WSK_UNIT_COUNT, set->keepers), " ",
        wsk_unit_show(pool, WSK_UNIT_MSEC, set->keeper_age_ms), NULL);
}

static const char *show_history(apr_pool_t *pool, const wsk_settings_t *set)
{
    if (set->history_bytes == 0) {
        return "Off";
    }
    return apr_pstrcat(
        pool, wsk_unit_show(pool, WSK_UNIT_BYTES, set->history_bytes), " ",
        wsk_unit_show(pool, WSK_UNIT_COUNT, set->history_messages), " ",
        wsk_unit_show(pool, WSK_UNIT_MSEC, set->history_age_ms), NULL);
}

static const char *show_origins(apr_pool_t *pool, const wsk_settings_t *set)
{
    const char *all = set->norigins ? set->origins[0] : "(any)";
    unsigned i;

    for (i = 1; i < set->norigins; i++) {
        all = apr_pstrcat(pool, all, " ", set->origins[i], NULL);
    }
    return all;
}

static const struct {
    const char *name;
    bool server;
    const char *(*show)(apr_pool_t *pool, const wsk_settings_t *set);
} shown[] = { { "WordSocketPublishRate", false, show_rate },
              { "WordSocketUserPublishRate", false, show_user },
              { "WordSocketHistory", false, show_history },
              { "WordSocketKeepers", true, show_keepers },
              { "WordSocketAllowOrigin", false, show_origins } };

const char *wsk_written(apr_pool_t *pool, const wsk_settings_t *set, size_t i,
                        const char **name, bool *server)
{
    if (i >= WSK_COUNT_OF(shown)) {
        return NULL;
    }
    *name = shown[i].name;
    *server = shown[i].server;
    return shown[i].show(pool, set);
}
