/* SPDX-License-Identifier: Apache-2.0 */
/* ------------------------------------------------------------------ 3. templates */

enum {
    V_LIT, V_I, V_C, V_CHANNEL, V_TOKEN, V_TS, V_SEQ, V_MARK, V_PAD, V_PAYLOAD,
    V_PAYLOAD_JSON, V_BODY, V_BODY_MD5, V_UNIX, V_UNIX_MS, V_SIG, V_SIG_B64,
    V_P, V_NL, V_VARINT_SEQ, V_VARINT_P, V_BYTE, V_LP, V_LP_END, V_LP2, V_LP2_END, V_BODY_SHA256, V_NONCE
};

static const struct { const char *name; uint8_t op; } var_names[] = {
    { "i", V_I },                       /* index of the subscriber */
    { "c", V_C },                       /* index of the channel */
    { "channel", V_CHANNEL },           /* name of the channel */
    { "token", V_TOKEN },               /* line (index mod lines) of --tokens */
    { "ts", V_TS },                     /* CLOCK_MONOTONIC ns when sent */
    { "seq", V_SEQ },                   /* 1, 2, ... within the channel */
    { "mark", V_MARK },                 /* "@@RUN.TS.SEQ.CHAN@@" */
    { "pad", V_PAD },                   /* fills the payload up to --size */
    { "payload", V_PAYLOAD },           /* the expanded --payload */
    { "payload_json", V_PAYLOAD_JSON }, /* the same, escaped for a JSON string */
    { "body", V_BODY },                 /* the expanded --pub-body */
    { "body_md5", V_BODY_MD5 },         /* its MD5 in hex (Pusher-style APIs) */
    { "body_sha256", V_BODY_SHA256 },
    { "nonce", V_NONCE },               /* another for each message */
    { "unix", V_UNIX },                 /* seconds since the epoch */
    { "unix_ms", V_UNIX_MS },
    { "sig", V_SIG },                   /* HMAC-SHA256 of --sign-string, hex */
    { "sig_b64", V_SIG_B64 },           /* the same in base64 */
    { "p", V_P },                       /* index of the publishing connection */
    { "nl", V_NL },                     /* a newline */
    { "varint:seq", V_VARINT_SEQ },     /* binary protocols: LEB128 numbers */
    { "varint:p", V_VARINT_P },
    { "lp", V_LP },                     /* {lp}...{/lp}: varint length prefix */
    { "/lp", V_LP_END },
    { "lp2", V_LP2 },                   /* {lp2}...{/lp2}: 16-bit length prefix */
    { "/lp2", V_LP2_END },
};

typedef struct {
    uint8_t op;
    uint32_t off, len;
} tmpl_op;

typedef struct {
    const char *src;
    tmpl_op *ops;
    int n;
    uint32_t uses; /* bit set of the ops in it */
} tmpl;

/* What the variables of one expansion stand for. */
typedef struct {
    uint64_t i, ts, seq, unix_ms;
    uint32_t c, p;
    size_t pad;
    const buf *payload, *body;
    const char *sig, *sig_b64;
} tctx;

static struct {
    char run[9];
    char **channel; /* names */
    char **token;
    uint32_t ntokens;
} names;

static tmpl tmpl_compile(const char *src)
{
    tmpl t = { .src = src };
    size_t n = strlen(src), lit = 0, i = 0;
    t.ops = xcalloc(n + 2, sizeof *t.ops);
    while (i < n) {
        if (src[i] == '{') {
            const char *e = memchr(src + i, '}', n - i);
            size_t len = e ? (size_t)(e - (src + i + 1)) : 0;
            int op = -1;
            uint32_t byte = 0;
            for (size_t v = 0; e && v < sizeof var_names / sizeof *var_names; v++)
                if (strlen(var_names[v].name) == len && !memcmp(src + i + 1, var_names[v].name, len))
                    op = var_names[v].op;
            if (e && len == 4 && src[i + 1] == 'x' && src[i + 2] == ':') { /* {x:HH} */
                byte = (uint32_t)strtoul((char[]){ src[i + 3], src[i + 4], 0 }, NULL, 16);
                op = V_BYTE;
            }
            if (op >= 0) {
                if (i > lit)
                    t.ops[t.n++] = (tmpl_op){ V_LIT, (uint32_t)lit, (uint32_t)(i - lit) };
                t.ops[t.n++] = (tmpl_op){ (uint8_t)op, byte, 0 };
                t.uses |= 1u << op;
                i += len + 2;
                lit = i;
                continue;
            }
        }
        i++;
    }
    if (n > lit)
        t.ops[t.n++] = (tmpl_op){ V_LIT, (uint32_t)lit, (uint32_t)(n - lit) };
    return t;
}

static void md5_hex(char out[33], const void *p, size_t n)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned int len = 16;
    EVP_Digest(p, n, md, &len, EVP_md5(), NULL);
    hex(out, md, 16);
}

static void sha256_hex(char out[65], const void *p, size_t n)
{
    unsigned char md[EVP_MAX_MD_SIZE];
    unsigned int len = 32;
    EVP_Digest(p, n, md, &len, EVP_sha256(), NULL);
    hex(out, md, 32);
}

static void tmpl_expand(buf *b, const tmpl *t, const tctx *x)
{
    size_t lp[8];
    int depth = 0;
    char tmp[65];
    for (int k = 0; k < t->n; k++) {
        const tmpl_op *o = &t->ops[k];
        switch (o->op) {
        case V_LIT: buf_put(b, t->src + o->off, o->len); break;
        case V_I: buf_u64(b, x->i); break;
        case V_C: buf_u64(b, x->c); break;
        case V_CHANNEL: buf_puts(b, names.channel[x->c]); break;
        case V_TOKEN:
            if (names.ntokens)
                buf_puts(b, names.token[x->i % names.ntokens]);
            break;
        case V_TS: buf_u64(b, x->ts); break;
        case V_SEQ: buf_u64(b, x->seq); break;
        case V_MARK:
            buf_put(b, "@@", 2);
            buf_put(b, names.run, 8);
            buf_put(b, ".", 1);
            buf_u64(b, x->ts);
            buf_put(b, ".", 1);
            buf_u64(b, x->seq);
            buf_put(b, ".", 1);
            buf_u64(b, x->c);
            buf_put(b, "@@", 2);
            break;
        case V_PAD: buf_fill(b, 'x', x->pad); break;
        case V_PAYLOAD: if (x->payload) buf_put(b, x->payload->p, x->payload->n); break;
        case V_PAYLOAD_JSON: if (x->payload) buf_json_escaped(b, x->payload->p, x->payload->n); break;
        case V_BODY: if (x->body) buf_put(b, x->body->p, x->body->n); break;
        case V_BODY_MD5:
            if (x->body) {
                md5_hex(tmp, x->body->p, x->body->n);
                buf_puts(b, tmp);
            }
            break;
        case V_BODY_SHA256:
            if (x->body) {
                sha256_hex(tmp, x->body->p, x->body->n);
                buf_puts(b, tmp);
            }
            break;
        case V_NONCE: buf_puts(b, names.run); buf_u64(b, x->ts); buf_puts(b, "."); buf_u64(b, x->seq); buf_puts(b, "."); buf_u64(b, x->c); break;
        case V_UNIX: buf_u64(b, x->unix_ms / 1000); break;
        case V_UNIX_MS: buf_u64(b, x->unix_ms); break;
        case V_SIG: if (x->sig) buf_puts(b, x->sig); break;
        case V_SIG_B64: if (x->sig_b64) buf_puts(b, x->sig_b64); break;
        case V_P: buf_u64(b, x->p); break;
        case V_NL: buf_put(b, "\n", 1); break;
        case V_VARINT_SEQ: buf_varint(b, x->seq); break;
        case V_VARINT_P: buf_varint(b, x->p); break;
        case V_BYTE: buf_put(b, (char[]){ (char)o->off }, 1); break;
        case V_LP:
        case V_LP2:
            if (depth < 8)
                lp[depth++] = b->n;
            break;
        case V_LP_END:
        case V_LP2_END:
            if (depth > 0) {
                size_t at = lp[--depth], len = b->n - at;
                buf pre = { 0 };
                if (o->op == V_LP_END)
                    buf_varint(&pre, len);
                else
                    buf_put(&pre, (char[]){ (char)(len >> 8), (char)len }, 2);
                buf_room(b, pre.n);
                memmove(b->p + at + pre.n, b->p + at, len);
                memcpy(b->p + at, pre.p, pre.n);
                b->n += pre.n;
                free(pre.p);
            }
            break;
        default: break;
        }
    }
}
