/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_fixture -- two ends of a TLS session over a pair of sockets, with a key
 * made on the spot.
 *
 * Owner     tls_close frees the client's end; the server's belongs to whoever
 *           takes it. Errors end the program.
 */
#ifndef WSK_TLS_FIXTURE_H
#define WSK_TLS_FIXTURE_H

#include <fcntl.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>

typedef struct tls_pair_t {
    SSL *server, *client;
} tls_pair_t;

static SSL_CTX *tls_context(void)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    X509 *cert = X509_new();

    if (ctx == NULL || key == NULL || cert == NULL) {
        exit(1);
    }
    X509_gmtime_adj(X509_getm_notBefore(cert), -60);
    X509_gmtime_adj(X509_getm_notAfter(cert), 3600);
    X509_set_pubkey(cert, key);
    if (X509_sign(cert, key, EVP_sha256()) == 0
        || SSL_CTX_use_certificate(ctx, cert) != 1
        || SSL_CTX_use_PrivateKey(ctx, key) != 1) {
        exit(1);
    }
    SSL_CTX_set_num_tickets(ctx, 0);
    X509_free(cert);
    EVP_PKEY_free(key);
    return ctx;
}

/* Shake hands; both descriptors do not block afterwards. */
static inline tls_pair_t tls_open(int server_fd, int client_fd)
{
    SSL_CTX *ctx = tls_context();
    tls_pair_t pair = { SSL_new(ctx), SSL_new(ctx) };
    unsigned i;

    fcntl(server_fd, F_SETFL, O_NONBLOCK);
    fcntl(client_fd, F_SETFL, O_NONBLOCK);
    SSL_set_fd(pair.server, server_fd);
    SSL_set_fd(pair.client, client_fd);
    SSL_set_accept_state(pair.server);
    SSL_set_connect_state(pair.client);
    for (i = 0; i < 20
                && (SSL_do_handshake(pair.client) != 1
                    || SSL_do_handshake(pair.server) != 1);
         i++) {
        SSL_do_handshake(pair.server);
    }
    if (i == 20) {
        exit(1);
    }
    SSL_CTX_free(ctx);
    return pair;
}

static inline void tls_close(tls_pair_t *pair)
{
    SSL_free(pair->client);
}

#endif
