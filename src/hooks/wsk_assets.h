/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wsk_assets -- the style of all pages, and the script of the dashboard, which
 * goes without: it brings the numbers up to date and lists what happens.
 */
#ifndef WSK_ASSETS_H
#define WSK_ASSETS_H

extern const char *const wsk_assets_style[]; /* lines; the last is NULL */
extern const char *const wsk_assets_live[];

#endif
