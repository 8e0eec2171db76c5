/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wsk_hash.h"

/* Aumasson and Bernstein, "SipHash: a fast short-input PRF", with one round
 * per word and three at the end, as hash tables elsewhere use it. */

static uint64_t turn(uint64_t word, unsigned by)
{
    return (word << by) | (word >> (64 - by));
}

static uint64_t load(const uint8_t *at, size_t len)
{
    uint64_t word = 0;
    size_t i;

    for (i = 0; i < len; i++) {
        word |= (uint64_t)at[i] << (8 * i);
    }
    return word;
}

static void stir(uint64_t v[4])
{
    v[0] += v[1];
    v[1] = turn(v[1], 13) ^ v[0];
    v[0] = turn(v[0], 32);
    v[2] += v[3];
    v[3] = turn(v[3], 16) ^ v[2];
    v[0] += v[3];
    v[3] = turn(v[3], 21) ^ v[0];
    v[2] += v[1];
    v[1] = turn(v[1], 17) ^ v[2];
    v[2] = turn(v[2], 32);
}

uint64_t wsk_hash(const uint8_t key[WSK_HASH_KEY], const void *bytes,
                  size_t len)
{
    const uint64_t k0 = load(key, 8);
    const uint64_t k1 = load(key + 8, 8);
    uint64_t v[4] = { k0 ^ UINT64_C(0x736f6d6570736575),
                      k1 ^ UINT64_C(0x646f72616e646f6d),
                      k0 ^ UINT64_C(0x6c7967656e657261),
                      k1 ^ UINT64_C(0x7465646279746573) };
    const uint8_t *at = bytes;
    size_t left;
    uint64_t word;

    for (left = len; left >= 8; left -= 8) {
        word = load(at, 8);
        v[3] ^= word;
        stir(v);
        v[0] ^= word;
        at += 8;
    }
    word = load(at, left) | (uint64_t)(len & 0xff) << 56;
    v[3] ^= word;
    stir(v);
    v[0] ^= word;
    v[2] ^= 0xff;
    stir(v);
    stir(v);
    stir(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}
