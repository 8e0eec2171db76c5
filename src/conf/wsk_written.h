/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_written -- directives of several values, as they would be written.
 */
#ifndef WSK_WRITTEN_H
#define WSK_WRITTEN_H

#include "apr_pools.h"

#include "conf/wsk_settings.h"

/** The value of the i-th of them.
 *  @param server  receives whether it holds for the whole server
 *  @return NULL behind the last */
const char *wsk_written(apr_pool_t *pool, const wsk_settings_t *set, size_t i,
                        const char **name, bool *server);

#endif
