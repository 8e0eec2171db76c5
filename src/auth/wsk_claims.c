/* SPDX-License-Identifier: Apache-2.0 */
#include "auth/wsk_claims.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The lists of a token while they are read; texts are the json_t's. */
typedef struct lists_t {
    wsk_slice_t *read;
    wsk_slice_t *write;
    wsk_slice_t *rooms;
    bool *room_write;
    size_t nread, nwrite, nrooms;
} lists_t;

/* @return false unless the claim is an integer from 0 */
static bool read_number(int64_t *pnumber, const json_t *claim)
{
    if (!json_is_integer(claim) || json_integer_value(claim) < 0) {
        return false;
    }
    *pnumber = json_integer_value(claim);
    return true;
}

static bool read_version(int *pversion, const json_t *claim)
{
    int64_t version = 1;

    if (claim != NULL && !read_number(&version, claim)) {
        return false;
    }
    *pversion = (int)WSK_MIN(version, INT16_MAX);
    return *pversion >= 1 && *pversion <= 3;
}

static bool is_printable(const char *text, size_t len)
{
    size_t i;

    for (i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static bool read_user(char user_id[WSK_USER_MAX + 1], const json_t *claim)
{
    const size_t len = json_string_length(claim);
    int64_t number;

    if (read_number(&number, claim)) {
        snprintf(user_id, WSK_USER_MAX + 1, "%" PRId64, number);
        return true;
    }
    if (!json_is_string(claim) || len == 0 || len > WSK_USER_MAX
        || !is_printable(json_string_value(claim), len)) {
        return false;
    }
    memcpy(user_id, json_string_value(claim), len + 1);
    return true;
}

static bool read_times(wsk_claims_t *claims, int64_t *pnbf,
                       const json_t *object)
{
    const json_t *nbf = json_object_get(object, "nbf");

    *pnbf = 0;
    return read_number(&claims->iat, json_object_get(object, "iat"))
           && read_number(&claims->exp, json_object_get(object, "exp"))
           && (nbf == NULL || read_number(pnbf, nbf))
           && claims->exp > claims->iat
           && claims->exp - claims->iat <= WSK_TOKEN_LIFE_S;
}

static wsk_token_e judge_times(const wsk_claims_t *claims, int64_t nbf,
                               int64_t now_s)
{
    if (claims->exp <= now_s) {
        return WSK_TOKEN_EXPIRED;
    }
    return WSK_MAX(nbf, claims->iat) - WSK_TOKEN_LEEWAY_S > now_s
               ? WSK_TOKEN_EARLY
               : WSK_TOKEN_OK;
}

static bool put_text(wsk_slice_t *texts, size_t *pcount, const json_t *text)
{
    if (!json_is_string(text)) {
        return false;
    }
    texts[*pcount].at = json_string_value(text);
    texts[*pcount].len = json_string_length(text);
    (*pcount)++;
    return true;
}

/* A list of text, or an object with values of text. */
static wsk_token_e read_texts(wsk_slice_t **ptexts, size_t *pcount,
                              json_t *claim)
{
    const size_t most = json_array_size(claim) + json_object_size(claim);
    bool is_right = json_is_array(claim) || json_is_object(claim);
    const char *key;
    json_t *text;
    size_t i;

    *ptexts = calloc(most + 1, sizeof(**ptexts));
    if (*ptexts == NULL) {
        return WSK_TOKEN_NOMEM;
    }
    json_array_foreach(claim, i, text)
    {
        is_right = is_right && put_text(*ptexts, pcount, text);
    }
    json_object_foreach(claim, key, text)
    {
        is_right = is_right && put_text(*ptexts, pcount, text);
    }
    return is_right ? WSK_TOKEN_OK : WSK_TOKEN_CLAIMS;
}

static bool put_room(lists_t *lists, const char *name, const json_t *right)
{
    const char *text = json_string_value(right);

    if (text == NULL || (strcmp(text, "r") != 0 && strcmp(text, "rw") != 0)) {
        return false;
    }
    lists->rooms[lists->nrooms].at = name;
    lists->rooms[lists->nrooms].len = strlen(name);
    lists->room_write[lists->nrooms] = text[1] == 'w';
    lists->nrooms++;
    return true;
}

static wsk_token_e read_rooms(lists_t *lists, json_t *claim)
{
    const size_t most = json_object_size(claim);
    bool is_right = true;
    const char *name;
    json_t *right;

    if (claim == NULL) {
        return WSK_TOKEN_OK;
    }
    if (!json_is_object(claim)) {
        return json_is_array(claim) && json_array_size(claim) == 0
                   ? WSK_TOKEN_OK
                   : WSK_TOKEN_CLAIMS;
    }
    lists->rooms = calloc(most + 1, sizeof(*lists->rooms));
    lists->room_write = calloc(most + 1, sizeof(*lists->room_write));
    if (lists->rooms == NULL || lists->room_write == NULL) {
        return WSK_TOKEN_NOMEM;
    }
    json_object_foreach(claim, name, right)
    {
        is_right = is_right && put_room(lists, name, right);
    }
    return is_right ? WSK_TOKEN_OK : WSK_TOKEN_CLAIMS;
}

static wsk_token_e read_lists(lists_t *lists, json_t *object, int version)
{
    wsk_token_e why = read_texts(
        &lists->read, &lists->nread,
        json_object_get(object, "allowed_channel_prefixes"));

    if (why == WSK_TOKEN_OK && version >= 2) {
        why = read_texts(&lists->write, &lists->nwrite,
                         json_object_get(object, "allowed_publish_prefixes"));
    }
    if (why == WSK_TOKEN_OK && version == 3) {
        why = read_rooms(lists, json_object_get(object, "rooms"));
    }
    return why;
}

static wsk_token_e read_grant(wsk_claims_t *claims, json_t *object)
{
    lists_t lists = { 0 };
    wsk_token_e why = read_lists(&lists, object, claims->version);

    if (why == WSK_TOKEN_OK) {
        const wsk_grant_spec_t spec = {
            .version = claims->version,
            .read = lists.read,
            .nread = lists.nread,
            .write = lists.write,
            .nwrite = lists.nwrite,
            .rooms = lists.rooms,
            .room_write = lists.room_write,
            .nrooms = lists.nrooms,
        };

        claims->grant = wsk_grant_make(&spec);
        why = claims->grant != NULL ? WSK_TOKEN_OK : WSK_TOKEN_NOMEM;
    }
    free(lists.read);
    free(lists.write);
    free(lists.rooms);
    free(lists.room_write);
    return why;
}

wsk_token_e wsk_claims_read(json_t *object, int64_t now_s, wsk_claims_t *claims)
{
    wsk_claims_t read = { 0 };
    wsk_token_e why;
    int64_t nbf;

    if (json_object_get(object, "aud") != NULL
        || !read_version(&read.version, json_object_get(object, "v"))
        || !read_user(read.user_id, json_object_get(object, "user_id"))
        || !read_times(&read, &nbf, object)) {
        return WSK_TOKEN_CLAIMS;
    }
    why = read_grant(&read, object);
    if (why == WSK_TOKEN_OK) {
        why = judge_times(&read, nbf, now_s);
    }
    if (why != WSK_TOKEN_OK) {
        wsk_grant_unref(read.grant);
        return why;
    }
    *claims = read;
    return WSK_TOKEN_OK;
}
