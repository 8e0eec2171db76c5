/* SPDX-License-Identifier: Apache-2.0 */
/*
 * swarm -- many subscribers and one publisher, in one process, that check
 * what they get: every message once, in order, under the id the publisher was
 * told, over any number of reconnects.
 *
 * Promise   Loopback only. Ends by itself after --seconds, whatever happens.
 *           What went wrong is counted, never repaired.
 * Owner     The swarm owns everything and frees nothing before it ends, but
 *           for the buffers of a subscriber, which are given back when empty.
 * Threads   One. epoll, and a look at all deadlines every few milliseconds.
 *
 * The parts: options (command line), wire (sockets and TLS), speech (frames,
 * event streams, fields of JSON), subscriber (a life, with reconnects), track
 * (what arrived), publisher (signed POSTs), report (JSON), swarm (the loop).
 */
#ifndef SWARM_H
#define SWARM_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#define SUBSCRIBERS_MAX 60000
#define PUBLISHES_MAX 100000
#define BUFFER_MAX (20u << 20)
#define ID_MAX 40
#define CODES_MAX 5000 /* close codes, and two of our own below 1000 */
#define CODE_END 1     /* an event stream ended, as streams do */
#define CODE_LOST 2    /* the TCP stream ended without a close frame */

typedef enum kind_e { KIND_WS = 0, KIND_SSE, KIND_ECHO } kind_e;

typedef struct options_t {
    const char *host;
    int port, tls_port;
    const char *path;
    int ws, sse, wss, sses; /* how many of each */
    const char *channel;
    int channels;
    char **tokens;
    int ntokens;
    int per_address; /* connections from one source address */
    int burst;       /* handshakes under way at once */
    int publishes;
    double rate; /* a second; 0: one after the other, no pause */
    int lanes;   /* requests under way at once */
    bool fresh;  /* a connection for every publish */
    bool publish_tls;
    const char *key, *secret;
    int pad;
    int seconds; /* the end of everything */
    int settle;  /* and of waiting for the last deliveries */
    bool wait;   /* for "publish" on standard input */
    bool hold;   /* stay until standard input ends */
    bool reconnect;
    int echo_rounds, echo_bytes;
} options_t;

/** A connection with what is to be written and what was read. */
typedef struct wire_t {
    int fd;
    SSL *ssl;
    bool connecting, handshaking;
    char *in;
    uint32_t in_len, in_cap;
    char *out;
    uint32_t out_len, out_cap, out_at;
    void *owner;
    bool is_publisher;
} wire_t;

typedef enum stage_e {
    STAGE_WAITING = 0, /* for its turn, or for the end of a pause */
    STAGE_HEAD,        /* the answer's head is awaited */
    STAGE_SUBSCRIBING,
    STAGE_READY,
    STAGE_DONE
} stage_e;

typedef struct subscriber_t {
    wire_t wire;
    kind_e kind;
    bool tls, chunked;
    stage_e stage;
    int number;
    uint64_t due_ms;  /* when waiting: try again */
    uint64_t lost_ms; /* when the last connection ended, 0 if none did */
    int64_t pause_ms; /* what the relay asked for, -1 if nothing */
    char last_id[ID_MAX];
    uint64_t last_seq;
    int64_t last_n;
    uint32_t got;
    uint8_t *seen; /* a bit for every publish */
    uint32_t chunk_left;
    int rounds;
} subscriber_t;

/** What the whole swarm counts. */
typedef struct tally_t {
    uint64_t delivered, duplicates, disorder, foreign, gaps, pings;
    uint64_t mismatched_ids, reconnects, hints, refused, malformed, echoes;
    uint64_t bad_echoes, ready_ms, slowest_return_ms;
    uint32_t code[CODES_MAX];
    uint32_t refusal[600]; /* by HTTP status */
    uint32_t published, publish_retries, publish_failures, publish_duplicates;
    uint32_t *latency_us;
    uint32_t latencies, latency_cap;
} tally_t;

typedef struct swarm_t {
    options_t opt;
    tally_t tally;
    subscriber_t *subs;
    int nsubs, ready, opening, waiting;
    char (*ids)[ID_MAX]; /* of every publish, as the publisher was told */
    char run[20];
    int epoll;
    SSL_CTX *tls;
    uint64_t begun_ms;
    bool publishing, quit;
} swarm_t;

/* options.c */
void options_read(options_t *opt, int argc, char **argv);
void die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));
void *need(void *memory);
uint64_t now_us(void);
uint64_t now_ms(void);

/* wire.c: -1 is the end of the connection. */
int wire_open(swarm_t *swarm, wire_t *wire, int port, bool tls, int source);
void wire_close(wire_t *wire);
void wire_put(wire_t *wire, const void *bytes, size_t len);
int wire_flush(swarm_t *swarm, wire_t *wire);
int wire_fill(wire_t *wire);
int wire_advance(swarm_t *swarm, wire_t *wire);
void wire_drop(wire_t *wire, size_t len);

/* speech.c */
typedef struct frame_t {
    int opcode;
    const char *payload;
    size_t len, whole; /* payload, and all of the frame */
} frame_t;

/** @return 1 a frame, 0 more bytes are needed, -1 a server may not send this */
int frame_parse(frame_t *frame, const char *bytes, size_t len);
void frame_put(wire_t *wire, int opcode, const char *payload, size_t len);
/** The text of a JSON member, wherever it stands. @return false if absent */
bool field_text(char *out, size_t size, const char *json, size_t len,
                const char *name);
int64_t field_number(const char *json, size_t len, const char *name,
                     int64_t otherwise);
bool has_text(const char *bytes, size_t len, const char *text);

/* subscriber.c */
void subscriber_start(swarm_t *swarm, subscriber_t *sub);
void subscriber_turn(swarm_t *swarm, subscriber_t *sub, bool readable);
void subscriber_end(swarm_t *swarm, subscriber_t *sub, int code);
/* stream.c: what comes after the head; false ends the connection */
bool stream_read_ws(swarm_t *swarm, subscriber_t *sub);
bool stream_read_sse(swarm_t *swarm, subscriber_t *sub);
bool stream_read_echo(swarm_t *swarm, subscriber_t *sub);
void stream_ready(swarm_t *swarm, subscriber_t *sub);
void stream_send_echo(swarm_t *swarm, subscriber_t *sub);

/* track.c */
void track_message(swarm_t *swarm, subscriber_t *sub, const char *id,
                   const char *bytes, size_t len);
void track_cursor(subscriber_t *sub, const char *id);
uint64_t track_missing(const swarm_t *swarm);
/** Subscribers of the channel that publish n goes to. */
int track_listeners(const swarm_t *swarm, int n);

/* publisher.c */
void publisher_begin(swarm_t *swarm);
void publisher_turn(swarm_t *swarm, void *lane, bool readable);
void publisher_tick(swarm_t *swarm);
bool publisher_done(const swarm_t *swarm);

/* report.c */
void report(const swarm_t *swarm);

#endif
