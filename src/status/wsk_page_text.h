/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_page_text -- style and script of the status page, sent with it.
 */
#ifndef WSK_PAGE_TEXT_H
#define WSK_PAGE_TEXT_H

extern const char wsk_page_style[];
extern const char wsk_page_script[];

#endif
