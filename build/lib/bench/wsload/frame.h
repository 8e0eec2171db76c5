/* SPDX-License-Identifier: Apache-2.0 */
/* ------------------------------------------------------------------ 6. WebSocket framing */

typedef struct {
    uint8_t fin, op;
    uint8_t *p;
    size_t n;
} ws_frame;

/* Bytes used by the first whole frame in [p, p+n), 0 when incomplete, -1 when invalid. */
static ssize_t ws_next(uint8_t *p, size_t n, ws_frame *f)
{
    if (n < 2)
        return 0;
    size_t h = 2;
    uint64_t len = p[1] & 127;
    if (p[0] & 0x70 || p[1] & 0x80) /* no extension was offered; servers do not mask */
        return -1;
    if (len == 126) {
        if (n < 4)
            return 0;
        len = (uint64_t)p[2] << 8 | p[3];
        h = 4;
    } else if (len == 127) {
        if (n < 10)
            return 0;
        len = 0;
        for (int i = 2; i < 10; i++)
            len = len << 8 | p[i];
        h = 10;
    }
    if (len > MAX_MSG)
        return -1;
    if (n < h + len)
        return 0;
    f->fin = p[0] >> 7;
    f->op = p[0] & 15;
    f->p = p + h;
    f->n = (size_t)len;
    return (ssize_t)(h + len);
}

/* Append one masked client frame. */
static void ws_put(buf *b, uint8_t op, const void *d, size_t n)
{
    static const uint8_t mask[4] = { 0x5a, 0xc3, 0x17, 0x8e };
    uint8_t h[14];
    size_t hn = 2;
    h[0] = 0x80 | op;
    if (n < 126) {
        h[1] = (uint8_t)(0x80 | n);
    } else if (n < 65536) {
        h[1] = 0x80 | 126;
        h[2] = (uint8_t)(n >> 8);
        h[3] = (uint8_t)n;
        hn = 4;
    } else {
        h[1] = 0x80 | 127;
        for (int i = 0; i < 8; i++)
            h[2 + i] = (uint8_t)((uint64_t)n >> (56 - 8 * i));
        hn = 10;
    }
    memcpy(h + hn, mask, 4);
    hn += 4;
    buf_put(b, h, hn);
    buf_room(b, n);
    for (size_t i = 0; i < n; i++)
        b->p[b->n + i] = (char)(((const uint8_t *)d)[i] ^ mask[i & 3]);
    b->n += n;
}

/* The handshake key of connection `id`, and the answer the server owes for it. */
static void ws_key(uint64_t id, char key[25])
{
    uint8_t raw[16] = { 0 };
    memcpy(raw, names.run, 8);
    memcpy(raw + 8, &id, 8);
    EVP_EncodeBlock((unsigned char *)key, raw, 16);
}

static void ws_accept(uint64_t id, char out[29])
{
    char text[80];
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned int n = 20;
    ws_key(id, text);
    strcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    EVP_Digest(text, 24 + 36, md, &n, EVP_sha1(), NULL);
    EVP_EncodeBlock((unsigned char *)out, md, 20);
}
