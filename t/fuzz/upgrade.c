/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Headers of any bytes are refused, or taken with an accept value that OpenSSL's
 * own decoder reads back as 20 bytes; and what is taken has what section 4.2.1
 * asks for.
 *
 * Input: byte 0 says which headers there are, then they follow, each up to a
 * line feed: method, Upgrade, Connection, key, version.
 */
#include "proto/wsk_upgrade.h"

#include <ctype.h>
#include <string.h>

#include <openssl/evp.h>

#include "frame_fixture.h"

#define TEXT_MAX 4096
#define FIELDS 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static edge_t edges[FIELDS];

static void must(int truth, const char *what)
{
    if (!truth) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

/* The next field as a text at the end of a page. */
static const char *field(const edge_t *edge, const uint8_t **at,
                         const uint8_t *end)
{
    const uint8_t *stop = memchr(*at, '\n', (size_t)(end - *at));
    size_t len = (size_t)((stop != NULL ? stop : end) - *at);
    char *text;

    len = len < TEXT_MAX ? len : TEXT_MAX;
    text = (char *)edge->end - len - 1;
    memcpy(text, *at, len);
    text[len] = '\0';
    *at = stop != NULL ? stop + 1 : end;
    return text;
}

static void taken(const wsk_upgrade_t *req, const char *accept)
{
    unsigned char bytes[32];
    const char *key = req->key + strspn(req->key, " \t");

    must(strcmp(req->method, "GET") == 0, "a method of GET");
    must(strcasestr(req->upgrade, "websocket") != NULL, "an Upgrade");
    must(strcasestr(req->connection, "upgrade") != NULL, "a Connection");
    must(strstr(req->version, "13") != NULL, "a version");
    must(EVP_DecodeBlock(bytes, (const unsigned char *)key, 24) == 18,
         "a key of base64");
    must(strlen(accept) == WSK_ACCEPT_LEN && accept[27] == '='
             && EVP_DecodeBlock(bytes, (const unsigned char *)accept, 28) == 21,
         "an accept value of base64");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *fields[FIELDS];
    char accept[WSK_ACCEPT_LEN + 2];
    const uint8_t *at = data + 1;
    wsk_upgrade_t req;
    int i;

    if (size < 1) {
        return 0;
    }
    for (i = 0; i < FIELDS; i++) {
        if (edges[i].start == NULL) {
            edges[i] = edge_make(TEXT_MAX + 1);
        }
        fields[i] = field(&edges[i], &at, data + size);
        fields[i] = (data[0] & 1 << i) != 0 ? NULL : fields[i];
    }
    req = (wsk_upgrade_t){ fields[0], fields[1], fields[2], fields[3],
                           fields[4] };
    memset(accept, '?', sizeof(accept));
    if (wsk_upgrade(&req, accept) == WSK_UPGRADE_OK) {
        taken(&req, accept);
    }
    else {
        must(accept[0] == '\0', "a refusal has no accept value");
    }
    must(accept[WSK_ACCEPT_LEN + 1] == '?', "nothing behind the accept value");
    return 0;
}
