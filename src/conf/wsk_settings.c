/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/wsk_settings.h"

/* Browser messages have purses of their own, so that visitors cannot use up
 * PHP's. */
#define CONNECTION_RATE 30
#define CONNECTION_BURST 120
#define BROWSER_PART 10 /* times the connection's */

void wsk_settings_limits(const wsk_settings_t *set, wsk_limits_t *out)
{
    *out = (wsk_limits_t){
        .history_bytes = (uint64_t)set->history_bytes,
        .history_messages = (uint32_t)set->history_messages,
        .history_age_ms = (uint32_t)set->history_age_ms,
        .connections = (uint32_t)set->site_connections,
        .user_connections = (uint32_t)set->user_connections,
        .address_connections = (uint32_t)set->address_connections,
        .publish_rate = (uint32_t)set->publish_rate,
        .publish_burst = (uint32_t)set->publish_burst,
        .user_publish_rate = (uint32_t)set->user_publish_rate,
        .user_publish_burst = (uint32_t)set->user_publish_burst,
        .browser_rate = CONNECTION_RATE * BROWSER_PART,
        .browser_burst = CONNECTION_BURST * BROWSER_PART,
        .user_browser_rate = CONNECTION_RATE * BROWSER_PART * WSK_USER_PART,
        .user_browser_burst = CONNECTION_BURST * BROWSER_PART * WSK_USER_PART,
        .connection_rate = CONNECTION_RATE,
        .connection_burst = CONNECTION_BURST,
        .max_message = (uint32_t)set->max_message,
        .max_publish = (uint32_t)set->max_publish,
        .max_channels = (uint32_t)set->max_channels,
        .max_channel_name = WSK_CHANNEL_MAX,
        .send_queue = (uint32_t)set->send_queue,
        .ping_ms = (uint32_t)set->ping,
        .idle_ms = (uint32_t)set->idle
    };
}
