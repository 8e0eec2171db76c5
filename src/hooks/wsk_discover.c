/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_discover -- GET of the base, and /.well-known/wordsocket: what is served
 * here, for clients and people that look. Nothing about security depends on it:
 * whoever connects is told by configuration how.
 */
#include "hooks/wsk_hooks.h"

/* clang-format off */
#define FEATURES "\"resume\",\"gap\",\"ack\",\"batch\",\"binary\"," \
    "\"binary-events\",\"send\",\"token-refresh\",\"rooms\",\"signature-v2\"," \
    "\"publisher\",\"presence\""
/* clang-format on */

static void put_endpoints(wsk_text_t *t, const wsk_host_t *host)
{
    const char *comma = "";
    int i;

    for (i = 1; i < WSK_EP_COUNT; i++) {
        if (i == WSK_EP_base || !wsk_endpoint_served(host, (wsk_endpoint_e)i)) {
            continue;
        }
        wsk_text_fmt(t, "%s\"%s\":\"%s\"", comma,
                     wsk_endpoint_name((wsk_endpoint_e)i),
                     wsk_endpoint_path((wsk_endpoint_e)i));
        comma = ",";
    }
}

int wsk_handle_base(request_rec *r, wsk_request_t *wr)
{
    const wsk_settings_t *set = &wr->host->set;
    wsk_limits_t limits;
    wsk_text_t t = { 0 };
    const char *json;

    if (!wsk_allow_origin(r, wr->host)) {
        return wsk_refuse(r, WSK_R_origin_forbidden, 0);
    }
    wsk_settings_limits(set, &limits);
    wsk_text_put(&t, "{\"name\":\"wordsocket\",\"version\":\"" WSK_VERSION "\","
                     "\"protocol\":{\"wire\":[1],\"token\":[1,2,3],"
                     "\"signature\":[1,2]},\"base\":");
    wsk_text_string(&t, (wsk_slice_t){ set->path, strlen(set->path) });
    wsk_text_put(&t, ",\"endpoints\":{");
    put_endpoints(&t, wr->host);
    wsk_text_fmt(&t,
                 "},\"limits\":{\"max_publish\":%u,\"max_batch\":%u,"
                 "\"max_message\":%u,\"max_channels\":%u,"
                 "\"max_channel_name\":%u}",
                 limits.max_publish, (unsigned)WSK_TAKE_MAX, limits.max_message,
                 limits.max_channels, limits.max_channel_name);
    wsk_text_put(&t, ",\"features\":[" FEATURES "]}");
    json = wsk_text_ok(&t) ? apr_pstrmemdup(r->pool, t.at, t.len) : NULL;
    wsk_text_free(&t);
    return json ? wsk_answer(r, HTTP_OK, json)
                : wsk_refuse(r, WSK_R_unavailable, 1);
}
