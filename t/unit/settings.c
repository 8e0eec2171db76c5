/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/wsk_settings.h"

#include "tap.h"

/* Every setting another number, so that none can stand for another. */
static wsk_settings_t some(void)
{
    return (wsk_settings_t){ .site_connections = 11,
                             .address_connections = 12,
                             .max_message = 13,
                             .max_publish = 14,
                             .max_channels = 15,
                             .send_queue = 16,
                             .ping = 17,
                             .idle = 18,
                             .history_bytes = WSK_MB(5000),
                             .history_messages = 21,
                             .history_age_ms = 22,
                             .publish_rate = 23,
                             .publish_burst = 24,
                             .user_connections = 25,
                             .user_publish_rate = 26,
                             .user_publish_burst = 27 };
}

int main(void)
{
    const wsk_settings_t set = some();
    wsk_limits_t l;

    memset(&l, 0xff, sizeof(l));
    wsk_settings_limits(&set, &l);
    is_int(l.connections, 11, "a site's connections");
    is_int(l.address_connections, 12, "those of an address");
    is_int(l.max_message, 13, "a client's largest message");
    is_int(l.max_publish, 14, "the largest publish");
    is_int(l.max_channels, 15, "channels of a connection");
    is_int(l.send_queue, 16, "the send queue");
    is_int(l.ping_ms, 17, "the ping");
    is_int(l.idle_ms, 18, "silence");
    is_int((intmax_t)l.history_bytes, (intmax_t)WSK_MB(5000),
           "a history of more than 4 GiB is not cut");
    is_int(l.history_messages, 21, "its messages");
    is_int(l.history_age_ms, 22, "its age");
    is_int(l.publish_rate, 23, "PHP's rate");
    is_int(l.publish_burst, 24, "PHP's burst");
    is_int(l.user_connections, 25, "connections of a user");
    is_int(l.user_publish_rate, 26, "a user's rate");
    is_int(l.user_publish_burst, 27, "a user's burst");
    is_int(l.max_channel_name, WSK_CHANNEL_MAX,
           "a name may be as long as fits");
    ok(l.connection_rate > 0 && l.connection_burst >= l.connection_rate,
       "one browser has a rate, and a burst of at least a second");
    ok(l.browser_rate >= l.connection_rate
           && l.browser_burst >= l.connection_burst,
       "all browsers of a site together have no less");
    ok(l.user_browser_rate >= l.browser_rate
           && l.user_browser_burst >= l.browser_burst,
       "and all browsers of a user no less than those of one site");
#define X(type, name, whose) ok(l.name > 0, "%s is something", #name);
    WSK_LIMITS(X)
#undef X
    return done_testing();
}
