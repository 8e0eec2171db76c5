/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wsk_hash.h"

#include "tap.h"

/* Made with another implementation of SipHash-1-3, CPython's hash of bytes
 * under PYTHONHASHSEED=1; the key is what it derives from that seed. */
static const uint8_t key[WSK_HASH_KEY] = { 0x29, 0x23, 0xbe, 0x84, 0xe1, 0x6c,
                                           0xd6, 0xae, 0x52, 0x90, 0x49, 0xf1,
                                           0xf1, 0xbb, 0xe9, 0xeb };

static const struct {
    unsigned len;
    uint64_t hash;
} known[] = {
    { 1, UINT64_C(0xc1147c52c3233753) },  { 2, UINT64_C(0x1492d9afb0abe793) },
    { 7, UINT64_C(0x06d57fe30100f7b7) },  { 8, UINT64_C(0x8597692664bda177) },
    { 9, UINT64_C(0x08df24bda86fee78) },  { 15, UINT64_C(0x875d8ad6734392d9) },
    { 16, UINT64_C(0x0c4987b29aa63949) }, { 17, UINT64_C(0x8ff4046f504e2130) },
    { 63, UINT64_C(0x2e854f9a43132836) }, { 200, UINT64_C(0xf9cb942969f0a2f3) },
};

int main(void)
{
    uint8_t other[WSK_HASH_KEY];
    uint8_t bytes[201];
    size_t i, j;

    for (i = 0; i < WSK_COUNT_OF(known); i++) {
        /* One byte off, so that words are not aligned. */
        for (j = 0; j < known[i].len; j++) {
            bytes[j + 1] = (uint8_t)(j * 7 + known[i].len);
        }
        ok(wsk_hash(key, bytes + 1, known[i].len) == known[i].hash,
           "%u bytes hash to what others say", known[i].len);
    }
    memcpy(other, key, sizeof(other));
    other[15] ^= 1;
    ok(wsk_hash(key, "a", 1) != wsk_hash(other, "a", 1),
       "another key, another hash");
    ok(wsk_hash(key, "", 0) != wsk_hash(key, "\0", 1), "a zero is not nothing");
    return done_testing();
}
