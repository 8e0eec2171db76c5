/* SPDX-License-Identifier: Apache-2.0 */
#include "swarm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int frame_parse(frame_t *frame, const char *bytes, size_t len)
{
    const unsigned char *at = (const unsigned char *)bytes;
    uint64_t payload;
    size_t head = 2, i;

    if (len < 2) {
        return 0;
    }
    if ((at[0] & 0xf0) != 0x80 || (at[1] & 0x80) != 0) {
        return -1;
    }
    payload = at[1];
    if (payload >= 126) {
        head = payload == 126 ? 4 : 10;
        if (len < head) {
            return 0;
        }
        payload = 0;
        for (i = 2; i < head; i++) {
            payload = payload << 8 | at[i];
        }
    }
    if (payload > BUFFER_MAX) {
        return -1;
    }
    if (len - head < payload) {
        return 0;
    }
    frame->opcode = at[0] & 15;
    frame->payload = bytes + head;
    frame->len = (size_t)payload;
    frame->whole = head + (size_t)payload;
    return 1;
}

/* The mask is 0: it is the server that is measured, not the masking. */
void frame_put(wire_t *wire, int opcode, const char *payload, size_t len)
{
    unsigned char head[14] = { (unsigned char)(0x80 | opcode) };
    size_t n = 2;
    int shift;

    if (len < 126) {
        head[1] = (unsigned char)(0x80 | len);
    }
    else {
        head[1] = len < 65536 ? 0x80 | 126 : 0x80 | 127;
        for (shift = len < 65536 ? 8 : 56; shift >= 0; shift -= 8) {
            head[n++] = (unsigned char)((uint64_t)len >> shift);
        }
    }
    wire_put(wire, head, n + 4);
    wire_put(wire, payload, len);
}

bool has_text(const char *bytes, size_t len, const char *text)
{
    return memmem(bytes, len, text, strlen(text)) != NULL;
}

/* The first byte of a member's value, or NULL. What the relay sends is small
 * and its own; data of ours never holds a name that is asked for. */
static const char *value_of(const char *json, size_t len, const char *name)
{
    char quoted[40];
    const char *at, *end = json + len;

    snprintf(quoted, sizeof(quoted), "\"%s\"", name);
    at = memmem(json, len, quoted, strlen(quoted));
    if (at == NULL) {
        return NULL;
    }
    at += strlen(quoted);
    while (at < end && (*at == ' ' || *at == ':')) {
        at++;
    }
    return at < end ? at : NULL;
}

bool field_text(char *out, size_t size, const char *json, size_t len,
                const char *name)
{
    const char *at = value_of(json, len, name);
    const char *end;

    if (at == NULL || *at != '"') {
        return false;
    }
    at++;
    end = memchr(at, '"', (size_t)(json + len - at));
    if (end == NULL || (size_t)(end - at) >= size) {
        return false;
    }
    memcpy(out, at, (size_t)(end - at));
    out[end - at] = '\0';
    return true;
}

int64_t field_number(const char *json, size_t len, const char *name,
                     int64_t otherwise)
{
    const char *at = value_of(json, len, name);
    int64_t value = 0;

    if (at == NULL || *at < '0' || *at > '9') {
        return otherwise;
    }
    for (; at < json + len && *at >= '0' && *at <= '9' && value < 1 << 30;
         at++) {
        value = value * 10 + (*at - '0');
    }
    return value;
}
