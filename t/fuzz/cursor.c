/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a client says it saw last: what is taken as a cursor is written again
 * as the same text, and nothing but that text is taken for it.
 *
 * Input: the text of `since`, Last-Event-ID or an id.
 */
#include "store/wsk_log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    wsk_cursor_t cursor = { 0 }, again = { 0 };
    char *exact = malloc(size ? size : 1), text[WSK_ID_MAX];
    size_t len;

    must(exact != NULL, "there is memory");
    if (size) {
        memcpy(exact, data, size);
    }
    if (wsk_cursor_parse((wsk_slice_t){ exact, size }, &cursor)) {
        len = wsk_cursor_text(text, &cursor);
        must(len < sizeof text, "it has room");
        must(len == size && memcmp(text, exact, size) == 0, "the same text");
        must(wsk_cursor_parse((wsk_slice_t){ text, len }, &again)
                 && again.epoch == cursor.epoch && again.seq == cursor.seq,
             "the same cursor");
    }
    free(exact);
    return 0;
}
