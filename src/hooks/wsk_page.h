/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_page -- HTML that the module writes itself: the dashboard's frame, its
 * headers, its forms.
 *
 * Promise   Nothing on a page comes from elsewhere, nothing of it is stored or
 *           framed, and it can post to its own origin only, but for the one it
 *           was opened for. A form that was posted was shown to the same user.
 *           Links to ourselves are relative: a proxy in front may serve us under
 *           another path.
 */
#ifndef WSK_PAGE_H
#define WSK_PAGE_H

#include "hooks/wsk_hooks.h"

typedef enum wsk_page_kind_e {
    WSK_PAGE_STILL,  /* no script */
    WSK_PAGE_LEAVES, /* its script sends its form to the origin */
    WSK_PAGE_LIVE    /* its script asks us how things are */
} wsk_page_kind_e;

/** Begin a page. @param origin  where its forms may go to, or NULL; also to our
 *  own, but for one that leaves */
void wsk_page_begin(request_rec *r, int status, const char *title,
                    const char *origin, wsk_page_kind_e kind);
/** The one script of a page that may have one: lines, then NULL. */
void wsk_page_script(request_rec *r, const char *const *lines);
/** @return OK */
int wsk_page_end(request_rec *r);

/** Escaped for text and for attributes in double quotes. */
const char *wsk_page_text(request_rec *r, const char *text);

/** A hidden field. */
void wsk_page_field(request_rec *r, const char *name, const char *value);

/** A page that says one thing. @return OK */
int wsk_page_say(request_rec *r, int status, const char *title,
                 const char *text);

/** Go on by GET. @return OK */
int wsk_page_redirect(request_rec *r, const char *where);

/** Whether httpd has asked who this is. If not, a page says how it would.
 *  @return DECLINED, or OK after that page */
int wsk_page_user(request_rec *r, const wsk_host_t *host);

/** The hidden field that shows that a form is of this host, for its registry, and
 *  this user's. */
void wsk_page_guard(request_rec *r, const wsk_host_t *host);
/** Read a posted form, of a page of ours. @return DECLINED, or OK after a page that refuses it */
int wsk_page_form(request_rec *r, const wsk_host_t *host, char **pform);

#endif
