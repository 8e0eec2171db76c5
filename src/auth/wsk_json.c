/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_json.h"

#include <stdlib.h>

/* The values of a short text, and for any a buffer that doubles with the one it is
 * copied from. */
#define NEEDS(len) WSK_MAX(4 * (len) + 64, (size_t)WSK_JSON_PROOF)

static bool has_memory(size_t len)
{
    void *proof = malloc(NEEDS(len));

    free(proof);
    return proof != NULL;
}

wsk_status_e wsk_json_read(json_t **pvalue, wsk_slice_t text, size_t flags,
                           json_error_t *error)
{
    const char *at = text.at != NULL ? text.at : "";
    const size_t strict = flags | JSON_REJECT_DUPLICATES;

    *pvalue = NULL;
    if (has_memory(text.len)) {
        *pvalue = json_loadb(at, text.len, strict, error);
        if (*pvalue != NULL) {
            return WSK_OK;
        }
    }
    if (!has_memory(text.len)) {
        return WSK_ENOMEM;
    }
    *pvalue = json_loadb(at, text.len, strict, error);
    return *pvalue != NULL ? WSK_OK : WSK_EINVAL;
}
