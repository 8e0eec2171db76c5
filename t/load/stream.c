/* SPDX-License-Identifier: Apache-2.0 */
/* What comes after the head: frames, or lines. */
#include "swarm.h"

#include <stdlib.h>
#include <string.h>

void stream_ready(swarm_t *swarm, subscriber_t *sub)
{
    const uint64_t now = now_ms();

    swarm->opening--;
    swarm->ready++;
    sub->stage = STAGE_READY;
    if (sub->lost_ms > 0
        && now - sub->lost_ms > swarm->tally.slowest_return_ms) {
        swarm->tally.slowest_return_ms = now - sub->lost_ms;
    }
    sub->lost_ms = 0;
}

static void take_hint(swarm_t *swarm, subscriber_t *sub, int64_t ms)
{
    if (ms >= 0) {
        sub->pause_ms = ms;
        swarm->tally.hints++;
    }
}

/* One text frame of the relay. */
static void hear(swarm_t *swarm, subscriber_t *sub, const frame_t *frame)
{
    char type[24] = "", id[ID_MAX] = "";

    field_text(type, sizeof(type), frame->payload, frame->len, "type");
    field_text(id, sizeof(id), frame->payload, frame->len, "id");
    if (strcmp(type, "message") == 0) {
        track_message(swarm, sub, id, frame->payload, frame->len);
    }
    else if (strcmp(type, "ping") == 0) {
        swarm->tally.pings++;
        track_cursor(sub, id);
        frame_put(&sub->wire, 1, "{\"type\":\"pong\"}", 15);
    }
    else if (strcmp(type, "subscribed") == 0) {
        if (sub->last_id[0] == '\0') {
            track_cursor(sub, id);
        }
        if (sub->stage == STAGE_SUBSCRIBING) {
            stream_ready(swarm, sub);
        }
    }
    else if (strcmp(type, "gap") == 0) {
        swarm->tally.gaps++;
    }
    else if (strcmp(type, "reconnect") == 0) {
        take_hint(swarm, sub,
                  field_number(frame->payload, frame->len, "in", -1));
    }
    else if (strcmp(type, "error") == 0) {
        swarm->tally.refused++;
    }
}

static int close_code(const frame_t *frame)
{
    const unsigned char *at = (const unsigned char *)frame->payload;

    return frame->len < 2 ? 1005 : at[0] << 8 | at[1];
}

bool stream_read_ws(swarm_t *swarm, subscriber_t *sub)
{
    wire_t *wire = &sub->wire;
    size_t at = 0;
    frame_t frame;
    int rc;

    while ((rc = frame_parse(&frame, wire->in + at, wire->in_len - at)) > 0) {
        at += frame.whole;
        switch (frame.opcode) {
        case 1:
            hear(swarm, sub, &frame);
            break;
        case 8:
            frame_put(wire, 8, frame.payload, frame.len < 2 ? 0 : 2);
            wire_flush(swarm, wire);
            subscriber_end(swarm, sub, close_code(&frame));
            return false;
        case 9:
            frame_put(wire, 10, frame.payload, frame.len);
            break;
        default:
            break;
        }
    }
    if (rc < 0) {
        swarm->tally.malformed++;
        subscriber_end(swarm, sub, CODE_LOST);
        return false;
    }
    wire_drop(wire, at);
    return true;
}

/* The fields of one event. */
static void hear_event(swarm_t *swarm, subscriber_t *sub, const char *block,
                       size_t len)
{
    const char *end = block + len, *line = block, *next;
    const char *data = NULL;
    char id[ID_MAX] = "", kind[32] = "";
    size_t data_len = 0, n;

    for (; line < end; line = next + 1) {
        next = memchr(line, '\n', (size_t)(end - line));
        next = next != NULL ? next : end;
        n = (size_t)(next - line);
        if (n > 4 && memcmp(line, "id: ", 4) == 0 && n - 4 < sizeof(id)) {
            memcpy(id, line + 4, n - 4);
            id[n - 4] = '\0';
        }
        else if (n > 7 && memcmp(line, "event: ", 7) == 0
                 && n - 7 < sizeof(kind)) {
            memcpy(kind, line + 7, n - 7);
            kind[n - 7] = '\0';
        }
        else if (n > 6 && memcmp(line, "data: ", 6) == 0) {
            data = line + 6;
            data_len = n - 6;
        }
        else if (n > 7 && memcmp(line, "retry: ", 7) == 0) {
            take_hint(swarm, sub, atoll(line + 7));
        }
    }
    if (data == NULL) {
        track_cursor(sub, id);
        swarm->tally.pings += id[0] != '\0';
    }
    else if (kind[0] == '\0') {
        track_message(swarm, sub, id, data, data_len);
    }
    else if (strcmp(kind, "wps.gap") == 0) {
        swarm->tally.gaps++;
    }
}

static void hear_events(swarm_t *swarm, subscriber_t *sub)
{
    wire_t *wire = &sub->wire;
    size_t at = 0;
    const char *end;

    while ((end = memmem(wire->in + at, wire->in_len - at, "\n\n", 2))
           != NULL) {
        hear_event(swarm, sub, wire->in + at, (size_t)(end - wire->in) - at);
        at = (size_t)(end - wire->in) + 2;
    }
    if (at > 0) {
        wire_drop(wire, at);
    }
}

/* An event stream has no length and ends with its connection; chunks would
 * mean that httpd still sits on it, and are counted as a fault. */
bool stream_read_sse(swarm_t *swarm, subscriber_t *sub)
{
    if (sub->chunked) {
        swarm->tally.malformed++;
        subscriber_end(swarm, sub, CODE_LOST);
        return false;
    }
    hear_events(swarm, sub);
    return true;
}

static void fill_echo(const swarm_t *swarm, const subscriber_t *sub,
                      char *bytes)
{
    int i;

    for (i = 0; i < swarm->opt.echo_bytes; i++) {
        bytes[i] = (char)('a' + (i + sub->rounds + sub->number) % 26);
    }
}

void stream_send_echo(swarm_t *swarm, subscriber_t *sub)
{
    char *bytes = need(malloc((size_t)swarm->opt.echo_bytes));

    fill_echo(swarm, sub, bytes);
    frame_put(&sub->wire, 1, bytes, (size_t)swarm->opt.echo_bytes);
    free(bytes);
}

static void check_echo(swarm_t *swarm, subscriber_t *sub, const frame_t *frame)
{
    char *bytes = need(malloc((size_t)swarm->opt.echo_bytes));

    fill_echo(swarm, sub, bytes);
    if (frame->len == (size_t)swarm->opt.echo_bytes
        && memcmp(bytes, frame->payload, frame->len) == 0) {
        swarm->tally.echoes++;
    }
    else {
        swarm->tally.bad_echoes++;
    }
    free(bytes);
}

bool stream_read_echo(swarm_t *swarm, subscriber_t *sub)
{
    wire_t *wire = &sub->wire;
    frame_t frame;
    const int rc = frame_parse(&frame, wire->in, wire->in_len);

    if (rc == 0) {
        return true;
    }
    if (rc < 0 || frame.opcode == 8) {
        subscriber_end(swarm, sub, rc < 0 ? CODE_LOST : close_code(&frame));
        return false;
    }
    if (frame.opcode == 1) {
        check_echo(swarm, sub, &frame);
        sub->rounds++;
    }
    wire_drop(wire, frame.whole);
    if (sub->rounds < swarm->opt.echo_rounds) {
        stream_send_echo(swarm, sub);
        return true;
    }
    subscriber_end(swarm, sub, 0);
    return false;
}
