/* SPDX-License-Identifier: Apache-2.0 */
/* ------------------------------------------------------------------ 2. histogram */

/*
 * Log-linear: 128 sub-buckets for each power of two, so a bucket's width is
 * at most 1/128 of its value. Values are nanoseconds up to 2^41 (36 minutes).
 */
enum { HB = 7, HSUB = 1 << HB, HMAXBIT = 41, HBUCKETS = (HMAXBIT - HB + 1) * HSUB };

typedef struct {
    uint64_t n, max, min, b[HBUCKETS];
    double sum;
} hist;

static void hist_add(hist *h, uint64_t v)
{
    uint32_t i;
    if (v >= (UINT64_C(1) << HMAXBIT))
        v = (UINT64_C(1) << HMAXBIT) - 1;
    if (v < HSUB) {
        i = (uint32_t)v;
    } else {
        uint32_t e = 63u - (uint32_t)__builtin_clzll(v); /* >= HB */
        i = (e - HB + 1) * HSUB + (uint32_t)((v >> (e - HB)) - HSUB);
    }
    h->b[i]++;
    if (!h->n || v < h->min)
        h->min = v;
    if (v > h->max)
        h->max = v;
    h->n++;
    h->sum += (double)v;
}

static uint64_t hist_value(uint32_t i) /* upper edge of bucket i */
{
    if (i < HSUB)
        return i;
    uint32_t e = i / HSUB - 1 + HB;
    return ((uint64_t)(i % HSUB + HSUB + 1) << (e - HB)) - 1;
}

static void hist_merge(hist *a, const hist *b)
{
    if (!b->n)
        return;
    for (uint32_t i = 0; i < HBUCKETS; i++)
        a->b[i] += b->b[i];
    if (!a->n || b->min < a->min)
        a->min = b->min;
    if (b->max > a->max)
        a->max = b->max;
    a->n += b->n;
    a->sum += b->sum;
}

static double hist_pct_us(const hist *h, double pct)
{
    if (!h->n)
        return 0;
    uint64_t want = (uint64_t)(pct / 100.0 * (double)h->n + 0.5), seen = 0;
    if (want < 1)
        want = 1;
    for (uint32_t i = 0; i < HBUCKETS; i++) {
        seen += h->b[i];
        if (seen >= want) {
            uint64_t v = hist_value(i);
            return (double)(v < h->max ? v : h->max) / 1e3;
        }
    }
    return (double)h->max / 1e3;
}
