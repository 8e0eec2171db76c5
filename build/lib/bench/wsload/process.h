/* SPDX-License-Identifier: Apache-2.0 */
/* ------------------------------------------------------------------ 4. process sampling */

typedef struct {
    double cpu_s;               /* user + system, whole tree; reaped children too, by ticks */
    double user_s;              /* the user part (the kernel splits by sampling ticks) */
    uint64_t pss, rss, priv;    /* bytes, whole tree */
    uint64_t tcp_mem, slab;     /* bytes, whole machine */
    double machine_busy_s;      /* whole machine, all cores */
    double steal_s;
    int procs;
    uint64_t t;
} sample;

static int server_pids[MAX_PIDS], n_server_pids;

static bool read_small(const char *path, char *out, size_t cap)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    size_t n = 0;
    ssize_t r;
    while (n < cap - 1 && (r = read(fd, out + n, cap - 1 - n)) > 0)
        n += (size_t)r;
    out[n] = 0;
    close(fd);
    return n > 0;
}

static uint64_t kb_field(const char *text, const char *name)
{
    const char *p = text;
    size_t n = strlen(name);
    while (p) {
        if (!strncmp(p, name, n))
            return strtoull(p + n, NULL, 10) * 1024;
        p = strchr(p, '\n');
        if (p)
            p++;
    }
    return 0;
}

static double clock_s(clockid_t c)
{
    struct timespec ts;
    return clock_gettime(c, &ts) ? 0 : (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* Of all its threads: in nanoseconds, where /proc has ticks. */
static double process_cpu_s(int pid)
{
    clockid_t c;
    return clock_getcpuclockid(pid, &c) ? 0 : clock_s(c);
}

/* All processes descending from the given ones. */
static void sample_tree(sample *s, bool memory)
{
    enum { MAXP = 8192 };
    static struct { int pid, ppid; uint64_t user, reaped; bool in; } pr[MAXP];
    int n = 0;
    DIR *d = opendir("/proc");
    if (!d)
        return;
    char path[64], text[4096];
    for (struct dirent *e; (e = readdir(d)) && n < MAXP;) {
        if (!isdigit((unsigned char)e->d_name[0]))
            continue;
        snprintf(path, sizeof path, "/proc/%.20s/stat", e->d_name);
        if (!read_small(path, text, sizeof text))
            continue;
        char *p = strrchr(text, ')'); /* the command may hold spaces */
        unsigned long long ut;
        long long cut, cst;
        int ppid;
        if (!p || sscanf(p + 2, "%*c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %llu %*u %lld %lld",
                         &ppid, &ut, &cut, &cst) != 4)
            continue;
        pr[n].pid = atoi(e->d_name);
        pr[n].ppid = ppid;
        pr[n].user = ut + (uint64_t)cut;
        pr[n].reaped = (uint64_t)(cut + cst);
        pr[n].in = false;
        for (int k = 0; k < n_server_pids; k++)
            if (server_pids[k] == pr[n].pid)
                pr[n].in = true;
        n++;
    }
    closedir(d);
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < n; i++)
            for (int j = 0; !pr[i].in && j < n; j++)
                if (pr[j].in && pr[j].pid == pr[i].ppid)
                    pr[i].in = more = true;
    }
    double hz = (double)sysconf(_SC_CLK_TCK);
    for (int i = 0; i < n; i++) {
        if (!pr[i].in)
            continue;
        s->procs++;
        s->cpu_s += process_cpu_s(pr[i].pid) + (double)pr[i].reaped / hz;
        s->user_s += (double)pr[i].user / hz;
        if (!memory)
            continue;
        snprintf(path, sizeof path, "/proc/%d/smaps_rollup", pr[i].pid);
        if (!read_small(path, text, sizeof text))
            continue;
        s->pss += kb_field(text, "Pss:");
        s->rss += kb_field(text, "Rss:");
        s->priv += kb_field(text, "Private_Clean:") + kb_field(text, "Private_Dirty:");
    }
}

static sample take_sample(bool memory)
{
    sample s = { .t = mono_ns() };
    static char text[65536];
    if (n_server_pids)
        sample_tree(&s, memory);
    if (read_small("/proc/net/sockstat", text, sizeof text)) {
        char *p = strstr(text, "TCP:"), *m = p ? strstr(p, " mem ") : NULL;
        if (m)
            s.tcp_mem = strtoull(m + 5, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
    }
    if (read_small("/proc/meminfo", text, sizeof text))
        s.slab = kb_field(text, "Slab:");
    if (read_small("/proc/stat", text, sizeof text)) {
        unsigned long long u, ni, sy, id, io, irq, si, st;
        double hz = (double)sysconf(_SC_CLK_TCK);
        if (sscanf(text, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &u, &ni, &sy, &id, &io, &irq, &si, &st) == 8) {
            s.machine_busy_s = (double)(u + ni + sy + irq + si) / hz;
            s.steal_s = (double)st / hz;
        }
    }
    return s;
}

static double thread_cpu_s(pthread_t t)
{
    clockid_t c;
    return pthread_getcpuclockid(t, &c) ? 0 : clock_s(c);
}
