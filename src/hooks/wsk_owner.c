/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_owner -- whose account a virtual host is, as the modules know it that run
 * its programs: SuexecUserGroup and its kin.
 */
#include "hooks/wsk_hooks.h"

#include "unixd.h"

int64_t wsk_owner_of_request(const request_rec *r)
{
    const ap_unix_identity_t *id = ap_run_get_suexec_identity(r);

    if (!id) {
        return -1;
    }
    return id->userdir ? -2 : (int64_t)id->uid;
}

/* What the modules would say of a request to the host's root. */
int64_t wsk_owner_of_host(server_rec *v, apr_pool_t *ptemp)
{
    request_rec *r = apr_pcalloc(ptemp, sizeof *r);

    r->pool = ptemp;
    r->server = v;
    r->per_dir_config = v->lookup_defaults;
    r->request_config = ap_create_request_config(ptemp);
    r->notes = apr_table_make(ptemp, 1);
    r->headers_in = apr_table_make(ptemp, 1);
    r->headers_out = apr_table_make(ptemp, 1);
    r->subprocess_env = apr_table_make(ptemp, 1);
    r->filename = apr_pstrdup(ptemp, "/");
    r->uri = apr_pstrdup(ptemp, "/");
    return wsk_owner_of_request(r);
}

void wsk_owner_name(int64_t uid, char out[WSK_USER_NAME_MAX + 1])
{
    out[0] = '\0';
    if (uid >= 0) {
        apr_snprintf(out, WSK_USER_NAME_MAX + 1, "uid:%" APR_INT64_T_FMT,
                     (apr_int64_t)uid);
    }
}
