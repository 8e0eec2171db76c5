/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_query -- parameters of a URL's query, as the client wrote them.
 *
 * Promise   A parameter is what stands between two `&`. Names are compared byte
 *           for byte: one with an escape in it is another name.
 * Threads   Any; nothing is kept.
 * Not here  Escapes: a value is the caller's to decode.
 */
#ifndef WSK_QUERY_H
#define WSK_QUERY_H

#include "core/wsk.h"

/** The value of the first parameter of this name; `at` is NULL if there is none.
 *  @param query  what follows the `?` */
wsk_slice_t wsk_query_find(wsk_slice_t query, const char *name);

/** Take all parameters of this name out of a path or a request line, in place:
 *  out of what stands between its first `?` and the next blank or the end. A `?`
 *  that nothing is left after goes too. */
void wsk_query_cut(char *text, const char *name);

#endif
