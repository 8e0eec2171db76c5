/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever stands in a query: a parameter that can be found is cut out, cannot be
 * found then, and everything else is there as before and in order.
 *
 * Input: a path or a request line.
 */
#include "proto/wsk_query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 4096
#define NAME "token"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static wsk_slice_t query_of(const char *text)
{
    const char *mark = strchr(text, '?');

    if (mark == NULL) {
        return (wsk_slice_t){ NULL, 0 };
    }
    return (wsk_slice_t){ mark + 1, strcspn(mark + 1, " ") };
}

/* The same text made the slow way, parameter by parameter. */
static void cut_by_the_book(char *out, const char *text)
{
    const wsk_slice_t query = query_of(text);
    const char *at = query.at;
    size_t len;
    int n = 0;

    if (at == NULL) {
        strcpy(out, text);
        return;
    }
    memcpy(out, text, (size_t)(at - 1 - text));
    out[at - 1 - text] = '\0';
    for (;;) {
        len = strcspn(at, "& ");
        if (strncmp(at, NAME "=", sizeof(NAME)) != 0) {
            strcat(out, n++ > 0 ? "&" : "?");
            strncat(out, at, len);
        }
        at += len;
        if (*at != '&') {
            break;
        }
        at++;
    }
    strcat(out, at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[MOST], want[MOST];
    wsk_slice_t found;
    char *exact;

    if (size >= MOST || memchr(data, '\0', size) != NULL) {
        return 0;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    cut_by_the_book(want, text);
    exact = strdup(text);
    must(exact != NULL, "no memory");
    found = wsk_query_find(query_of(exact), NAME);
    must((found.at != NULL) == (strcmp(want, text) != 0),
         "what is found is what is cut");
    must(found.at == NULL
             || memcmp(found.at - sizeof(NAME), NAME "=", sizeof(NAME)) == 0,
         "a value stands behind its name");
    wsk_query_cut(exact, NAME);
    must(strcmp(exact, want) == 0, "two opinions on what is left");
    if (exact[strcspn(text, "?")] == '?') {
        must(wsk_query_find(query_of(exact), NAME).at == NULL,
             "what was cut is still there");
    }
    free(exact);
    return 0;
}
