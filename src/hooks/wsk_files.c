/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_files -- which sites came from which site file, over reloads.
 *
 * In the memory of the process, not of a configuration: what one reload finds
 * broken, the next still has to know. Bounded by the files that are configured.
 */
#include "hooks/wsk_hooks.h"

#define FILES_KEY "wordsocket:files:" WSK_VERSION

typedef struct files_t {
    apr_pool_t *pool; /* of all that follows; a new one at each reload */
    wsk_file_t *first;
} files_t;

static files_t *files_of(apr_pool_t *pprocess)
{
    void *data = NULL;
    files_t *files;

    apr_pool_userdata_get(&data, FILES_KEY, pprocess);
    if (!data) {
        files = apr_pcalloc(pprocess, sizeof *files);
        apr_pool_create(&files->pool, pprocess);
        apr_pool_userdata_set(files, FILES_KEY, NULL, pprocess);
        data = files;
    }
    return data;
}

static wsk_file_t *add(files_t *files, const char *name)
{
    size_t len = strlen(name) + 1;
    wsk_file_t *file = apr_pcalloc(files->pool, sizeof *file + len);

    memcpy(file->name, name, len);
    file->next = files->first;
    files->first = file;
    return file;
}

static void hold(apr_pool_t *pool, wsk_file_t *file, const uint32_t *numbers,
                 unsigned n)
{
    file->numbers = apr_pmemdup(pool, numbers, n * sizeof *numbers);
    file->n = n;
}

wsk_file_t *wsk_file_of(apr_pool_t *pprocess, const char *name)
{
    files_t *files = files_of(pprocess);
    wsk_file_t *file;

    for (file = files->first; file; file = file->next) {
        if (strcmp(file->name, name) == 0) {
            return file;
        }
    }
    return add(files, name);
}

void wsk_file_holds(apr_pool_t *pprocess, wsk_file_t *file,
                    const uint32_t *numbers, unsigned n)
{
    hold(files_of(pprocess)->pool, file, numbers, n);
}

unsigned wsk_files_settle(apr_pool_t *pprocess, uint64_t stamp)
{
    files_t *files = files_of(pprocess), old = *files;
    const wsk_file_t *file;
    unsigned refused = 0;

    *files = (files_t){ NULL, NULL };
    apr_pool_create(&files->pool, pprocess);
    for (file = old.first; file; file = file->next) {
        if (file->stamp == stamp) {
            wsk_file_t *copy = add(files, file->name);

            copy->stamp = file->stamp;
            copy->refused = file->refused;
            hold(files->pool, copy, file->numbers, file->n);
            refused += file->refused;
        }
    }
    apr_pool_destroy(old.pool);
    return refused;
}
