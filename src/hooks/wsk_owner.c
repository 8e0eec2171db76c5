/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_owner -- whose account a virtual host is, as the modules know it that run
 * its programs: SuexecUserGroup and its kin.
 */
#include "hooks/wsk_hooks.h"

#include "unixd.h"

void wsk_owner_name(server_rec *v, apr_pool_t *ptemp,
                    char out[WSK_USER_NAME_MAX + 1])
{
    request_rec *r = apr_pcalloc(ptemp, sizeof *r);
    const ap_unix_identity_t *id;

    /* What they would say of a request to the host's root. */
    r->pool = ptemp;
    r->server = v;
    r->per_dir_config = v->lookup_defaults;
    r->notes = apr_table_make(ptemp, 1);
    r->uri = apr_pstrdup(ptemp, "/");
    id = ap_run_get_suexec_identity(r);
    out[0] = '\0';
    if (id && !id->userdir) {
        apr_snprintf(out, WSK_USER_NAME_MAX + 1, "uid:%lu",
                     (unsigned long)id->uid);
    }
}
