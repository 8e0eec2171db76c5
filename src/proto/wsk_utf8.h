/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_utf8 -- UTF-8 checked while it streams (RFC 3629).
 *
 * Promise   Refuses at the first byte that cannot continue a valid text: no
 *           overlong form, surrogate, or value above U+10FFFF passes. No memory
 *           but the state.
 */
#ifndef WSK_UTF8_H
#define WSK_UTF8_H

#include "core/wsk.h"

/** All zero is the start, and the state between two characters. */
typedef struct wsk_utf8_t {
    uint8_t need; /* continuation bytes to come */
    uint8_t low;  /* bounds of the next one */
    uint8_t high;
} wsk_utf8_t;

/** Read on; `bytes` may be NULL if len is 0.
 *  @return false at the first impossible byte; the state is then undefined */
bool wsk_utf8_feed(wsk_utf8_t *state, const uint8_t *bytes, size_t len);

/** Whether the text may end here: no character is cut. */
bool wsk_utf8_whole(const wsk_utf8_t *state);

/** A whole text at once. */
bool wsk_utf8_valid(const void *bytes, size_t len);

#endif
