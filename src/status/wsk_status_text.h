/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_status_text -- style and script of the status page, sent with it.
 */
#ifndef WSK_STATUS_TEXT_H
#define WSK_STATUS_TEXT_H

extern const char wsk_status_style[];
extern const char wsk_status_script[];

#endif
