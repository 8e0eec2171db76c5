/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_channel -- the grammar of channel names and their two spellings.
 *
 * A channel has a bare name, `events`, and a qualified one,
 * `site:<site_id>:events`; they are the same channel (PROTOCOL.md, "Channels").
 * Inside, only the bare name is used.
 *
 * Promise   Pure. The bare name of a bare name is itself, so that no name can
 *           turn into another one by being looked at twice.
 * Threads   Any.
 * Not here  Who may use a channel (auth/wsk_grant).
 */
#ifndef WSK_CHANNEL_H
#define WSK_CHANNEL_H

#include "core/wsk.h"

/**
 * The bare name of what was given, as a part of it: a prefix
 * `site:<site_id>:` of this very site is dropped, as often as it stands there;
 * anything else stays (a name qualified for another site is an odd bare name
 * of this one). What is left may be empty, which wsk_channel_valid refuses.
 */
wsk_slice_t wsk_channel_bare(wsk_slice_t given, const char *site_id);

/**
 * Whether a bare name may be used: 1 to max bytes of well-formed UTF-8, no
 * control character (C0, DEL, C1), no comma, no leading or trailing space.
 * @param max  at most WSK_CHANNEL_MAX
 */
bool wsk_channel_valid(wsk_slice_t bare, size_t max);

/** Whether only the relay speaks there: a bare name beginning with "wps:". */
bool wsk_channel_reserved(wsk_slice_t bare);

#endif
