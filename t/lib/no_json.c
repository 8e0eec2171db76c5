/* SPDX-License-Identifier: Apache-2.0 */
/*
 * no_json -- preloaded into httpd: while the file that WSK_NO_JSON names is
 * there, the JSON parser finds no memory.
 *
 * It answers as the parser does then; the proof by malloc fails with it, for
 * the size that nobody but the proof asks for (-DPROOF, WSK_JSON_PROOF)
 */
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *json_loadb(const char *text, size_t len, size_t flags, void *error);

static int is_short(void)
{
    const char *name = getenv("WSK_NO_JSON");

    return name && access(name, F_OK) == 0;
}

void *malloc(size_t size)
{
    return size == PROOF && is_short() ? NULL : __libc_malloc(size);
}

void *json_loadb(const char *text, size_t len, size_t flags, void *error)
{
    void *(*real)(const char *, size_t, size_t, void *);

    *(void **)&real = dlsym(RTLD_NEXT, "json_loadb");
    return is_short() || !real ? NULL : real(text, len, flags, error);
}
