/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_counters -- every counter, one entry each.
 *
 * Promise   Enum, segment fields, status text and JSON names all come from
 *           this table; t/guard holds docs/operate.md against it.
 * Threads   Counters are atomic 64-bit words in the segment, one set per slot
 *           (added up with the sets of slots that are gone) and one per site.
 */
#ifndef WSK_COUNTERS_H
#define WSK_COUNTERS_H

#include "core/wsk.h"

/* clang-format off */
/* name, what it counts */
#define WSK_COUNTERS(X) \
X( opened_ws,          "WebSocket connections accepted") \
X( opened_sse,         "event streams accepted") \
X( opened_publisher,   "publish sockets accepted") \
X( closed,             "connections ended") \
X( adopted,            "connections taken over from a worker") \
X( poll_answers,       "answers in poll mode, /poll and event streams") \
X( refused_token,      "connections and requests refused for their token") \
X( refused_limit,      "connections refused at a cap") \
X( limited_host,       "of them, by the host's cap") \
X( limited_user,       "of them, by their user's cap") \
X( limited_site,       "of them, by their site's cap") \
X( limited_address,    "of them, by the cap of their address") \
X( refused_adopt,      "connections that could not be taken over") \
X( refused_origin,     "requests refused for their origin") \
X( published,          "messages appended by signed publish") \
X( published_browser,  "messages appended by browsers") \
X( published_binary,   "binary frames appended") \
X( published_bytes,    "bytes appended") \
X( publish_duplicate,  "signed publishes answered with their first id") \
X( publish_refused,    "signed publishes refused") \
X( limited_publish,    "of them, by their site's rate") \
X( limited_user_publish, "of them, by their user's rate") \
X( limited_requests,   "of them, because too many are remembered") \
X( publish_full,       "publishes refused because the segment is full") \
X( browser_refused,    "browser messages refused") \
X( limited_browser,    "of them, by their site's rate") \
X( limited_user_browser, "of them, by their user's rate") \
X( limited_connection, "of them, by the rate of their connection") \
X( delivered,          "messages put on a socket") \
X( delivered_binary,   "binary frames put on a socket") \
X( sends,              "write calls on sockets") \
X( sent_bytes,         "bytes written to sockets") \
X( received_bytes,     "bytes read from sockets") \
X( received_messages,  "messages read from sockets") \
X( presence,           "presences entered, or changed") \
X( presence_full,      "presences refused because a bound was reached") \
X( delivered_presence, "lists and changes of presence put on a socket") \
X( replayed,           "messages sent again after a reconnect") \
X( gaps,               "gap events sent") \
X( lapped,             "times a child was overtaken by its log") \
X( slow_closed,        "connections closed at their send queue's bound") \
X( stalled_closed,     "connections closed because nothing could be written") \
X( idle_closed,        "connections closed because the client was silent") \
X( expired_closed,     "connections closed because their token ran out") \
X( protocol_closed,    "connections closed for a fault in what they sent") \
X( drained,            "connections told to reconnect while draining") \
X( wakeups,            "times a loop was woken for a log") \
X( repairs,            "locks found with a dead owner") \
X( slots_reaped,       "slots of dead processes given back") \
X( logs_reset,         "logs started anew after a repair")
/* clang-format on */

typedef enum wsk_counter_e {
#define X(name, help) WSK_C_##name,
    WSK_COUNTERS(X)
#undef X
        WSK_C_COUNT
} wsk_counter_e;

#endif
