/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wsk_upgrade.h"

#include <string.h>

#include "frame_fixture.h"
#include "tap.h"

#define KEY "dGhlIHNhbXBsZSBub25jZQ=="

static edge_t edge;

static const wsk_upgrade_t good = { "GET", "websocket", "Upgrade", KEY, "13" };

static wsk_upgrade_e answer(const wsk_upgrade_t *req)
{
    char accept[WSK_ACCEPT_LEN + 2];
    wsk_upgrade_e verdict;

    memset(accept, '?', sizeof(accept));
    verdict = wsk_upgrade(req, accept);
    if (verdict == WSK_UPGRADE_OK) {
        ok(strlen(accept) == WSK_ACCEPT_LEN && accept[29] == '?',
           "the accept value has its length");
    }
    else {
        ok(accept[0] == '\0', "a refusal has no accept value");
    }
    return verdict;
}

static void accept_values(void)
{
    /* The first is the example of section 1.3, the others were made with the
     * openssl command. */
    static const char *const known[][2] = {
        { KEY, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" },
        { "x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk=" },
        { "AAAAAAAAAAAAAAAAAAAAAA==", "ICX+Yqv66kxgM0FcWaLWlFLwTAI=" },
        { "//////////////////////==", "zXRQvy1wi5A4l0hwWYxMN3e2wNk=" },
        { "AQIDBAUGBwgJCgsMDQ4PEC==", "OfS0wDaT5NoxF2gqm7Zj2YtetzM=" },
    };
    wsk_upgrade_t req = good;
    char accept[WSK_ACCEPT_LEN + 1];
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(known); i++) {
        req.key = known[i][0];
        is_int(wsk_upgrade(&req, accept), WSK_UPGRADE_OK, "%s", known[i][0]);
        is_str(accept, known[i][1], "its accept value");
    }
    req.key = " \t" KEY " ";
    is_int(wsk_upgrade(&req, accept), WSK_UPGRADE_OK, "space around the key");
    is_str(accept, known[0][1], "is not part of it");
}

/* clang-format off */
static const struct {
    const char *why;
    wsk_upgrade_t req;
    wsk_upgrade_e want;
} cases[] = {
    { "the least there is", { "GET", "websocket", "Upgrade", KEY, "13" },
      WSK_UPGRADE_OK },
    { "tokens in other letters", { "GET", "WebSocket", "uPGRADE", KEY, "13" },
      WSK_UPGRADE_OK },
    { "Connection as Firefox sends it",
      { "GET", "websocket", "keep-alive, Upgrade", KEY, "13" },
      WSK_UPGRADE_OK },
    { "tokens in the middle of lists",
      { "GET", "h2c,websocket\t, foo/1", ",,close ,Upgrade , x", KEY, " 13 " },
      WSK_UPGRADE_OK },
    /* no WebSocket at all */
    { "no Upgrade", { "GET", NULL, "Upgrade", KEY, "13" }, WSK_UPGRADE_NONE },
    { "an empty Upgrade", { "GET", "", "Upgrade", KEY, "13" },
      WSK_UPGRADE_NONE },
    { "another protocol", { "GET", "h2c", "Upgrade", KEY, "13" },
      WSK_UPGRADE_NONE },
    { "a longer name", { "GET", "websockets", "Upgrade", KEY, "13" },
      WSK_UPGRADE_NONE },
    { "a shorter name", { "GET", "websocke", "Upgrade", KEY, "13" },
      WSK_UPGRADE_NONE },
    { "a name and a version", { "GET", "websocket/13", "Upgrade", KEY, "13" },
      WSK_UPGRADE_NONE },
    { "two names without a comma", { "GET", "x websocket", "Upgrade", KEY, "13" },
      WSK_UPGRADE_NONE },
    { "nothing at all", { NULL, NULL, NULL, NULL, NULL }, WSK_UPGRADE_NONE },
    /* method and Connection */
    { "a POST", { "POST", "websocket", "Upgrade", KEY, "13" },
      WSK_UPGRADE_BAD },
    { "a method in small letters", { "get", "websocket", "Upgrade", KEY, "13" },
      WSK_UPGRADE_BAD },
    { "no method", { NULL, "websocket", "Upgrade", KEY, "13" },
      WSK_UPGRADE_BAD },
    { "no Connection", { "GET", "websocket", NULL, KEY, "13" },
      WSK_UPGRADE_BAD },
    { "a Connection that means something else",
      { "GET", "websocket", "keep-alive", KEY, "13" }, WSK_UPGRADE_BAD },
    { "a Connection that only looks like it",
      { "GET", "websocket", "Upgrade-Insecure", KEY, "13" }, WSK_UPGRADE_BAD },
    { "a Connection of commas", { "GET", "websocket", ",,,", KEY, "13" },
      WSK_UPGRADE_BAD },
    /* versions */
    { "no version", { "GET", "websocket", "Upgrade", KEY, NULL },
      WSK_UPGRADE_VERSION },
    { "an old version", { "GET", "websocket", "Upgrade", KEY, "8" },
      WSK_UPGRADE_VERSION },
    { "a version to come, with a key of its own",
      { "GET", "websocket", "Upgrade", "?", "14" }, WSK_UPGRADE_VERSION },
    { "versions to choose from", { "GET", "websocket", "Upgrade", KEY, "13, 8" },
      WSK_UPGRADE_VERSION },
    { "a version that starts like ours",
      { "GET", "websocket", "Upgrade", KEY, "130" }, WSK_UPGRADE_VERSION },
    { "an empty version", { "GET", "websocket", "Upgrade", KEY, "" },
      WSK_UPGRADE_VERSION },
    { "a zero before the version",
      { "GET", "websocket", "Upgrade", KEY, "013" }, WSK_UPGRADE_VERSION },
    /* keys */
    { "no key", { "GET", "websocket", "Upgrade", NULL, "13" },
      WSK_UPGRADE_BAD },
    { "an empty key", { "GET", "websocket", "Upgrade", "", "13" },
      WSK_UPGRADE_BAD },
    { "a key of 15 bytes", { "GET", "websocket", "Upgrade",
      "AQIDBAUGBwgJCgsMDQ4P", "13" }, WSK_UPGRADE_BAD },
    { "a key of 17 bytes", { "GET", "websocket", "Upgrade",
      "AQIDBAUGBwgJCgsMDQ4PEBE=", "13" }, WSK_UPGRADE_BAD },
    { "a key of 18 bytes", { "GET", "websocket", "Upgrade",
      "AQIDBAUGBwgJCgsMDQ4PEBES", "13" }, WSK_UPGRADE_BAD },
    { "a key without its padding", { "GET", "websocket", "Upgrade",
      "dGhlIHNhbXBsZSBub25jZQ", "13" }, WSK_UPGRADE_BAD },
    { "a key in the other alphabet", { "GET", "websocket", "Upgrade",
      "-_hlIHNhbXBsZSBub25jZQ==", "13" }, WSK_UPGRADE_BAD },
    { "a key with padding within", { "GET", "websocket", "Upgrade",
      "dGhlIHNhbXBsZSBub25jZ===", "13" }, WSK_UPGRADE_BAD },
    { "a key with a space within", { "GET", "websocket", "Upgrade",
      "dGhlIHNhbXBs SBub25jZQ==", "13" }, WSK_UPGRADE_BAD },
    { "two keys", { "GET", "websocket", "Upgrade", KEY ", " KEY, "13" },
      WSK_UPGRADE_BAD },
};
/* clang-format on */

static void requests(void)
{
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(cases); i++) {
        is_int(answer(&cases[i].req), cases[i].want, "%s", cases[i].why);
    }
}

/* Each of the 256 bytes at each place of the key. */
static void every_byte_of_a_key(void)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "abcdefghijklmnopqrstuvwxyz0123456789+/";
    char key[] = KEY, accept[WSK_ACCEPT_LEN + 1];
    wsk_upgrade_t req = good;
    size_t at;
    unsigned byte;
    int wrong = 0;

    req.key = key;
    for (at = 0; at < 24; at++) {
        for (byte = 1; byte < 256; byte++) {
            const int fine = at < 22 ? strchr(digits, (int)byte) != NULL
                                     : byte == '=';

            key[at] = (char)byte;
            wrong += wsk_upgrade(&req, accept)
                     != (fine ? WSK_UPGRADE_OK : WSK_UPGRADE_BAD);
        }
        key[at] = KEY[at];
    }
    is_int(wrong, 0, "a key is 22 digits and two signs, whatever the byte");
}

/* Texts that end where the page ends, at every length. */
static void ends_of_pages(void)
{
    static const char list[] = "keep-alive,\t , Upgrade ,websocket, 13,";
    char text[sizeof(list)], accept[WSK_ACCEPT_LEN + 1];
    size_t len, field;
    int passed = 0;

    for (len = 0; len < sizeof(list); len++) {
        memcpy(text, list, len);
        text[len] = '\0';
        for (field = 0; field < 5; field++) {
            wsk_upgrade_t req = good;
            const char *at = (char *)edge_put(&edge, text, len + 1);

            req.method = field == 0 ? at : req.method;
            req.upgrade = field == 1 ? at : req.upgrade;
            req.connection = field == 2 ? at : req.connection;
            req.key = field == 3 ? at : req.key;
            req.version = field == 4 ? at : req.version;
            passed += wsk_upgrade(&req, accept) == WSK_UPGRADE_OK;
        }
    }
    /* Those which have the whole word "Upgrade" or "websocket". */
    is_int(passed,
           (int)(sizeof(list) - strlen("keep-alive,\t , Upgrade"))
               + (int)strlen(", 13,") + 1,
           "nothing is read beyond a text");
}

int main(void)
{
    edge = edge_make(100);
    accept_values();
    requests();
    every_byte_of_a_key();
    ends_of_pages();
    edge_free(&edge);
    return done_testing();
}
