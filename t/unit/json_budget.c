/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader of strangers' JSON where there is so much memory and no more: what it
 * reads is what was written, or it says that it has no memory.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PLENTY (SIZE_MAX / 2)

static size_t left = PLENTY;

/* Blocks know their size. */
static void *budget_malloc(size_t size)
{
    size_t *at = size <= left ? malloc(size + 16) : NULL;

    if (at != NULL) {
        left -= size;
        *at = size;
        return at + 2;
    }
    return NULL;
}

static void budget_free(void *block)
{
    size_t *at = block;

    if (at != NULL) {
        left += at[-2];
        free(at - 2);
    }
}

#define malloc(size) budget_malloc(size)
#define free(block) budget_free(block)
#include "auth/wsk_json.c"
#undef malloc
#undef free

#include "tap.h"

/* `times` of this, then a text of `len` bytes, in one list. */
typedef struct shape_t {
    const char *item;
    unsigned times, len;
} shape_t;

static const shape_t shapes[] = {
    { "", 0, 40 },       { "{},", 10, 300 },    { "{},", 100, 3000 },
    { "[],", 100, 300 }, { "1234,", 500, 500 }, { "{\"a\":{}},", 20, 100 },
    { "", 0, 14000 },    { "", 0, 30000 },      { "", 0, 60000 }
};

static char *text_of(const shape_t *shape)
{
    const size_t each = strlen(shape->item);
    char *text = malloc(shape->times * each + shape->len + 5);
    size_t n = 1, i;

    text[0] = '[';
    for (i = 0; i < shape->times; i++, n += each) {
        memcpy(text + n, shape->item, each);
    }
    text[n++] = '"';
    for (i = 0; i < shape->len; i++) {
        text[n++] = (char)('a' + i % 26);
    }
    memcpy(text + n, "\"]", 3);
    return text;
}

static void shape(const shape_t *shape)
{
    char *text = text_of(shape);
    const wsk_slice_t whole = { text, strlen(text) };
    json_t *value, *want = json_loadb(text, whole.len, 0, NULL);
    unsigned changed = 0, blamed = 0, starved = 0, had = 0;
    size_t budget;

    for (budget = 0; budget < 400000; budget += 331) {
        wsk_status_e rv;

        left = budget;
        rv = wsk_json_read(&value, whole, 0, NULL);
        left = PLENTY;
        had += rv == WSK_OK;
        starved += rv == WSK_ENOMEM;
        blamed += rv == WSK_EINVAL;
        changed += rv == WSK_OK && !json_equal(value, want);
        json_decref(value);
    }
    ok(had > 0 && starved > 0, "%u of %s and a text of %u, with more and less",
       shape->times, shape->item, shape->len);
    is_int(changed, 0, "what is read is what was sent");
    is_int(blamed, 0, "want of memory is not the sender's fault");
    json_decref(want);
    free(text);
}

int main(void)
{
    size_t i;

    json_set_alloc_funcs(budget_malloc, budget_free);
    for (i = 0; i < WSK_COUNT_OF(shapes); i++) {
        shape(&shapes[i]);
    }
    return done_testing();
}
