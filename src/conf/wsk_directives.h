/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_directives -- every directive that takes one number, size, time or
 * switch, one entry each.
 *
 * Promise   An entry is the whole of a directive: its field, setter, bounds,
 *           default, merge and help all come from it. t/guard/directives.t
 *           holds docs/directives/ and conf/wordsocket.conf against this list.
 * Not here  Directives that take names, files or several values: wsk_conf.c.
 *
 * COUNT  a plain number           BYTES  a number with K, M or G, or without
 * FLAG   On or Off                MSEC   ms, s, m, h or d; seconds if bare
 */
#ifndef WSK_DIRECTIVES_H
#define WSK_DIRECTIVES_H

#include "core/wsk.h"

/* clang-format off */
/* field            directive                       kind   default      least       most */
#define WSK_DIRECTIVES(X) \
X( enabled,         "WordSocket",                   FLAG,  0,           0,          1, \
   "serve this host") \
X( echo,            "WordSocketEcho",               FLAG,  0,           0,          1, \
   "serve <path>/echo, which returns every WebSocket message unchanged") \
X( key_epoch,       "WordSocketKeyEpoch",           COUNT, 0,           0,          1000000, \
   "counted up, it makes all keys of host mode anew that this host gave out") \
X( host_sites,      "WordSocketHostSites",          COUNT, 64,          1,          10000, \
   "sites of host mode that one host may have, revoked ones too") \
X( publisher_user,  "WordSocketPublisherUser",      FLAG,  0,           0,          1, \
   "in host mode, take signed requests of the host's owner on this machine only") \
X( enroll_header,   "WordSocketEnrollHeader",       FLAG,  0,           0,          1, \
   "in host mode, hand keys over by a header, too: for CGI by suEXEC and backends by proxy") \
X( adopt,           "WordSocketAdopt",              FLAG,  1,           0,          1, \
   "take connections over from workers; Off: poll mode for everybody") \
X( shared_memory,   "WordSocketSharedMemory",       BYTES, WSK_MB(32),  WSK_MB(1),  WSK_MB(65536), \
   "size of the segment the children share") \
X( max_connections, "WordSocketMaxConnections",     COUNT, 20000,       0,          10000000, \
   "connections of the whole server") \
X( site_connections, "WordSocketSiteConnections",   COUNT, 5000,        0,          10000000, \
   "connections of one site") \
X( address_connections, "WordSocketAddressConnections", COUNT, 500,     0,          10000000, \
   "connections of one client address at one site") \
X( user_connections, "WordSocketUserConnections",   COUNT, 15000,       0,          10000000, \
   "connections of all sites of one user together") \
X( max_message,     "WordSocketMaxMessage",         BYTES, WSK_MB(2),   WSK_KB(1),  WSK_MB(16), \
   "largest message a client may send") \
X( max_publish,     "WordSocketMaxPublish",         BYTES, WSK_KB(256), WSK_KB(1),  WSK_MB(16), \
   "largest body of a signed publish") \
X( max_channels,    "WordSocketMaxChannels",        COUNT, 100,         1,          4096, \
   "channels one connection may subscribe to") \
X( send_queue,      "WordSocketSendQueue",          BYTES, WSK_KB(512), WSK_KB(16), WSK_MB(256), \
   "unsent bytes after which a slow client is closed") \
X( ping,            "WordSocketPing",               MSEC,  20000,       1000,       3600000, \
   "how often a client is asked whether it lives, and told where it is") \
X( idle,            "WordSocketIdleTimeout",        MSEC,  65000,       2000,       86400000, \
   "silence after which a WebSocket is closed") \
X( drain,           "WordSocketDrain",              MSEC,  3000,        100,        60000, \
   "how long a leaving child takes to send its clients away")
/* clang-format on */

#endif
