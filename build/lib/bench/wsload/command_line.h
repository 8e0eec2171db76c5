/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked for, from the command line into `opt`. */
static const char usage[] =
    "usage: wsload [options]        (loopback targets only)\n"
    "Subscribers\n"
    "  -n, --subs N              how many (0: publish only)\n"
    "  -s, --sub-url URL         ws://, wss:// (WebSocket) or http://, https:// (SSE)\n"
    "  -m, --channels M          spread them over M channels (subscriber i: channel i mod M)\n"
    "      --channel-name T      name of channel {c} (ch{c})\n"
    "      --ramp R              connections a second (0: as fast as they come)\n"
    "      --inflight K          handshakes under way at most (256)\n"
    "      --header T            request header, may be repeated\n"
    "      --subprotocol P       Sec-WebSocket-Protocol\n"
    "      --tokens FILE         one token a line, for {token}\n"
    "      --send-open T         message to send once open, may be repeated\n"
    "      --send-binary         send these (and --reply) as binary messages\n"
    "      --ready S             open counts only after a message containing S\n"
    "      --reply 'A=>B'        answer messages beginning with A by text B\n"
    "      --connect-timeout S   give a handshake up after S seconds (30)\n"
    "      --per-addr N          connections a source address 127.0.0.x (4000)\n"
    "      --no-bind             do not bind source addresses\n"
    "      --threads N           subscriber threads (1)\n"
    "      --ts-key S, --seq-key S  read digits after these instead of the {mark}\n"
    "      --clean-close         end with FIN instead of RST\n"
    "Publisher\n"
    "  -p, --pub-url URL         http(s)://: a request each; ws(s)://: a message each\n"
    "      --pub-method M        (POST)\n"
    "      --pub-header T        request header, may be repeated\n"
    "      --payload T           message ({mark}{pad})\n"
    "      --size S              bytes {pad} fills the payload up to (150)\n"
    "      --pub-body T          what is sent ({payload})\n"
    "      --batch B             send lists, [T,T,...], of B messages for as many channels\n"
    "      --mode M              rate, closed (each connection as fast as answered) or\n"
    "                            window (a bounded number of messages in delivery)\n"
    "  -r, --rate R              messages a second in rate mode (10)\n"
    "  -c, --concurrency C       publishing connections (1)\n"
    "      --depth D             requests in flight on each (1)\n"
    "      --window W            window mode: W messages' worth of deliveries (1)\n"
    "      --no-keepalive        a new connection for each request\n"
    "      --pub-subprotocol P, --pub-send-open T, --pub-ready S, --pub-ack S, --pub-binary\n"
    "                            for WebSocket publishers\n"
    "      --sign-key K          HMAC-SHA256 key; result in {sig} and {sig_b64}\n"
    "      --sign-string T       what is signed ({unix}.{body})\n"
    "  -d, --duration S          publish for S seconds (5)\n"
    "      --warmup S            keep the first S seconds out of the latencies\n"
    "      --max-msgs N          stop after N messages\n"
    "Run\n"
    "      --settle S            pause before the idle memory is read (1)\n"
    "      --hold S              idle time after that, its server CPU is reported\n"
    "      --drain S             wait for deliveries at most (10)\n"
    "      --linger S            stay connected for S seconds after the report, or until TERM\n"
    "      --limit S             whole run at most (600)\n"
    "      --server-pid P[,P]    processes (with their children) to account\n"
    "      --json FILE|-         write the report as JSON\n"
    "      --label L             its label\n"
    "  -q, --quiet               no table\n";

static void load_tokens(const char *file)
{
    FILE *f = fopen(file, "r");
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    if (!f)
        die("cannot read %s", file);
    while ((n = getline(&line, &cap, f)) >= 0) {
        while (n && (line[n - 1] == '\n' || line[n - 1] == '\r'))
            line[--n] = 0;
        if (!n)
            continue;
        names.token = xrealloc(names.token, (names.ntokens + 1) * sizeof *names.token);
        names.token[names.ntokens++] = strdup(line);
    }
    free(line);
    fclose(f);
    if (!names.ntokens)
        die("no token in %s", file);
}

static void add_tmpl(tmpl *list, int *n, const char *s)
{
    if (*n == MAX_LIST)
        die("too many: %s", s);
    list[(*n)++] = tmpl_compile(s);
}

static double num(const char *s, double lo, double hi)
{
    char *e;
    double v = strtod(s, &e);
    if (e == s || *e || !(v >= lo && v <= hi))
        die("not a number from %g to %g: %s", lo, hi, s);
    return v;
}

static void add_pids(const char *s)
{
    char *copy = strdup(s), *save = NULL;
    for (char *p = strtok_r(copy, ", \n", &save); p; p = strtok_r(NULL, ", \n", &save)) {
        int pid = (int)num(p, 1, 1 << 30);
        if (n_server_pids == MAX_PIDS)
            die("too many processes");
        if (kill(pid, 0) && errno == ESRCH)
            die("no process %d", pid);
        server_pids[n_server_pids++] = pid;
    }
    free(copy);
}

enum { O_CHANNEL_NAME = 256, O_RAMP, O_INFLIGHT, O_HEADER, O_SUBPROTO, O_TOKENS, O_SEND_OPEN, O_READY, O_REPLY,
       O_CTIMEOUT, O_PER_ADDR, O_NO_BIND, O_THREADS, O_TS_KEY, O_SEQ_KEY, O_CLEAN, O_PUB_METHOD, O_PUB_HEADER,
       O_PAYLOAD, O_SIZE, O_PUB_BODY, O_MODE, O_DEPTH, O_WINDOW, O_NO_KEEPALIVE, O_PUB_SUBPROTO, O_PUB_SEND_OPEN,
       O_PUB_READY, O_PUB_ACK, O_PUB_BINARY, O_SIGN_KEY, O_SIGN_STRING, O_WARMUP, O_MAX_MSGS, O_SETTLE, O_HOLD,
       O_DRAIN, O_LIMIT, O_SERVER_PID, O_JSON, O_LABEL, O_SEND_BINARY, O_BATCH, O_LINGER };

static const struct option lo[] = {
    { "subs", 1, 0, 'n' }, { "sub-url", 1, 0, 's' }, { "channels", 1, 0, 'm' }, { "channel-name", 1, 0, O_CHANNEL_NAME },
    { "ramp", 1, 0, O_RAMP }, { "inflight", 1, 0, O_INFLIGHT }, { "header", 1, 0, O_HEADER }, { "subprotocol", 1, 0, O_SUBPROTO },
    { "tokens", 1, 0, O_TOKENS }, { "send-open", 1, 0, O_SEND_OPEN }, { "ready", 1, 0, O_READY }, { "reply", 1, 0, O_REPLY },
    { "connect-timeout", 1, 0, O_CTIMEOUT }, { "per-addr", 1, 0, O_PER_ADDR }, { "no-bind", 0, 0, O_NO_BIND },
    { "threads", 1, 0, O_THREADS }, { "ts-key", 1, 0, O_TS_KEY }, { "seq-key", 1, 0, O_SEQ_KEY }, { "clean-close", 0, 0, O_CLEAN },
    { "pub-url", 1, 0, 'p' }, { "pub-method", 1, 0, O_PUB_METHOD }, { "pub-header", 1, 0, O_PUB_HEADER }, { "payload", 1, 0, O_PAYLOAD },
    { "size", 1, 0, O_SIZE }, { "pub-body", 1, 0, O_PUB_BODY }, { "mode", 1, 0, O_MODE }, { "rate", 1, 0, 'r' },
    { "concurrency", 1, 0, 'c' }, { "depth", 1, 0, O_DEPTH }, { "window", 1, 0, O_WINDOW }, { "no-keepalive", 0, 0, O_NO_KEEPALIVE },
    { "pub-subprotocol", 1, 0, O_PUB_SUBPROTO }, { "pub-send-open", 1, 0, O_PUB_SEND_OPEN }, { "pub-ready", 1, 0, O_PUB_READY },
    { "pub-ack", 1, 0, O_PUB_ACK }, { "pub-binary", 0, 0, O_PUB_BINARY }, { "sign-key", 1, 0, O_SIGN_KEY },
    { "sign-string", 1, 0, O_SIGN_STRING }, { "duration", 1, 0, 'd' }, { "warmup", 1, 0, O_WARMUP }, { "max-msgs", 1, 0, O_MAX_MSGS },
    { "settle", 1, 0, O_SETTLE }, { "hold", 1, 0, O_HOLD }, { "drain", 1, 0, O_DRAIN }, { "limit", 1, 0, O_LIMIT },
    { "server-pid", 1, 0, O_SERVER_PID }, { "json", 1, 0, O_JSON }, { "label", 1, 0, O_LABEL }, { "quiet", 0, 0, 'q' },
    { "send-binary", 0, 0, O_SEND_BINARY }, { "batch", 1, 0, O_BATCH }, { "linger", 1, 0, O_LINGER },
    { "help", 0, 0, 'h' }, { 0 }
};

/* Templates and addresses, until all is known that they depend on. */
static struct {
    const char *sub_url, *pub_url, *sign, *body, *payload;
} given = { .sign = "{unix}.{body}", .body = "{payload}", .payload = "{mark}{pad}" };

/* @return whether it is one of these */
static bool set_subscriber(int o)
{
    switch (o) {
    case 'n': opt.subs = (uint32_t)num(optarg, 0, MAX_SUBS); break;
    case 's': given.sub_url = optarg; break;
    case 'm': opt.channels = (uint32_t)num(optarg, 1, MAX_CHANNELS); break;
    case O_CHANNEL_NAME: opt.channel_name = optarg; break;
    case O_RAMP: opt.ramp = num(optarg, 0, 1e6); break;
    case O_INFLIGHT: opt.inflight = (uint32_t)num(optarg, 1, 10000); break;
    case O_HEADER: add_tmpl(opt.header, &opt.n_header, optarg); break;
    case O_SUBPROTO: opt.subproto = optarg; break;
    case O_TOKENS: load_tokens(optarg); break;
    case O_SEND_OPEN: add_tmpl(opt.send_open, &opt.n_send_open, optarg); break;
    case O_READY: opt.ready = optarg; break;
    case O_SEND_BINARY: opt.send_binary = true; break;
    case O_REPLY: {
        char *s = strdup(optarg), *arrow = strstr(s, "=>");
        if (!arrow || opt.n_reply == MAX_LIST)
            die("--reply wants 'beginning=>answer'");
        *arrow = 0;
        opt.reply[opt.n_reply++] = (reply_rule){ s, arrow + 2 };
        break;
    }
    case O_CTIMEOUT: opt.connect_timeout = num(optarg, 0.1, 300); break;
    case O_PER_ADDR: opt.per_addr = (uint32_t)num(optarg, 1, 60000); break;
    case O_NO_BIND: opt.bind_src = false; break;
    case O_THREADS: opt.threads = (uint32_t)num(optarg, 1, MAX_THREADS); break;
    case O_TS_KEY: opt.ts_key = optarg; break;
    case O_SEQ_KEY: opt.seq_key = optarg; break;
    case O_CLEAN: opt.clean_close = true; break;
    default: return false;
    }
    return true;
}

/* @return whether it is one of these */
static bool set_publisher(int o)
{
    switch (o) {
    case 'p': given.pub_url = optarg; break;
    case O_PUB_METHOD: opt.pub_method = optarg; break;
    case O_PUB_HEADER: add_tmpl(opt.pub_header, &opt.n_pub_header, optarg); break;
    case O_PAYLOAD: given.payload = optarg; break;
    case O_SIZE: opt.size = (size_t)num(optarg, 0, MAX_MSG); break;
    case O_PUB_BODY: given.body = optarg; break;
    case O_MODE:
        if (!strcmp(optarg, "rate")) opt.mode = MODE_RATE;
        else if (!strcmp(optarg, "closed")) opt.mode = MODE_CLOSED;
        else if (!strcmp(optarg, "window")) opt.mode = MODE_WINDOW;
        else die("--mode is rate, closed or window");
        break;
    case 'r': opt.rate = num(optarg, 0.01, 1e7); break;
    case 'c': opt.lanes = (uint32_t)num(optarg, 1, MAX_LANES); break;
    case O_DEPTH: opt.depth = (uint32_t)num(optarg, 1, MAX_DEPTH); break;
    case O_WINDOW: opt.window = num(optarg, 0.001, 1e6); break;
    case O_NO_KEEPALIVE: opt.keepalive = false; break;
    case O_PUB_SUBPROTO: opt.pub_subproto = optarg; break;
    case O_PUB_SEND_OPEN: add_tmpl(opt.pub_send_open, &opt.n_pub_send_open, optarg); break;
    case O_PUB_READY: opt.pub_ready = optarg; break;
    case O_PUB_ACK: opt.pub_ack = optarg; break;
    case O_PUB_BINARY: opt.pub_binary = true; break;
    case O_SIGN_KEY: opt.sign_key = optarg; break;
    case O_SIGN_STRING: given.sign = optarg; break;
    case 'd': opt.duration = num(optarg, 0.01, MAX_SECONDS); break;
    case O_WARMUP: opt.warmup = num(optarg, 0, MAX_SECONDS); break;
    case O_BATCH: opt.batch = (uint32_t)num(optarg, 1, MAX_BATCH); break;
    case O_MAX_MSGS: opt.max_msgs = (uint64_t)num(optarg, 1, 1e12); break;
    default: return false;
    }
    return true;
}

/* @return whether it is one of these */
static bool set_run(int o)
{
    switch (o) {
    case O_SETTLE: opt.settle = num(optarg, 0, MAX_SECONDS); break;
    case O_HOLD: opt.hold = num(optarg, 0, MAX_SECONDS); break;
    case O_DRAIN: opt.drain = num(optarg, 0, MAX_SECONDS); break;
    case O_LINGER: opt.linger = num(optarg, 0, MAX_SECONDS); break;
    case O_LIMIT: opt.limit = num(optarg, 1, MAX_SECONDS); break;
    case O_SERVER_PID: add_pids(optarg); break;
    case O_JSON: opt.json = optarg; break;
    case O_LABEL: opt.label = optarg; break;
    case 'q': opt.quiet = true; break;
    default: return false;
    }
    return true;
}

static void parse_options(int argc, char **argv)
{
    int o;
    while ((o = getopt_long(argc, argv, "n:s:m:p:r:c:d:qh", lo, NULL)) >= 0) {
        if (o == 'h') {
            fputs(usage, stdout);
            exit(0);
        }
        if (!set_subscriber(o) && !set_publisher(o) && !set_run(o)) {
            fputs(usage, stderr);
            exit(2);
        }
    }
    if (optind < argc)
        die("what is %s?", argv[optind]);
    if (opt.subs && !given.sub_url)
        die("--subs needs --sub-url");
    if (given.sub_url && opt.subs) {
        opt.sub = target_parse(given.sub_url);
        opt.have_sub = true;
    }
    if (given.pub_url) {
        opt.pub = target_parse(given.pub_url);
        opt.have_pub = true;
    }
    if (!opt.have_sub && !opt.have_pub) {
        fputs(usage, stderr);
        exit(2);
    }
    if (opt.threads > opt.subs && opt.subs)
        opt.threads = opt.subs;
    opt.payload = tmpl_compile(given.payload);
    opt.pub_body = tmpl_compile(given.body);
    opt.sign_string = tmpl_compile(given.sign);
}
