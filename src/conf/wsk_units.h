/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_units -- numbers as an administrator writes them.
 */
#ifndef WSK_UNITS_H
#define WSK_UNITS_H

#include <stdbool.h>
#include <stdint.h>

#include "apr_pools.h"

/** A plain count; bytes, with K, M or G; On or Off; a time, kept in ms. */
typedef enum wsk_unit_e {
    WSK_UNIT_COUNT,
    WSK_UNIT_BYTES,
    WSK_UNIT_FLAG,
    WSK_UNIT_MSEC
} wsk_unit_e;

/** @return false: it is no number of that kind, or too large a one */
bool wsk_unit_parse(const char *arg, wsk_unit_e unit, int64_t *value);

/** The other way round, with the largest unit that fits. @return in the pool */
const char *wsk_unit_show(apr_pool_t *pool, wsk_unit_e unit, int64_t value);

#endif
