/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wsk_quota.h"

static const struct {
    const char *name, *text;
    wsk_counter_e counter;
} quotas[] = { { "", "", WSK_C_COUNT },
#define X(name, limit, counter, text) { #name, text, WSK_C_##counter },
               WSK_QUOTAS(X)
#undef X
};
_Static_assert(WSK_COUNT_OF(quotas) == WSK_Q_COUNT, "a row for every quota");

const char *wsk_quota_name(wsk_quota_e quota)
{
    return quotas[quota].name;
}

const char *wsk_quota_text(wsk_quota_e quota)
{
    return quotas[quota].text;
}

wsk_counter_e wsk_quota_counter(wsk_quota_e quota)
{
    return quotas[quota].counter;
}

unsigned wsk_quota_retry_s(uint32_t wait_ms)
{
    return WSK_MIN(wait_ms / 1000 + 1, 3600u);
}
