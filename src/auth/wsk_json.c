/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_json.h"

#include <stdlib.h>

#define PARSER_NEEDS 65536

static bool has_memory(void)
{
    void *proof = malloc(PARSER_NEEDS);

    free(proof);
    return proof != NULL;
}

wsk_status_e wsk_json_read(json_t **pvalue, wsk_slice_t text, size_t flags,
                           json_error_t *error)
{
    const char *at = text.at != NULL ? text.at : "";
    const size_t strict = flags | JSON_REJECT_DUPLICATES;

    *pvalue = NULL;
    if (has_memory()) {
        *pvalue = json_loadb(at, text.len, strict, error);
        if (*pvalue != NULL) {
            return WSK_OK;
        }
    }
    if (!has_memory()) {
        return WSK_ENOMEM;
    }
    *pvalue = json_loadb(at, text.len, strict, error);
    return *pvalue != NULL ? WSK_OK : WSK_EINVAL;
}
