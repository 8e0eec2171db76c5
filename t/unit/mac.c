/* SPDX-License-Identifier: Apache-2.0 */
#include "fault.h"

#include "auth/wsk_mac.h"

#include <openssl/evp.h>

#include "auth_fixture.h"

static const wsk_slice_t none = { NULL, 0 };

/* What RFC 4231 says, as hex. */
typedef struct known_t {
    const char *name;
    const char *key;
    const char *data;
    const char *mac;
} known_t;

static const known_t known[] = {
    { "RFC 4231, case 2: a key shorter than the hash", "4a656665",
      "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" },
    { "RFC 4231, case 3: a key of 20 bytes over 127",
      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
      "dddddddddddddddddddddddddddddddddddddddddddddddddd"
      "dddddddddddddddddddddddddddddddddddddddddddddddddd",
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe" },
    { "RFC 4231, case 4: a key of 25 bytes",
      "0102030405060708090a0b0c0d0e0f10111213141516171819",
      "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
      "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd",
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b" },
};

static wsk_slice_t bytes_of(uint8_t *out, const char *hex)
{
    const wsk_slice_t bytes = { (const char *)out, strlen(hex) / 2 };

    if (!wsk_unhex(out, bytes.len, slice(hex))) {
        printf("Bail out! not hex: %s\n", hex);
        exit(1);
    }
    return bytes;
}

static void a_mac_is_what_the_standard_says(void)
{
    uint8_t key[128], data[256], mac[WSK_MAC_LEN];
    char hex[2 * WSK_MAC_LEN + 1];
    size_t i;

    for (i = 0; i < WSK_COUNT_OF(known); i++) {
        const wsk_slice_t part = bytes_of(data, known[i].data);

        ok(wsk_mac(mac, bytes_of(key, known[i].key), &part, 1), "%s is made",
           known[i].name);
        wsk_hex(hex, mac, sizeof(mac));
        is_str(hex, known[i].mac, "%s", known[i].name);
    }
}

static void parts_are_one_message(void)
{
    const wsk_slice_t key = slice("key");
    const wsk_slice_t whole = slice("a.bc");
    const wsk_slice_t parts[] = { slice("a"), none, slice("."), slice("bc") };
    uint8_t one[WSK_MAC_LEN], four[WSK_MAC_LEN];

    ok(wsk_mac(one, key, &whole, 1) && wsk_mac(four, key, parts, 4)
           && memcmp(one, four, sizeof(one)) == 0,
       "a MAC over parts is the MAC of what they make together");
    ok(wsk_sha256(one, &whole, 1) && wsk_sha256(four, parts, 4)
           && memcmp(one, four, sizeof(one)) == 0,
       "so is a hash");
    ok(wsk_mac(four, key, parts, 3) && memcmp(one, four, sizeof(one)) != 0,
       "a part less is another message");
}

static void the_empty_key_makes_nothing(void)
{
    static const uint8_t zeros[WSK_MAC_LEN];
    const wsk_slice_t part = slice("x");
    uint8_t mac[WSK_MAC_LEN];

    memset(mac, 7, sizeof(mac));
    ok(!wsk_mac(mac, none, &part, 1), "the empty key is refused");
    is_mem(mac, sizeof(mac), zeros, sizeof(zeros), "and leaves zeros");
    ok(!wsk_mac(mac, slice(""), &part, 1),
       "so is one that has an address and no bytes");
    ok(wsk_mac(mac, slice("k"), NULL, 0), "an empty message has a MAC");
}

static void hashes_are_what_the_standard_says(void)
{
    const wsk_slice_t abc = slice("abc");
    uint8_t hash[WSK_MAC_LEN];
    char hex[2 * WSK_MAC_LEN + 1];

    ok(wsk_sha256(hash, &abc, 1), "SHA-256 of abc is made");
    wsk_hex(hex, hash, sizeof(hash));
    is_str(hex,
           "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
           "SHA-256 of abc is that of FIPS 180-2");
    ok(wsk_sha256(hash, NULL, 0), "SHA-256 of nothing is made");
    wsk_hex(hex, hash, sizeof(hash));
    is_str(hex,
           "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
           "SHA-256 of nothing is what everybody knows");
}

static void hex_goes_both_ways(void)
{
    static const char digits[] = "0123456789abcdefABCDEF";
    uint8_t all[256], back[256];
    char hex[2 * sizeof(all) + 1];
    char pair[2];
    const wsk_slice_t two = { pair, 2 };
    size_t i, wrong = 0;

    for (i = 0; i < sizeof(all); i++) {
        all[i] = (uint8_t)i;
    }
    wsk_hex(hex, all, sizeof(all));
    ok(wsk_unhex(back, sizeof(back), slice(hex))
           && memcmp(all, back, sizeof(all)) == 0,
       "every byte comes back from its hex");
    for (i = 0; i < 256; i++) {
        const bool is_digit = i != 0 && strchr(digits, (int)i) != NULL;

        pair[0] = '0';
        pair[1] = (char)i;
        wrong += wsk_unhex(back, 1, two) != is_digit;
        pair[0] = (char)i;
        pair[1] = '0';
        wrong += wsk_unhex(back, 1, two) != is_digit;
    }
    is_int((intmax_t)wrong, 0, "no other character is a hex digit");
    memset(hex, 7, sizeof(hex));
    wsk_hex(hex, all, 2);
    ok(memcmp(hex, "0001\0\7\7", 7) == 0, "hex ends with its NUL");
    ok(wsk_unhex(back, 2, slice("aBFf")) && back[0] == 0xab && back[1] == 0xff,
       "digits of either case are read");
    ok(!wsk_unhex(back, 2, slice("abc")), "a digit too few is refused");
    ok(!wsk_unhex(back, 2, slice("abcde")), "a digit too many is refused");
    ok(!wsk_unhex(back, 2, slice("")), "no digits are refused");
    ok(wsk_unhex(back, 0, none), "nothing is nothing in hex");
}

static void comparing_looks_at_every_byte(void)
{
    uint8_t a[WSK_MAC_LEN] = { 0 };
    uint8_t b[WSK_MAC_LEN] = { 0 };
    size_t i, wrong = 0;

    ok(wsk_same(a, b, sizeof(a)), "equal bytes are the same");
    for (i = 0; i < sizeof(b) * 8; i++) {
        b[i / 8] ^= (uint8_t)(1 << i % 8);
        wrong += wsk_same(a, b, sizeof(a));
        b[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    is_int((intmax_t)wrong, 0, "bytes that differ in any bit are not");
    b[31] = 1;
    ok(wsk_same(a, b, 31), "bytes past the length are not looked at");
}

static void ids_are_those_of_the_vectors(const json_t *crypto)
{
    char id[WSK_HEX256 + 1];
    const json_t *one;
    size_t i;

    json_array_foreach(cases(crypto, "ids"), i, one)
    {
        ok(wsk_site_id(id, slice_of(one, "site_key")), "a site_id is made");
        is_str(id, text(one, "site_id"), "site_id of %s",
               text(one, "site_key"));
        ok(wsk_tenant_id(id, slice_of(one, "site_key")), "a tenant_id is made");
        is_str(id, text(one, "tenant_id"), "tenant_id of %s",
               text(one, "site_key"));
    }
}

/* HKDF-SHA256 of 32 bytes (RFC 5869): extract, then one round of expand. */
static void derive_key(uint8_t key[WSK_MAC_LEN], const json_t *one)
{
    const wsk_slice_t seed = slice_of(one, "seed");
    const wsk_slice_t info[] = { slice("wpsignal-v1"), slice("\001") };
    uint8_t extracted[WSK_MAC_LEN];
    const wsk_slice_t prk = { (const char *)extracted, sizeof(extracted) };

    ok(wsk_mac(extracted, slice_of(one, "site_key"), &seed, 1)
           && wsk_mac(key, prk, info, 2),
       "%s: a key is derived", text(one, "name"));
}

/* Open IV, ciphertext and tag. @return the length of the text, or -1 */
static int open_envelope(uint8_t *plain, const uint8_t *key, uint8_t *sealed,
                         int len)
{
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    int done = 0;
    int part = 0;
    const bool is_right =
        len >= 28
        && EVP_DecryptInit_ex(context, EVP_aes_256_gcm(), NULL, key, sealed)
               == 1
        && EVP_DecryptUpdate(context, plain, &done, sealed + 12, len - 28) == 1
        && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, 16,
                               sealed + len - 16)
               == 1
        && EVP_DecryptFinal_ex(context, plain + done, &part) == 1;

    EVP_CIPHER_CTX_free(context);
    return is_right ? done + part : -1;
}

static void envelopes_are_those_of_the_vectors(const json_t *crypto)
{
    uint8_t key[WSK_MAC_LEN], sealed[1024], plain[1024];
    char hex[2 * WSK_MAC_LEN + 1];
    const json_t *one;
    size_t i;

    json_array_foreach(cases(crypto, "cases"), i, one)
    {
        const char *name = text(one, "name");
        const wsk_slice_t p = slice_of(one, "p");
        const wsk_slice_t want = slice_of(one, "plaintext");
        int len;

        derive_key(key, one);
        wsk_hex(hex, key, sizeof(key));
        is_str(hex, text(one, "aes_key_hex"), "%s: it is the key", name);
        len = EVP_DecodeBlock(sealed, (const uint8_t *)p.at, (int)p.len);
        len -= (p.at[p.len - 1] == '=') + (p.at[p.len - 2] == '=');
        wsk_hex(hex, sealed, 12);
        is_str(hex, text(one, "iv_hex"), "%s: it begins with the IV", name);
        len = open_envelope(plain, key, sealed, len);
        is_mem(plain, len < 0 ? 0 : (size_t)len, want.at, want.len,
               "%s: it opens", name);
    }
}

static void without_memory_there_is_no_mac(void)
{
    static const uint8_t zeros[WSK_MAC_LEN];
    const wsk_slice_t part = slice("x");
    uint8_t mac[WSK_MAC_LEN];
    size_t refused = 0;
    size_t made_anyway = 0;
    size_t dirty = 0;
    bool hit = true;
    bool made;
    long n;

    for (n = 0; hit && n < 1000; n++) {
        memset(mac, 7, sizeof(mac));
        fault_arm(FAULT_MEMORY, n, LONG_MAX);
        made = wsk_mac(mac, slice("k"), &part, 1);
        hit = fault_end();
        refused += !made;
        made_anyway += hit && made;
        dirty += !made && memcmp(mac, zeros, sizeof(mac)) != 0;
    }
    for (n = 0, hit = true; hit && n < 1000; n++) {
        memset(mac, 7, sizeof(mac));
        fault_arm(FAULT_MEMORY, n, LONG_MAX);
        made = wsk_sha256(mac, &part, 1);
        hit = fault_end();
        refused += !made;
        made_anyway += hit && made;
        dirty += !made && memcmp(mac, zeros, sizeof(mac)) != 0;
    }
    ok(refused > 1, "%lu allocations failed one by one and said so",
       (unsigned long)refused);
    is_int((intmax_t)made_anyway, 0, "none was taken for a success");
    is_int((intmax_t)dirty, 0, "and left zeros");
}

int main(void)
{
    json_t *crypto = vectors("crypto.json");

    a_mac_is_what_the_standard_says();
    parts_are_one_message();
    the_empty_key_makes_nothing();
    hashes_are_what_the_standard_says();
    hex_goes_both_ways();
    comparing_looks_at_every_byte();
    ids_are_those_of_the_vectors(crypto);
    envelopes_are_those_of_the_vectors(crypto);
    without_memory_there_is_no_mac();
    json_decref(crypto);
    return done_testing();
}
