/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/wsk_units.h"

#include <errno.h>

#include "apr_lib.h"
#include "apr_strings.h"
#include "core/wsk.h"

static bool parse_count(const char *arg, int64_t *value)
{
    char *end;

    if (!apr_isdigit(*arg)) {
        return false;
    }
    errno = 0;
    *value = apr_strtoi64(arg, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool parse_bytes(const char *arg, int64_t *value)
{
    static const char units[] = "KMG";
    char *end;
    const char *unit;
    int shift;

    if (!apr_isdigit(*arg)) {
        return false;
    }
    errno = 0;
    *value = apr_strtoi64(arg, &end, 10);
    if (errno != 0 || *end == '\0') {
        return errno == 0;
    }
    unit = strchr(units, apr_toupper(*end));
    if (!unit || end[1] != '\0') {
        return false;
    }
    shift = 10 * (int)(unit - units + 1);
    if (*value > INT64_MAX >> shift) {
        return false;
    }
    *value <<= shift;
    return true;
}

static bool parse_time(const char *arg, int64_t *value)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = { { "ms", 1 },      { "", 1000 },     { "s", 1000 },
                  { "m", 60000 },   { "mi", 60000 },  { "min", 60000 },
                  { "h", 3600000 }, { "d", 86400000 } };
    char *end;
    size_t i;

    if (!apr_isdigit(*arg)) {
        return false;
    }
    errno = 0;
    *value = apr_strtoi64(arg, &end, 10);
    for (i = 0; errno == 0 && i < WSK_COUNT_OF(units); i++) {
        if (strcasecmp(end, units[i].unit) == 0
            && *value <= INT64_MAX / units[i].ms) {
            *value *= units[i].ms;
            return true;
        }
    }
    return false;
}

bool wsk_unit_parse(const char *arg, wsk_unit_e kind, int64_t *value)
{
    switch (kind) {
    case WSK_UNIT_COUNT:
        return parse_count(arg, value);
    case WSK_UNIT_BYTES:
        return parse_bytes(arg, value);
    case WSK_UNIT_FLAG:
        *value = strcasecmp(arg, "on") == 0;
        return *value || strcasecmp(arg, "off") == 0;
    case WSK_UNIT_MSEC:
        return parse_time(arg, value);
    }
    return false;
}

const char *wsk_unit_show(apr_pool_t *ptemp, wsk_unit_e kind, int64_t value)
{
    static const char *const units[] = { "", "K", "M", "G" };
    unsigned u = 0;

    if (kind == WSK_UNIT_FLAG) {
        return value ? "On" : "Off";
    }
    if (kind == WSK_UNIT_MSEC) {
        return value % 1000 ? apr_psprintf(ptemp, "%" APR_INT64_T_FMT "ms",
                                           (apr_int64_t)value)
                            : apr_psprintf(ptemp, "%" APR_INT64_T_FMT "s",
                                           (apr_int64_t)value / 1000);
    }
    while (kind == WSK_UNIT_BYTES && u < 3 && value && value % 1024 == 0) {
        value /= 1024;
        u++;
    }
    return apr_psprintf(ptemp, "%" APR_INT64_T_FMT "%s", (apr_int64_t)value,
                        units[u]);
}
