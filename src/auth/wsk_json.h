/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_json -- JSON of strangers into a value, or whose fault it is that it is
 * none.
 *
 * The parser tells want of memory in the words of a fault of the text, and may
 * even drop bytes of a text in silence, or abort, where its buffer cannot grow. So
 * memory for that is proved before, and a fault has to show twice. What a text of very
 * many small values takes is not proved: without memory for them twice, it may be
 * called a fault.
 *
 * Threads   Any; no state.
 * Not here  How deep and how long a text may be.
 */
#ifndef WSK_JSON_H
#define WSK_JSON_H

#include <jansson.h>

#include "core/wsk.h"

/** Bytes that are proved for a short text. Of 64 KiB or more the C library would give
 *  the block back to the system, each time. */
#define WSK_JSON_PROOF 61440

/**
 * @param pvalue  receives an owned value when OK, else NULL
 * @param flags   the parser's; a member named twice is always a fault
 * @param error   receives what the parser says of a fault; or NULL
 * @return WSK_OK, WSK_EINVAL it is no JSON, WSK_ENOMEM that cannot be said now
 */
wsk_status_e wsk_json_read(json_t **pvalue, wsk_slice_t text, size_t flags,
                           json_error_t *error);

#endif
