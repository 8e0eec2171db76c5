/* SPDX-License-Identifier: Apache-2.0 */
/* ------------------------------------------------------------------ options (used from here on) */

typedef struct {
    char *match, *text;
} reply_rule;

static struct {
    /* subscribers */
    uint32_t subs, channels, inflight, per_addr, threads;
    double ramp, connect_timeout;
    bool have_sub, bind_src, send_binary;
    target sub;
    const char *channel_name, *subproto, *ready;
    tmpl header[MAX_LIST], send_open[MAX_LIST];
    int n_header, n_send_open, n_reply;
    reply_rule reply[MAX_LIST];
    const char *ts_key, *seq_key;
    /* publisher */
    bool have_pub, keepalive, pub_binary, quiet, clean_close;
    target pub;
    const char *pub_method, *pub_subproto, *pub_ready, *pub_ack, *sign_key;
    tmpl pub_header[MAX_LIST], pub_send_open[MAX_LIST], pub_body, payload, sign_string;
    int n_pub_header, n_pub_send_open;
    size_t size;
    enum { MODE_RATE, MODE_CLOSED, MODE_WINDOW } mode;
    double rate, duration, warmup, settle, hold, drain, linger, limit;
    uint32_t lanes, depth, batch;
    double window;
    uint64_t max_msgs;
    /* output */
    const char *json, *label;
} opt = {
    .channels = 1, .inflight = 256, .per_addr = 4000, .threads = 1,
    .connect_timeout = 30, .bind_src = true, .channel_name = "ch{c}",
    .keepalive = true, .pub_method = "POST", .size = 150, .mode = MODE_RATE, .rate = 10,
    .duration = 5, .warmup = 0, .settle = 1, .drain = 10, .limit = 600, .lanes = 1, .depth = 1,
    .window = 1,
};
