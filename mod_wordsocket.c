/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mod_wordsocket -- realtime for WordPress on the Apache that already serves it.
 *
 * The module record and the start order; src/README.md is the map.
 */
#include "httpd.h"
#include "http_config.h"

#include "conf/wsk_conf.h"

void wsk_lifecycle_register(apr_pool_t *pconf);
void wsk_route_register(apr_pool_t *pconf);
void wsk_adopt_register(apr_pool_t *pconf);
void wsk_head_register(apr_pool_t *pconf);
void wsk_show_register(apr_pool_t *pconf);
void wsk_dump_register(apr_pool_t *pconf);
void wsk_enroll_register(apr_pool_t *pconf);

static void register_hooks(apr_pool_t *pconf)
{
    wsk_lifecycle_register(pconf);
    wsk_route_register(pconf);
    wsk_adopt_register(pconf);
    wsk_head_register(pconf);
    wsk_show_register(pconf);
    wsk_dump_register(pconf);
    wsk_enroll_register(pconf);
}

AP_DECLARE_MODULE(wordsocket) = {
    STANDARD20_MODULE_STUFF, NULL,          NULL,           wsk_conf_create,
    wsk_conf_merge,          wsk_conf_cmds, register_hooks, AP_MODULE_FLAG_NONE
};
