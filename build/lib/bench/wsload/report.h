/* SPDX-License-Identifier: Apache-2.0 */
/* ------------------------------------------------------------------ 9. report */

static struct {
    sample s0, s_conn, s_idle, s_hold, p0, p1, s_end;
    double connect_s, sub_cpu_connect, main_cpu_connect, sub_cpu_pub, pub_cpu, self_cpu_pub;
    uint64_t pings; /* that came while idle */
    uint64_t bytes_before; /* received before the first message */
    bool timed_out;
} run;

static double per(double a, double n) { return n > 0 ? a / n : 0; }

static void report(void)
{
    static hist lat, hs;
    uint64_t opened = 0, failed = 0, dropped = 0, received = 0, dups = 0, disorder = 0, misrouted = 0, foreign = 0,
             unmarked = 0, recvs = 0, waits = 0, bytes = 0, last = 0;
    uint32_t err[E_KINDS] = { 0 }, status[600] = { 0 };
    const char *sub_error = "";
    for (uint32_t i = 0; i < opt.threads && threads; i++) {
        sthread *t = &threads[i];
        opened += t->opened; failed += t->failed; dropped += t->dropped;
        received += t->received; dups += t->dups; disorder += t->disorder;
        misrouted += t->misrouted; foreign += t->foreign; unmarked += t->unmarked;
        recvs += t->recvs; waits += t->waits; bytes += t->bytes;
        if (t->last_delivery > last) last = t->last_delivery;
        for (int k = 0; k < E_KINDS; k++) err[k] += t->err[k];
        for (int k = 0; k < 600; k++) status[k] += t->status[k];
        if (t->sample_error[0]) sub_error = t->sample_error;
        hist_merge(&lat, &t->lat);
        hist_merge(&hs, &t->handshake);
    }
    uint64_t unique = received - dups;
    int64_t lost = (int64_t)pub.expected - (int64_t)unique;
    double pub_s = pub.t0 ? (double)(pub.t1 - pub.t0) / 1e9 : 0;
    double del_s = last > pub.t0 && pub.t0 ? (double)(last - pub.t0) / 1e9 : 0;
    double ok_s = pub.t_last_ok > pub.t0 ? (double)(pub.t_last_ok - pub.t0) / 1e9 : 0;
    double wall = (double)(run.p1.t - run.p0.t) / 1e9;
    double srv = run.p1.cpu_s - run.p0.cpu_s;
    double other = run.p1.machine_busy_s - run.p0.machine_busy_s - srv - run.self_cpu_pub;
    double hs_cpu = run.s_conn.cpu_s - run.s0.cpu_s;
    double hs_other = run.s_conn.machine_busy_s - run.s0.machine_busy_s - hs_cpu - run.sub_cpu_connect - run.main_cpu_connect;
    const char *sub_kind = !opt.have_sub ? "none" : opt.sub.ws ? "ws" : "sse";
    static const char *const modes[] = { "rate", "closed", "window" };

#define PER_CONN(f) per((double)run.s_idle.f - (double)run.s0.f, (double)opened)
    FILE *j = NULL;
    if (opt.json)
        j = !strcmp(opt.json, "-") ? stdout : fopen(opt.json, "w");
    if (opt.json && !j)
        die("cannot write %s", opt.json);
    if (j) {
        buf lb = { 0 }, e1 = { 0 }, e2 = { 0 };
        buf_json_escaped(&lb, opt.label ? opt.label : "", opt.label ? strlen(opt.label) : 0);
        buf_json_escaped(&e1, sub_error, strlen(sub_error));
        buf_json_escaped(&e2, pub.sample_error, strlen(pub.sample_error));
        fprintf(j, "{\n \"label\": \"%.*s\",\n", (int)lb.n, lb.p ? lb.p : "");
        fprintf(j, " \"config\": {\"subscribers\": %u, \"kind\": \"%s\", \"tls\": %s, \"channels\": %u, \"size\": %zu, \"mode\": \"%s\", "
                   "\"rate\": %g, \"concurrency\": %u, \"depth\": %u, \"batch\": %u, \"window\": %g, \"keepalive\": %s, \"duration_s\": %g, \"warmup_s\": %g},\n",
                opt.subs, sub_kind, opt.sub.tls || opt.pub.tls ? "true" : "false", opt.channels, opt.size,
                opt.have_pub ? modes[opt.mode] : "none", opt.rate, opt.lanes, opt.depth, opt.batch, opt.window,
                opt.keepalive ? "true" : "false", opt.duration, opt.warmup);
        fprintf(j, " \"connect\": {\"opened\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"dropped_later\": %" PRIu64 ", \"seconds\": %.3f, \"rate_per_s\": %.0f, "
                   "\"handshake_us\": {\"p50\": %.0f, \"p99\": %.0f, \"max\": %.0f}, \"server_cpu_us\": %.2f, \"generator_cpu_us\": %.2f, \"others_s\": %.3f, \"errors\": {",
                opened, failed, dropped, run.connect_s, per((double)opened, run.connect_s), hist_pct_us(&hs, 50),
                hist_pct_us(&hs, 99), (double)hs.max / 1e3, per(hs_cpu * 1e6, (double)opened), per(run.sub_cpu_connect * 1e6, (double)opened), hs_other);
        for (int k = 0; k < E_KINDS; k++)
            fprintf(j, "%s\"%s\": %u", k ? ", " : "", err_names[k], err[k]);
        fprintf(j, "}, \"statuses\": {");
        for (int k = 0, c = 0; k < 600; k++)
            if (status[k])
                fprintf(j, "%s\"%d\": %u", c++ ? ", " : "", k, status[k]);
        fprintf(j, "}, \"sample_error\": \"%.*s\"},\n", (int)e1.n, e1.p ? e1.p : "");
        fprintf(j, " \"memory\": {");
        const struct { const char *n; sample *s; } ms[] = { { "before", &run.s0 }, { "idle", &run.s_idle }, { "end", &run.s_end } };
        for (int k = 0; k < 3; k++)
            fprintf(j, "\"%s\": {\"procs\": %d, \"pss\": %" PRIu64 ", \"rss\": %" PRIu64 ", \"private\": %" PRIu64 ", \"tcp_mem\": %" PRIu64 ", \"slab\": %" PRIu64 "}, ",
                    ms[k].n, ms[k].s->procs, ms[k].s->pss, ms[k].s->rss, ms[k].s->priv, ms[k].s->tcp_mem, ms[k].s->slab);
        fprintf(j, "\"per_conn\": {\"pss\": %.0f, \"rss\": %.0f, \"private\": %.0f, \"tcp_mem\": %.0f, \"slab_both_ends\": %.0f, \"pss_end\": %.0f}},\n",
                PER_CONN(pss), PER_CONN(rss), PER_CONN(priv), PER_CONN(tcp_mem), PER_CONN(slab),
                per((double)run.s_end.pss - (double)run.s0.pss, (double)opened));
        fprintf(j, " \"idle\": {\"seconds\": %.2f, \"server_cpu_s\": %.6f, \"pings\": %" PRIu64 "},\n", (double)(run.s_hold.t - run.s_idle.t) / 1e9,
                run.s_hold.cpu_s - run.s_idle.cpu_s, run.pings);
        fprintf(j, " \"publish\": {\"sent\": %" PRIu64 ", \"ok\": %" PRIu64 ", \"failed\": %" PRIu64 ", \"seconds\": %.3f, \"rps\": %.1f, \"connects\": %" PRIu64 ", "
                   "\"max_lag_ms\": %.2f, \"late\": %" PRIu64 ", \"window_stalls\": %" PRIu64 ", \"response_us\": {\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, \"max\": %.1f}, \"statuses\": {",
                pub.sent, pub.ok, pub.failed, pub_s, per((double)pub.ok, ok_s), pub.connects, pub.max_lag_ms, pub.late, pub.stalls,
                hist_pct_us(&pub.lat, 50), hist_pct_us(&pub.lat, 90), hist_pct_us(&pub.lat, 99), hist_pct_us(&pub.lat, 99.9), (double)pub.lat.max / 1e3);
        for (int k = 0, c = 0; k < 600; k++)
            if (pub.status[k])
                fprintf(j, "%s\"%d\": %u", c++ ? ", " : "", k, pub.status[k]);
        fprintf(j, "}, \"sample_error\": \"%.*s\"},\n", (int)e2.n, e2.p ? e2.p : "");
        fprintf(j, " \"deliver\": {\"expected\": %" PRIu64 ", \"received\": %" PRIu64 ", \"unique\": %" PRIu64 ", \"lost\": %" PRId64 ", \"duplicates\": %" PRIu64 ", \"disorder\": %" PRIu64 ", "
                   "\"order_checked\": %s, \"misrouted\": %" PRIu64 ", \"foreign\": %" PRIu64 ", \"unmarked\": %" PRIu64 ", \"seconds\": %.3f, \"per_s\": %.0f, \"bytes\": %" PRIu64 ", \"bytes_each\": %.1f, "
                   "\"latency_us\": {\"n\": %" PRIu64 ", \"min\": %.1f, \"mean\": %.1f, \"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f, \"p99.9\": %.1f, \"max\": %.1f}},\n",
                pub.expected, received, unique, lost, dups, disorder, pub.order_checked ? "true" : "false", misrouted, foreign,
                unmarked, del_s, per((double)unique, del_s), bytes,
                per((double)(bytes - run.bytes_before), (double)received), lat.n, (double)lat.min / 1e3, per(lat.sum / 1e3, (double)lat.n),
                hist_pct_us(&lat, 50), hist_pct_us(&lat, 90), hist_pct_us(&lat, 99), hist_pct_us(&lat, 99.9), (double)lat.max / 1e3);
        fprintf(j, " \"cpu\": {\"wall_s\": %.3f, \"server_s\": %.3f, \"server_user_s\": %.3f, \"server_cores\": %.3f, \"subscriber_threads_s\": %.3f, \"publisher_thread_s\": %.3f, "
                   "\"others_s\": %.3f, \"steal_s\": %.3f, \"server_us_per_delivery\": %.4f, \"server_s_per_million\": %.4f, \"server_us_per_publish\": %.3f, "
                   "\"generator_us_per_delivery\": %.4f, \"generator_busiest\": %.3f, \"recvs_per_delivery\": %.3f, \"waits\": %" PRIu64 "},\n",
                wall, srv, run.p1.user_s - run.p0.user_s, per(srv, wall), run.sub_cpu_pub, run.pub_cpu, other, run.p1.steal_s - run.p0.steal_s,
                per(srv * 1e6, (double)unique), per(srv * 1e6, (double)unique), per(srv * 1e6, (double)pub.ok),
                per(run.sub_cpu_pub * 1e6, (double)unique), per(run.sub_cpu_pub / opt.threads, wall), per((double)recvs, (double)unique), waits);
        fprintf(j, " \"timed_out\": %s\n}\n", run.timed_out ? "true" : "false");
        if (j != stdout)
            fclose(j);
        else
            fflush(j);
        free(lb.p); free(e1.p); free(e2.p);
    }
    if (opt.quiet)
        return;
    FILE *o = stderr;
    fprintf(o, "== %s%s%s: %u %s subscribers, %u channels\n", opt.label ? opt.label : "wsload", opt.have_pub ? ", " : "",
            opt.have_pub ? modes[opt.mode] : "", opt.subs, sub_kind, opt.channels);
    if (opt.subs) {
        fprintf(o, "connect   %" PRIu64 " open, %" PRIu64 " failed, %" PRIu64 " dropped later; %.0f/s, handshake p50 %.2f p99 %.2f ms, server %.1f us cpu each\n",
                opened, failed, dropped, per((double)opened, run.connect_s), hist_pct_us(&hs, 50) / 1e3, hist_pct_us(&hs, 99) / 1e3, per(hs_cpu * 1e6, (double)opened));
        fprintf(o, "memory    per connection: pss %.0f, rss %.0f, private %.0f B; kernel tcp %.0f, slab (both ends) %.0f B\n",
                PER_CONN(pss), PER_CONN(rss), PER_CONN(priv), PER_CONN(tcp_mem), PER_CONN(slab));
    }
    if (failed && *sub_error)
        fprintf(o, "          first error: %.120s\n", sub_error);
    if (opt.have_pub) {
        fprintf(o, "publish   %" PRIu64 " sent, %" PRIu64 " ok, %" PRIu64 " failed; %.1f/s; response p50 %.2f p99 %.2f ms; max lag %.1f ms\n", pub.sent, pub.ok, pub.failed,
                per((double)pub.ok, ok_s), hist_pct_us(&pub.lat, 50) / 1e3, hist_pct_us(&pub.lat, 99) / 1e3, pub.max_lag_ms);
        if (pub.sample_error[0])
            fprintf(o, "          first error: %.120s\n", pub.sample_error);
        if (opt.subs) {
            fprintf(o, "deliver   %" PRIu64 " of %" PRIu64 ": lost %" PRId64 ", dup %" PRIu64 ", disorder %" PRIu64 "%s, misrouted %" PRIu64 ", foreign %" PRIu64 "; %.0f/s\n", unique, pub.expected,
                    lost, dups, disorder, pub.order_checked ? "" : " (unchecked)", misrouted, foreign, per((double)unique, del_s));
            fprintf(o, "latency   p50 %.2f  p90 %.2f  p99 %.2f  p99.9 %.2f  max %.2f ms\n", hist_pct_us(&lat, 50) / 1e3, hist_pct_us(&lat, 90) / 1e3,
                    hist_pct_us(&lat, 99) / 1e3, hist_pct_us(&lat, 99.9) / 1e3, (double)lat.max / 1e6);
        }
        fprintf(o, "cpu       wall %.2f s: server %.2f s (user %.2f; %.2f us/delivery, %.1f us/publish), subscribers %.2f s, publisher %.2f s, others %.2f s\n",
                wall, srv, run.p1.user_s - run.p0.user_s, per(srv * 1e6, (double)unique), per(srv * 1e6, (double)pub.ok), run.sub_cpu_pub, run.pub_cpu, other);
    }
#undef PER_CONN
}
