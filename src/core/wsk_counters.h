/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_counters -- every counter, one entry each.
 *
 * Promise   Enum, segment fields, status text, JSON names, lines of
 *           server-status and metrics all come from this table; t/guard
 *           holds docs/operate.md against it.
 * Threads   Counters are atomic 64-bit words in the segment, one set per slot
 *           (added up with the sets of slots that are gone) and one per site.
 */
#ifndef WSK_COUNTERS_H
#define WSK_COUNTERS_H

#include "core/wsk.h"

/* clang-format off */
/* name, metric, its label, what it counts. Rows of one metric stand together. */
#define WSK_COUNTERS(X) \
X( opened_ws,         "connections_opened",  "transport=\"websocket\"", \
   "WebSocket connections accepted") \
X( opened_sse,        "connections_opened",  "transport=\"event_stream\"", \
   "event streams accepted") \
X( opened_publisher,  "connections_opened",  "transport=\"publisher\"", \
   "publish sockets accepted") \
X( opened_feed,       "connections_opened",  "transport=\"dashboard\"", \
   "event streams of dashboards accepted") \
X( closed,            "connections_closed",  "", \
   "connections ended") \
X( closed_sse,        "event_streams_closed", "", \
   "event streams among them") \
X( closed_publisher,  "publish_sockets_closed", "", \
   "publish sockets among them") \
X( closed_feed,       "dashboard_streams_closed", "", \
   "event streams of dashboards among them") \
X( adopted,           "connections_adopted", "", \
   "connections taken over from a worker") \
X( handed,            "connections_handed_over", "", \
   "connections handed to another process") \
X( taken_over,        "connections_received", "", \
   "connections received from another process") \
X( kept,              "connections_kept",    "", \
   "TLS connections left to a keeper") \
X( unlogged,          "connection_ends_unlogged", "", \
   "ends of connections of keepers that no log has") \
X( hand_refused,      "hand_overs_refused",  "", \
   "connections no other process would have") \
X( poll_answers,      "poll_answers",        "", \
   "answers in poll mode, /poll and event streams") \
X( refused_token,     "handshakes_rejected", "reason=\"token\"", \
   "connections and requests refused for their token") \
X( refused_limit,     "handshakes_rejected", "reason=\"limit\"", \
   "connections refused at a cap") \
X( refused_adopt,     "handshakes_rejected", "reason=\"adopt\"", \
   "connections that could not be taken over") \
X( refused_origin,    "handshakes_rejected", "reason=\"origin\"", \
   "requests refused for their origin") \
X( no_descriptors,    "descriptors_short",   "", \
   "connections not taken over, their process having no more descriptors") \
X( published,         "messages_published",  "source=\"publisher\"", \
   "messages appended by signed publish") \
X( published_browser, "messages_published",  "source=\"browser\"", \
   "messages appended by browsers") \
X( published_binary,  "messages_published",  "source=\"binary\"", \
   "binary frames appended") \
X( published_bytes,   "published_bytes",     "", \
   "bytes appended") \
X( publish_duplicate, "publish_duplicates",  "", \
   "signed publishes answered with their first id") \
X( publish_refused,   "publish_rejected",    "reason=\"publisher\"", \
   "signed requests refused") \
X( browser_refused,   "publish_rejected",    "reason=\"browser\"", \
   "browser messages refused") \
X( publish_full,      "publish_full",        "", \
   "publishes refused because the segment is full") \
X( limited_host,      "quota_refusals",      "quota=\"host_connections\"", \
   "connections refused at the cap of the host") \
X( limited_user,      "quota_refusals",      "quota=\"user_connections\"", \
   "connections refused at the cap of their user") \
X( limited_site,      "quota_refusals",      "quota=\"site_connections\"", \
   "connections refused at the cap of their site") \
X( limited_address,   "quota_refusals",      "quota=\"address_connections\"", \
   "connections refused at the cap of their address") \
X( limited_publish,   "quota_refusals",      "quota=\"site_publish\"", \
   "publishes refused for the rate of their site") \
X( limited_user_publish, "quota_refusals",      "quota=\"user_publish\"", \
   "publishes refused for the rate of their user") \
X( limited_requests,  "quota_refusals",      "quota=\"site_requests\"", \
   "publishes refused because too many are remembered") \
X( limited_browser,   "quota_refusals",      "quota=\"site_browser\"", \
   "browser messages refused for the rate of their site") \
X( limited_user_browser, "quota_refusals",      "quota=\"user_browser\"", \
   "browser messages refused for the rate of their user") \
X( limited_connection, "quota_refusals",      "quota=\"connection_browser\"", \
   "browser messages refused for the rate of their connection") \
X( presence,          "presences",           "", \
   "presences entered, or changed") \
X( presence_full,     "presences_rejected",  "", \
   "presences refused because a bound was reached") \
X( delivered,         "messages_delivered",  "kind=\"text\"", \
   "messages put on a socket") \
X( delivered_binary,  "messages_delivered",  "kind=\"binary\"", \
   "binary frames put on a socket") \
X( delivered_presence, "messages_delivered", "kind=\"presence\"", \
   "lists and changes of presence put on a socket") \
X( sends,             "socket_writes",       "", \
   "write calls on sockets") \
X( sent_bytes,        "sent_bytes",          "", \
   "bytes written to sockets") \
X( received_bytes,    "received_bytes",      "", \
   "bytes read from sockets") \
X( received_messages, "messages_received",   "", \
   "messages read from sockets") \
X( replayed,          "messages_replayed",   "", \
   "messages sent again after a reconnect") \
X( gaps,              "messages_dropped",    "reason=\"gap\"", \
   "gap events sent") \
X( lapped,            "log_overruns",        "", \
   "times a child was overtaken by its log") \
X( slow_closed,       "connections_dropped", "reason=\"slow\"", \
   "connections closed at their send queue's bound") \
X( stalled_closed,    "connections_dropped", "reason=\"stalled\"", \
   "connections closed because nothing could be written") \
X( idle_closed,       "connections_dropped", "reason=\"idle\"", \
   "connections closed because the client was silent") \
X( expired_closed,    "connections_dropped", "reason=\"expired\"", \
   "connections closed because their token ran out") \
X( protocol_closed,   "connections_dropped", "reason=\"protocol\"", \
   "connections closed for a fault in what they sent") \
X( drained,           "connections_drained", "", \
   "connections told to reconnect while draining") \
X( wakeups,           "loop_wakeups",        "", \
   "times a loop was woken for a log") \
X( repairs,           "lock_repairs",        "", \
   "locks found with a dead owner") \
X( slots_reaped,      "slots_reaped",        "", \
   "slots of dead processes given back") \
X( logs_reset,        "logs_reset",          "", \
   "logs started anew after a repair")

/* metric, help; for those that several counters share by their labels */
#define WSK_FAMILIES(X) \
X( "connections_opened",  "connections accepted") \
X( "handshakes_rejected", "connections and requests refused") \
X( "messages_published",  "messages appended") \
X( "publish_rejected",    "messages refused") \
X( "quota_refusals",      "refusals by quota, among those refused") \
X( "messages_delivered",  "messages put on a socket") \
X( "messages_dropped",    "times a client was told that messages are lost to it") \
X( "connections_dropped", "connections closed by the server for a fault")
/* clang-format on */

typedef enum wsk_counter_e {
#define X(name, ...) WSK_C_##name,
    WSK_COUNTERS(X)
#undef X
        WSK_C_COUNT
} wsk_counter_e;

#endif
