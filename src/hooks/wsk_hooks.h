/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_hooks -- what httpd's side shares: the process's state, a request's, and
 * what each file offers the others.
 *
 * Threads   wsk_process_t is written before the children start, and by child_init;
 *           read-only after.
 */
#ifndef WSK_HOOKS_H
#define WSK_HOOKS_H

#include <jansson.h>
#include <openssl/crypto.h>

#include "httpd.h"
#include "http_config.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "http_request.h"

#include "apr_strings.h"

#include "auth/wsk_sign.h"
#include "auth/wsk_stream.h"
#include "auth/wsk_token.h"
#include "conf/wsk_conf.h"
#include "store/wsk_log.h"
#include "transport/wsk_loop.h"
#include "transport/wsk_take.h"

APLOG_USE_MODULE(wordsocket);
extern module AP_MODULE_DECLARE_DATA wordsocket_module;

typedef struct wsk_ledger_t wsk_ledger_t;

typedef struct wsk_process_t {
    wsk_segment_t *seg;
    int64_t since_us; /* when the segment was made */
    wsk_bell_t bell;
    wsk_loop_t *loop; /* of this child; NULL in the parent, or if it failed */
    bool adopt;       /* WordSocketAdopt, and the start-up checks */
    bool idle;        /* no host is served, so children need no loop */
    const int *door;  /* connections on their way from child to child */
    uint32_t drain_ms;
    wsk_ledger_t *ledger;     /* of host mode, or NULL */
    struct apr_hash_t *hosts; /* of host mode, by tag; pconf */
} wsk_process_t;
extern wsk_process_t wsk_process;

/**
 * Endpoints under the base path: name, path, methods, which hosts have it, what
 * comes of the request. wsk_handle_<name> handles it.
 *
 * ANY    every host               KEYS   hosts of host mode
 * ECHO   with WordSocketEcho      RELAY  of WordSocketRegistry; and no preflight
 * DONE   it is answered           STAYS  it becomes a connection; has no body
 */
/* clang-format off */
#define WSK_ENDPOINTS(X) \
X( ws,         "/ws",                    GET,  ANY,   STAYS) \
X( sse,        "/sse",                   GET,  ANY,   STAYS) \
X( poll,       "/poll",                  GET,  ANY,   DONE) \
X( send,       "/send",                  POST, ANY,   DONE) \
X( publish,    "/publish",               POST, ANY,   DONE) \
X( stats,      "/site/stats",            GET,  ANY,   DONE) \
X( healthz,    "/healthz",               GET,  ANY,   DONE) \
X( whoami,     "/site/whoami",           POST, KEYS,  DONE) \
X( disconnect, "/site/disconnect",       POST, KEYS,  DONE) \
X( echo,       "/echo",                  GET,  ECHO,  STAYS) \
X( publisher,  "/publisher",             GET,  ANY,   STAYS) \
X( base,       "/",                      GET,  ANY,   DONE) \
X( register,   "/api/sites/register",    POST, RELAY, DONE) \
X( unregister, "/api/sites/unregister",  POST, RELAY, DONE) \
X( exchange,   "/api/connect/exchange",  POST, RELAY, DONE) \
X( dashboard,  "/dashboard",             BOTH, RELAY, DONE) \
X( approve,    "/dashboard/connect",     BOTH, RELAY, DONE) \
X( live,       "/dashboard/live",        GET,  RELAY, DONE) \
X( feed,       "/dashboard/feed",        GET,  RELAY, STAYS)
/* clang-format on */
typedef enum wsk_endpoint_e {
    WSK_EP_unknown,
#define X(name, ...) WSK_EP_##name,
    WSK_ENDPOINTS(X)
#undef X
        WSK_EP_COUNT
} wsk_endpoint_e;

/** Its path below the base, and its name; "" for none. */
const char *wsk_endpoint_path(wsk_endpoint_e endpoint);
const char *wsk_endpoint_name(wsk_endpoint_e endpoint);

/** Whether this host has it. */
bool wsk_endpoint_served(const wsk_host_t *host, wsk_endpoint_e endpoint);

/** A request under our path; NULL for all others. */
typedef struct wsk_request_t {
    wsk_host_t *host;
    wsk_endpoint_e endpoint;
    const char *token; /* cut out of the query; NULL if there was none */
} wsk_request_t;
wsk_request_t *wsk_request_of(request_rec *r);

/** One value of the query, decoded; NULL if absent. */
const char *wsk_query(request_rec *r, const char *name);
/** The same of any text in that form. */
const char *wsk_form_value(apr_pool_t *preq, const char *form,
                           const char *name);

/* Refusals: JSON {"error","message"}, no-store. One row each. */
/* clang-format off */
#define WSK_REFUSALS(X) \
X( unknown_site_key,   401, "no site with this key is served here") \
X( invalid_signature,  401, "the signature does not fit the request") \
X( site_revoked,       401, "these keys were revoked; connect the site again") \
X( stale_timestamp,    401, "the time stamp is more than 60 s off; check the clock of the web server") \
X( signature_v2_required, 401, "a signature of version 2 is needed here") \
X( user_forbidden,     403, "signed requests are taken here of the owner of this host only") \
X( invalid_token,      401, "the token is not valid here") \
X( origin_forbidden,   403, "this web origin may not connect") \
X( invalid_api_key,    401, "invalid API key; the dashboard of this relay makes one") \
X( unauthorized,       403, "neither the publish secret nor the API key is that of this site") \
X( site_limit_reached, 403, "this relay has no place for one more site; its administrator gives WordSocketSharedMemory more and restarts httpd") \
X( invalid_code,       400, "the code is used, replaced by a newer one, or for another site; connect again") \
X( expired_code,       400, "the code is older than a minute; connect again, and approve at once") \
X( invalid_request,    400, "the request is not what this endpoint takes") \
X( channel_forbidden,  403, "the token does not allow these channels") \
X( invalid_stream,     404, "no such stream of this user; open one by /sse or /poll") \
X( method_not_allowed, 405, "this endpoint takes another method") \
X( connection_limit,   429, "no more connections are allowed; try again later") \
X( upgrade_required,   426, "this endpoint speaks WebSocket, version 13") \
WSK_TAKE_REFUSALS(X)
/* clang-format on */
typedef enum wsk_refusal_e {
#define X(name, status, text) WSK_R_##name,
    WSK_REFUSALS(X)
#undef X
        WSK_R_COUNT
} wsk_refusal_e;

/** Write the refusal.
 *  @param retry_s  > 0: with Retry-After, which 429 and 503 always have
 *  @return OK */
int wsk_refuse(request_rec *r, wsk_refusal_e why, unsigned retry_s);

/** The same in the words of a quota, if it is one. */
int wsk_refuse_by(request_rec *r, wsk_refusal_e why, wsk_quota_e quota,
                  unsigned retry_s);

/** Refuse a token, by HTTP. */
int wsk_refuse_token(request_rec *r, wsk_token_e why);

/** The same in words that fit the case; without quotes or backslashes. */
int wsk_refuse_as(request_rec *r, wsk_refusal_e why, const char *text);

/** The code and the words of a refusal. */
const char *wsk_refusal_name(wsk_refusal_e why);
const char *wsk_refusal_text(wsk_refusal_e why);

/** A JSON answer, no-store. @return OK */
int wsk_answer(request_rec *r, int status, const char *json);

/** CORS for a request with Origin. @return false: refused (and counted) */
bool wsk_allow_origin(request_rec *r, const wsk_host_t *host);

/** Who a token says is asking, at a site of this host. */
typedef struct wsk_caller_t {
    uint32_t site;
    wsk_site_state_e state;
    wsk_site_spec_t spec;
    wsk_claims_t claims; /* grant owned by the caller */
    uint32_t term;       /* of the slot, when admitted */
} wsk_caller_t;
/** @return WSK_TOKEN_NOMEM also as long as it is not known whose it is */
wsk_token_e wsk_caller_read(request_rec *r, const wsk_request_t *wr,
                            const char *token, wsk_caller_t *who);

/** What is left of it, secrets first; also after a refusal. */
void wsk_caller_done(wsk_caller_t *who);

/** Names of ?channels=, those that may be read; lent from r->pool. */
wsk_slice_t *wsk_channels_asked(request_rec *r, const wsk_caller_t *who,
                                unsigned *pn, unsigned *prefused);

/** ?since= or Last-Event-ID. */
bool wsk_since_asked(request_rec *r, wsk_cursor_t *since);

/** The stream id of /send. @param lease  for a poll: good for a while only */
void wsk_caller_stream(const wsk_caller_t *who, bool lease,
                       char out[WSK_STREAM_LEN + 1]);
/** Whether this is a stream id of the caller's.
 *  @param sender receives what binary frames of this stream carry */
bool wsk_caller_sends(const wsk_caller_t *who, const char *stream,
                      uint64_t *sender);

/** Which site signs a request, and what of it is remembered. */
typedef struct wsk_signer_t {
    uint32_t site;
    wsk_site_state_e state;
    wsk_site_spec_t spec;
    wsk_slice_t key;
    bool v2;         /* version of the signature */
    unsigned secret; /* which one was right; version 2 only */
    wsk_once_t once;
} wsk_signer_t;
/** What the request says of it: key and version. */
void wsk_signer_named(request_rec *r, wsk_signer_t *by);
/** @return false: no site of this host has the key */
bool wsk_signer_find(request_rec *r, const wsk_request_t *wr, wsk_signer_t *by);
/** Forget the secrets. */
void wsk_signer_done(wsk_signer_t *by);
/** @return WSK_R_COUNT when all is well */
wsk_refusal_e wsk_signer_check(request_rec *r, const wsk_request_t *wr,
                               wsk_signer_t *by, wsk_slice_t body);
/** wsk_refuse, and count it. @param by  NULL: the site is not known */
int wsk_signer_refuse(request_rec *r, const wsk_signer_t *by, wsk_refusal_e why,
                      unsigned retry_s);
/** The same where no site was found: that there is none, or that this is not
 *  known yet. */
int wsk_signer_unknown(request_rec *r, const wsk_request_t *wr);
/** As who this stream is present. */
wsk_present_t wsk_caller_present(const wsk_caller_t *who, const char *stream,
                                 uint64_t sender);
/** The stream of a poll: the one it names in ?stream=, for longer, or another.
 *  What was entered under it stays as long. */
void wsk_caller_renew(request_rec *r, const wsk_caller_t *who,
                      char out[WSK_STREAM_LEN + 1]);

uint64_t wsk_address_of(request_rec *r);
/** This user at this address, whatever streams it has. */
uint64_t wsk_caller_hash(request_rec *r, const wsk_caller_t *who);
unsigned wsk_slot_now(void);

/* One for each endpoint. */
#define X(name, ...) int wsk_handle_##name(request_rec *r, wsk_request_t *wr);
WSK_ENDPOINTS(X)
#undef X

/** Whether this host answers for a site: by its file, its registry, or host
 *  mode. */
bool wsk_serves(const wsk_host_t *host, uint32_t site,
                const wsk_site_spec_t *spec);

/** The head of an event stream that is going to be taken over. */
void wsk_connect_head(request_rec *r);
/** Channels that a stream subscribes to at once, in a block that is the
 *  connection's. @param id  of the stream; "" if nothing can be sent by it
 *  @return false: no memory */
bool wsk_connect_channels(wsk_conn_t *c, const wsk_slice_t *names, unsigned n,
                          const char *id);

/** Replay as an event stream that ends. */
int wsk_poll_events(request_rec *r, wsk_caller_t *who);

/** Read a body of at most max bytes. @return OK, or what wsk_refuse answered
 *  after it refused (*pbody is NULL then) */
int wsk_body_read(request_rec *r, apr_size_t max, char **pbody,
                  apr_size_t *plen);

/** Whether a connection can be taken over, and if not, why. */
typedef enum wsk_adopt_e {
    WSK_ADOPT_YES,
    WSK_ADOPT_H2,
    WSK_ADOPT_FILTER,
    WSK_ADOPT_SSL,
    WSK_ADOPT_OFF,
    WSK_ADOPT_FULL
} wsk_adopt_e;
wsk_adopt_e wsk_adopt_possible(request_rec *r);
/** Take the connection away from httpd and give it to the loop.
 *  @param c  taken, whatever happens */
int wsk_adopt(request_rec *r, wsk_conn_t *c);
/** After the head is out: nothing more of this request reaches the client. */
void wsk_adopt_end_request(request_rec *r);

/** Write a 101, with the headers of this request and those that Header
 *  directives add; then nothing more of it reaches the client.
 *  @param more  what follows the head at once, or NULL
 *  @return false if it could not be written */
bool wsk_switch_protocols(request_rec *r, const char *accept,
                          const uint8_t *more, size_t len);

/* Start order; each called once by mod_wordsocket.c. */
void wsk_lifecycle_register(apr_pool_t *pconf);
void wsk_child_register(apr_pool_t *pconf);
void wsk_nudge_register(apr_pool_t *pconf);
/** The limit of open files; a soft one below `least` is raised to the hard one
 *  before. */
uint32_t wsk_open_files(uint32_t least);
/** Of the configuration that is in force, and of the children made from it. */
uint64_t wsk_generation(void);
/* So long a drain may take where ServerLimit leaves no place beside it. */
#define WSK_NO_HEADROOM_MS 500
void wsk_route_register(apr_pool_t *pconf);
void wsk_adopt_register(apr_pool_t *pconf);
void wsk_head_register(apr_pool_t *pconf);
void wsk_show_register(apr_pool_t *pconf);
void wsk_dump_register(apr_pool_t *pconf);
void wsk_enroll_register(apr_pool_t *pconf);

/** A site file, and the sites it gave when it was last in order. */
typedef struct wsk_file_t {
    struct wsk_file_t *next;
    const uint32_t *numbers;
    unsigned n;
    uint64_t stamp; /* of the load that named it last */
    bool refused;   /* by that load */
    char name[];
} wsk_file_t;
wsk_file_t *wsk_file_of(apr_pool_t *pprocess, const char *name);
void wsk_file_holds(apr_pool_t *pprocess, wsk_file_t *file,
                    const uint32_t *numbers, unsigned n);
/** Forget files with another stamp; a wsk_file_t of before is no more.
 *  @return how many of the rest are refused */
unsigned wsk_files_settle(apr_pool_t *pprocess, uint64_t stamp);

/** Whether httpd runs already: what is wrong now must not end it. */
bool wsk_is_reload(void);

/** Put a site into the segment, with a new epoch should it be new there.
 *  @return as wsk_site_put; WSK_ENOMEM: the system gives no random numbers */
wsk_status_e wsk_sites_put(const wsk_site_spec_t *spec, uint64_t stamp,
                           uint32_t *pnumber);

/** Whose account it is, by the modules that know (mod_suexec); of a host while
 *  the configuration is read.
 *  @return uid, or -1; -2 for a user's own directory (/~user) */
int64_t wsk_owner_of_request(const request_rec *r);
int64_t wsk_owner_of_host(server_rec *v, apr_pool_t *ptemp);

/** The user whose sites these are: `uid:1001`; empty below 0. */
void wsk_owner_name(int64_t uid, char out[WSK_USER_NAME_MAX + 1]);

/** Look at the site files of all hosts.
 *  @return NULL, or what is wrong, for the administrator */
const char *wsk_sites_check(server_rec *s, apr_pool_t *ptemp, uint32_t *pcount);
/** Sites of all hosts, from their files into the segment. At a reload a broken
 *  file is logged, and its sites stay as they were.
 *  @return as wsk_sites_check; NULL at a reload */
const char *wsk_sites_load(server_rec *s, apr_pool_t *pconf, apr_pool_t *ptemp);

/** The sites of one host, read from its file and not kept.
 *  @param seen  lent the spec, with secrets, for the call */
typedef void wsk_site_seen_fn(void *baton, const wsk_site_spec_t *spec);
void wsk_sites_see(server_rec *s, apr_pool_t *ptemp, wsk_site_seen_fn *seen,
                   void *baton);

#endif
