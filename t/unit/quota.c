/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wsk_quota.h"

#include <string.h>

#include "tap.h"

#define CLOSE_REASON_MAX 123

int main(void)
{
    int quota, other;

    is_str(wsk_quota_name(WSK_Q_none), "", "none has no name");
    is_int(wsk_quota_counter(WSK_Q_none), WSK_C_COUNT, "and no counter");
    for (quota = WSK_Q_none + 1; quota < WSK_Q_COUNT; quota++) {
        const char *name = wsk_quota_name((wsk_quota_e)quota);
        const char *text = wsk_quota_text((wsk_quota_e)quota);
        bool alone = true;

        for (other = WSK_Q_none + 1; other < quota; other++) {
            alone &= wsk_quota_counter((wsk_quota_e)other)
                     != wsk_quota_counter((wsk_quota_e)quota);
        }
        ok(alone, "%s has a counter of its own", name);
        ok(strlen(text) > 20 && strlen(text) <= CLOSE_REASON_MAX,
           "%s: the text fits a Close", name);
        ok(strpbrk(text, "\"\\\n") == NULL, "%s: and JSON", name);
        ok(strstr(text, "again") != NULL, "%s: it says what to do", name);
    }
    is_int(wsk_quota_retry_s(1), 1, "a moment is told as a second");
    is_int(wsk_quota_retry_s(999), 1, "so is all but one");
    is_int(wsk_quota_retry_s(1000), 2, "never too early");
    is_int(wsk_quota_retry_s(UINT32_MAX), 3600, "and never is told as an hour");
    return done_testing();
}
