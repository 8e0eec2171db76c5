/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_head -- the head of a 101, with what Header directives say.
 *
 * httpd has no way to write a 101 that is not the end of the connection to it:
 * its header filter would add Connection: close or a transfer coding. So the
 * filters of the request run over an empty answer, up to one of ours before
 * httpd's own, and what they made of the header tables is written here.
 */
#include "hooks/wsk_hooks.h"

#include "util_filter.h"

static ap_filter_rec_t *end_of_content;

static apr_status_t swallow(ap_filter_t *f, apr_bucket_brigade *bb)
{
    (void)f;
    return apr_brigade_cleanup(bb);
}

/* mod_headers is such a filter. Those that compress are told not to. */
static bool run_content_filters(request_rec *r)
{
    conn_rec *c = r->connection;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, c->bucket_alloc);

    apr_table_setn(r->subprocess_env, "no-gzip", "1");
    apr_table_setn(r->subprocess_env, "no-brotli", "1");
    ap_add_output_filter_handle(end_of_content, NULL, r, c);
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(c->bucket_alloc));
    return ap_pass_brigade(r->output_filters, bb) == APR_SUCCESS;
}

/* What belongs to the handshake, or to an answer with a body. */
static bool is_ours(const char *name)
{
    static const char *const names[] = { "Connection",    "Upgrade",
                                         "Keep-Alive",    "Transfer-Encoding",
                                         "Trailer",       "Content-Length",
                                         "Content-Type",  "Content-Encoding",
                                         "Content-Range", "Content-Location" };
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(names); i++) {
        if (strcasecmp(name, names[i]) == 0) {
            return true;
        }
    }
    return strncasecmp(name, "Sec-WebSocket-", 14) == 0;
}

static int put_header(void *baton, const char *name, const char *value)
{
    apr_bucket_brigade *bb = baton;

    /* A header that would be two is none. */
    if (!is_ours(name) && *name && *ap_scan_http_token(name) == '\0'
        && *ap_scan_http_field_content(value) == '\0') {
        apr_brigade_putstrs(bb, NULL, NULL, name, ": ", value, "\r\n",
                            (char *)NULL);
    }
    return 1;
}

static bool write_head(request_rec *r, const char *accept, const uint8_t *more,
                       size_t len)
{
    conn_rec *c = r->connection;
    apr_bucket_brigade *bb = apr_brigade_create(r->pool, c->bucket_alloc);

    apr_brigade_printf(bb, NULL, NULL,
                       "HTTP/1.1 101 Switching Protocols\r\n"
                       "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: %s\r\n",
                       accept);
    apr_table_do(put_header, bb, r->err_headers_out, NULL);
    apr_table_do(put_header, bb, r->headers_out, NULL);
    apr_brigade_puts(bb, NULL, NULL, "\r\n");
    if (len) {
        apr_brigade_write(bb, NULL, NULL, (const char *)more, len);
    }
    APR_BRIGADE_INSERT_TAIL(bb, apr_bucket_flush_create(c->bucket_alloc));
    return ap_pass_brigade(c->output_filters, bb) == APR_SUCCESS;
}

bool wsk_switch_protocols(request_rec *r, const char *accept,
                          const uint8_t *more, size_t len)
{
    conn_rec *c = r->connection;
    bool written;

    ap_remove_input_filter_byhandle(c->input_filters, "reqtimeout");
    c->keepalive = AP_CONN_CLOSE;
    r->status = HTTP_SWITCHING_PROTOCOLS;
    r->status_line = "101 Switching Protocols";
    written = run_content_filters(r) && write_head(r, accept, more, len);
    if (!written) {
        c->aborted = 1;
    }
    wsk_adopt_end_request(r);
    return written;
}

void wsk_head_register(apr_pool_t *pconf)
{
    (void)pconf;
    end_of_content = ap_register_output_filter(
        "WORDSOCKET_HEAD", swallow, NULL,
        (ap_filter_type)((int)AP_FTYPE_PROTOCOL - 1));
}
