/* SPDX-License-Identifier: Apache-2.0 */
/* What wsk_frame holds, and when it copies. */
#include "proto/wsk_frame.h"

#include <sys/resource.h>
#include <sys/wait.h>

#include "frame_ways.h"

#if defined(__SANITIZE_ADDRESS__)
#define WITH_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_ASAN 1
#endif
#endif
#ifndef WITH_ASAN
#define WITH_ASAN 0
#endif

/* Without this the sanitizer ends the program where malloc should fail. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=48";
}

#define BIG ((size_t)50 << 20)

static void copies(void)
{
    play_t p;

    start();
    FRAME(0x81, "whole");
    FRAME(0x82, "");
    FRAME(0x89, "ping");
    FRAME(0x81, "and another");
    play_init(&p, &roomy, &edge);
    play_feed(&p, input, input_len);
    is_int(p.in_place, 4, "whole frames are handed out from the input");
    start();
    FRAME(0x01, "in ");
    FRAME(0x89, "ping");
    FRAME(0x00, "");
    FRAME(0x00, "three ");
    FRAME(0x80, "fragments");
    FRAME(0x01, "and ");
    FRAME(0x80, "again");
    play_feed(&p, input, input_len);
    is_int(p.in_place, 7, "so are fragments which are all there");
    ok(p.broken == NULL && wsk_frame_in_idle(&p.in), "and nothing is held");
    start();
    FRAME(0x01, "not ");
    FRAME(0x80, "here");
    FRAME(0x81, "whole");
    play_feed(&p, input, 12);
    play_feed(&p, input + 12, input_len - 12);
    is_int(p.in_place, 8, "what came in two calls is not, what follows is");
    is_int(p.events, 9, "all was handed out");
    play_end(&p);
}

static void headers_reserve_nothing(void)
{
    static const wsk_frame_limits_t no_limit = { UINT64_MAX, 10 };
    play_t p;

    start();
    add_head(0x82, 8, UINT32_MAX);
    play_init(&p, &no_limit, &edge);
    play_feed(&p, input, input_len);
    is_int(p.code, 0, "a header that claims 4 GiB and may");
    ok(p.in.held == NULL, "reserves nothing");
    play_feed(&p, "x", 1);
    ok(p.in.held_cap <= 4096, "one byte later there is a little");
    ok(p.broken == NULL, "as promised");
    play_end(&p);
    start();
    add_head(0x82, 8, UINT64_C(1) << 40);
    play_init(&p, &no_limit, &edge);
    play_feed(&p, input, input_len);
    is_int(p.code, 1009, "a header that claims 2^40 is refused");
    ok(p.in.held == NULL, "and reserves nothing");
    play_end(&p);
    start();
    add_head(0x89, 0, 125);
    play_init(&p, &no_limit, &edge);
    play_feed(&p, input, input_len);
    ok(p.in.control == NULL, "nor does the header of a ping");
    play_end(&p);
}

/* Every allocation is seen as a new held_cap. */
static unsigned growths(play_t *p, size_t total)
{
    uint32_t cap = 0;
    unsigned count = 0;
    size_t i;

    for (i = 0; i < total && p->broken == NULL; i++) {
        play_feed(p, "x", 1);
        count += p->in.held_cap != cap && p->in.held_cap > 0;
        cap = p->in.held_cap;
    }
    return count;
}

static void growth(void)
{
    static const wsk_frame_limits_t exact = { 100000, 10 };
    play_t p;
    unsigned count;

    start();
    add_head(0x02, 8, 100000);
    play_init(&p, &exact, &edge);
    play_feed(&p, input, input_len);
    count = growths(&p, 100000);
    ok(count > 0 && count < 12, "100000 bytes one by one: %u allocations",
       count);
    is_int(p.in.held_len, 100000, "all are held");
    is_int(p.in.held_cap, 100000, "and no more than a message may have");
    ok(p.broken == NULL, "as promised, at every byte");
    play_end(&p);

    start();
    add_head(0x82, 2, 700);
    play_init(&p, &roomy, &edge);
    play_feed(&p, input, input_len);
    growths(&p, 600);
    is_int(p.in.held_cap, 700, "the last frame says how much it will be");
    growths(&p, 100);
    ok(p.events == 1 && wsk_frame_in_idle(&p.in) && p.broken == NULL,
       "and when it was handed out nothing is left");
    play_end(&p);
}

/* A message for which there is no memory. */
static int feed_big(uint8_t *bytes)
{
    static const wsk_frame_limits_t no_limit = { UINT64_MAX, 10 };
    unsigned code;
    play_t p;

    start();
    add_head(0x02, 8, 2 * BIG);
    play_init(&p, &no_limit, &edge);
    play_feed(&p, input, input_len);
    code = wsk_frame_feed(&p.in, &no_limit, &play_handler, &p, bytes, BIG);
    return code == WSK_CLOSE_TRY_LATER && p.in.held == NULL
           && !wsk_frame_in_idle(&p.in);
}

/* A record of one. */
static int load_big(uint8_t *bytes)
{
    static const uint8_t head[WSK_FRAME_SAVE_MIN] = { 1, 0,
                                                      WSK_OP_BINARY, [15] = 1 };
    const size_t held = BIG - sizeof(head);
    wsk_frame_in_t in;
    size_t i;

    memcpy(bytes, head, sizeof(head));
    for (i = 0; i < 4; i++) {
        bytes[16 + i] = (uint8_t)(held >> 8 * (3 - i));
    }
    return wsk_frame_in_load(&in, bytes, BIG) == WSK_ENOMEM && in.held == NULL
           && wsk_frame_in_idle(&in);
}

/* Let so little address space be left that the bytes do not fit twice. */
static int little_memory(void)
{
    FILE *file = fopen("/proc/self/statm", "r");
    struct rlimit limit = { 0, 0 };
    unsigned long pages = 0;
    int found;

    if (file == NULL) {
        return 0;
    }
    found = fscanf(file, "%lu", &pages);
    fclose(file);
    limit.rlim_cur = limit.rlim_max = pages
                                          * (unsigned long)sysconf(_SC_PAGESIZE)
                                      + BIG / 2;
    return found == 1 && (WITH_ASAN || setrlimit(RLIMIT_AS, &limit) == 0);
}

/* @return what became of a child of little memory that runs `what` */
static int in_child(int (*what)(uint8_t *), uint8_t *bytes)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        _exit(little_memory() && what(bytes) ? 42 : 1);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status)
               ? WEXITSTATUS(status)
               : -1;
}

static void no_memory(void)
{
    edge_t big = edge_make(BIG);

    start();
    is_int(in_child(feed_big, big.start), 42,
           "without memory for a message: 1013, and nothing is held");
    is_int(in_child(load_big, big.start), 42,
           "without memory for a saved one: WSK_ENOMEM, and nothing is held");
    edge_free(&big);
}

int main(void)
{
    copies();
    headers_reserve_nothing();
    growth();
    no_memory();
    return done_testing();
}
