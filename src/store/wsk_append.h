/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_append -- appending as a part of a greater turn of work.
 *
 * Threads   Within a wsk_work_t. Either may commit what was changed before it,
 *           so it comes first.
 */
#ifndef WSK_APPEND_H
#define WSK_APPEND_H

#include "store/wsk_work.h"

/** Let a page of the site's own logs fall free, but not the last one of `keep`.
 *  @return false: there is none */
bool wsk_append_spare(wsk_work_t *work, wsk_log_e keep);

/** Append one record, which comes into force with the next commit.
 *  @return WSK_OK or WSK_EFULL */
wsk_status_e wsk_append_one(wsk_work_t *work, wsk_log_e which,
                            const wsk_record_t *record, int64_t now_us);

#endif
