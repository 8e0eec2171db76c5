/* SPDX-License-Identifier: Apache-2.0 */
/* What floor.c knows of a request's head and of a handshake. */

/* The value of a header, such as "upgrade:". */
static const char *field(const char *p, const char *end, const char *name)
{
    size_t n = strlen(name);
    for (; p + n < end; p++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p || p + n + 2 >= end)
            return NULL;
        if (!strncasecmp(p + 1, name, n)) {
            p += n + 1;
            while (*p == ' ')
                p++;
            return p;
        }
    }
    return NULL;
}

/* SHA-1 of fewer than 120 bytes, for the handshake. */
static void sha1(const uint8_t *p, size_t n, uint8_t out[20])
{
    uint8_t m[128] = { 0 };
    uint32_t h[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 }, w[80];
    size_t total = n < 56 ? 64 : 128;
    memcpy(m, p, n);
    m[n] = 0x80;
    for (int i = 0; i < 8; i++)
        m[total - 1 - (size_t)i] = (uint8_t)((uint64_t)n * 8 >> (8 * i));
    for (size_t o = 0; o < total; o += 64) {
        for (int i = 0; i < 16; i++)
            w[i] = (uint32_t)m[o + 4 * i] << 24 | (uint32_t)m[o + 4 * i + 1] << 16 | (uint32_t)m[o + 4 * i + 2] << 8 | m[o + 4 * i + 3];
        for (int i = 16; i < 80; i++) {
            uint32_t x = w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16];
            w[i] = x << 1 | x >> 31;
        }
        uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
        for (int i = 0; i < 80; i++) {
            uint32_t f = i < 20 ? (b & c) | (~b & d) : i < 40 ? b ^ c ^ d : i < 60 ? (b & c) | (b & d) | (c & d) : b ^ c ^ d;
            uint32_t k = i < 20 ? 0x5a827999 : i < 40 ? 0x6ed9eba1 : i < 60 ? 0x8f1bbcdc : 0xca62c1d6;
            uint32_t t = (a << 5 | a >> 27) + f + e + k + w[i];
            e = d; d = c; c = b << 30 | b >> 2; b = a; a = t;
        }
        h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e;
    }
    for (int i = 0; i < 20; i++)
        out[i] = (uint8_t)(h[i / 4] >> (24 - 8 * (i % 4)));
}

/* Of a key of 24 characters. */
static void ws_accept(const char *key, char acc[29])
{
    static const char b64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[61];
    uint8_t md[21] = { 0 };
    memcpy(text, key, 24);
    memcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 36);
    sha1((uint8_t *)text, 60, md);
    for (int i = 0; i < 7; i++) {
        uint32_t v = (uint32_t)md[3 * i] << 16 | (uint32_t)md[3 * i + 1] << 8 | md[3 * i + 2];
        for (int k = 0; k < 4; k++)
            acc[4 * i + k] = b64[v >> (18 - 6 * k) & 63];
    }
    acc[27] = '=';
    acc[28] = 0;
}
