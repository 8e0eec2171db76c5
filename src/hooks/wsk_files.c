/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_files -- which sites came from which site file, over reloads.
 *
 * In the memory of the process, not of a configuration: what one reload finds
 * broken, the next still has to know. Bounded by the files that are configured.
 */
#include "hooks/wsk_hooks.h"

#include <stdlib.h>

#define FILES_KEY "wordsocket:files:" WSK_VERSION

typedef struct files_t {
    wsk_file_t *first;
} files_t;

static files_t *files_of(apr_pool_t *pprocess)
{
    void *data = NULL;

    apr_pool_userdata_get(&data, FILES_KEY, pprocess);
    if (!data) {
        data = apr_pcalloc(pprocess, sizeof(files_t));
        apr_pool_userdata_set(data, FILES_KEY, NULL, pprocess);
    }
    return data;
}

wsk_file_t *wsk_file_of(apr_pool_t *pprocess, const char *name)
{
    files_t *files = files_of(pprocess);
    size_t len = strlen(name) + 1;
    wsk_file_t *file;

    for (file = files->first; file; file = file->next) {
        if (strcmp(file->name, name) == 0) {
            return file;
        }
    }
    file = ap_calloc(1, sizeof *file + len);
    memcpy(file->name, name, len);
    file->next = files->first;
    files->first = file;
    return file;
}

void wsk_file_holds(wsk_file_t *file, const uint32_t *numbers, unsigned n)
{
    free(file->numbers);
    file->numbers = ap_calloc(n + 1u, sizeof *numbers);
    if (n) {
        memcpy(file->numbers, numbers, n * sizeof *numbers);
    }
    file->n = n;
}

unsigned wsk_files_settle(apr_pool_t *pprocess, uint64_t stamp)
{
    wsk_file_t **at = &files_of(pprocess)->first, *file;
    unsigned refused = 0;

    while ((file = *at) != NULL) {
        if (file->stamp == stamp) {
            refused += file->refused;
            at = &file->next;
            continue;
        }
        *at = file->next;
        free(file->numbers);
        free(file);
    }
    return refused;
}
