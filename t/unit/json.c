/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "auth/wsk_json.h"

#include <string.h>
#include "tap.h"

static wsk_status_e reads(const char *text)
{
    json_t *value;
    const wsk_status_e rv = wsk_json_read(
        &value, (wsk_slice_t){ text, strlen(text) }, 0, NULL);

    if ((rv == WSK_OK) != (value != NULL)) {
        return WSK_EBROKEN;
    }
    json_decref(value);
    return rv;
}

static void texts(void)
{
    json_error_t error = { .text = "" };
    json_t *value;

    is_int(reads("{\"a\":[1,\"x\"]}"), WSK_OK, "JSON is read");
    is_int(reads("{\"a\":1,"), WSK_EINVAL, "what breaks off is a fault");
    is_int(reads("{\"a\":1,\"a\":2}"), WSK_EINVAL, "so is a member twice");
    is_int(wsk_json_read(&value, (wsk_slice_t){ NULL, 0 }, 0, &error),
           WSK_EINVAL, "so is no text at all");
    ok(error.text[0] != '\0', "and the parser's words are handed on");
}

/* Whenever memory ends, nobody is said to have sent a fault. */
static void hunger(void)
{
    wsk_status_e rv;
    long n = 0;
    bool hit = true;

    while (hit && n < 1000) {
        fault_arm(FAULT_MEMORY, n++, LONG_MAX);
        rv = reads("{\"a\":[1,\"x\"]}");
        hit = fault_end();
        if (rv != WSK_OK && rv != WSK_ENOMEM) {
            ok(false, "without memory from %ld on: %d", n - 1, rv);
        }
    }
    ok(n > 4 && n < 1000, "without memory nothing is a fault (%ld ways)", n);
    is_int(rv, WSK_OK, "and with it all is well");
}

int main(void)
{
    texts();
    hunger();
    return done_testing();
}
