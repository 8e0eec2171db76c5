/* SPDX-License-Identifier: Apache-2.0 */
/* What a loop that leaves waits for, and for how long. */
#include "hand_fixture.h"

static void siblings(void)
{
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    heir.now = w.now;
    loop_of(&heir, 1);
    wsk_loop_stop(w.loop, false);
    go_on(150);
    is_int(at(&w), 1, "without a reload one waits whether all go");
    go_on(100);
    ok(w.over && at(&heir) == 1, "a sibling that stays takes them");
    close(who.fd);
    both_close();
}

static void all_go(void)
{
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    heir.now = w.now;
    loop_of(&heir, 1);
    wsk_loop_stop(w.loop, false);
    wsk_loop_stop(heir.loop, false);
    go_on(499);
    is_str(client_heard(&w, &who), "", "for half a second nobody is told");
    go_on(6100);
    has(client_heard(&w, &who), "close 1012", "then it is the end");
    is_int(w.loop->ngiven, 0, "and nothing was offered");
    close(who.fd);
    both_close();
}

static void hurry(void)
{
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    reload();
    go_on(100);
    wsk_loop_stop(w.loop, true);
    go_on(2);
    has(client_heard(&w, &who), "close 1012", "a hurry ends the wait");
    go_on(300);
    ok(w.over, "after a moment");
    close(who.fd);
    both_close();
}

/* Where one way of stopping is all there is. */
static void unsure(void)
{
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    w.loop->spec.unsure = true;
    wsk_loop_stop(w.loop, false);
    go_on(190);
    is_int(world_count(&w, WSK_C_drained), 0, "it may be a reload");
    go_on(20);
    is_int(world_count(&w, WSK_C_drained), 1, "or the end, in a hurry");
    close(who.fd);
    both_close();
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    w.loop->spec.unsure = true;
    wsk_loop_stop(w.loop, false);
    go_on(100);
    wsk_segment_mark(w.seg, WSK_MARK_RELOAD, 2);
    go_on(1000);
    heir_comes();
    go_on(50);
    ok(w.over && at(&heir) == 1, "a reload it was");
    close(who.fd);
    both_close();
}

static wsk_heirs_e httpd_says;

static wsk_heirs_e heirs(uint32_t generation)
{
    return generation == 1 ? httpd_says : WSK_HEIRS_RUN;
}

static void no_successor(void)
{
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    reload();
    wsk_segment_mark(w.seg, WSK_MARK_READ, 2);
    go_on(1900);
    is_int(world_count(&w, WSK_C_drained), 0, "children may take a moment");
    go_on(6200);
    is_int(world_count(&w, WSK_C_drained), 1, "but not for ever");
    close(who.fd);
    both_close();
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    w.loop->spec.heirs = heirs;
    reload();
    wsk_segment_mark(w.seg, WSK_MARK_READ, 2);
    go_on(1500);
    httpd_says = WSK_HEIRS_RUN; /* and may be one moment from their slots */
    go_on(2900);
    is_int(world_count(&w, WSK_C_drained), 0, "children of another segment");
    go_on(6300);
    is_int(world_count(&w, WSK_C_drained), 1, "take nobody");
    close(who.fd);
    both_close();
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    w.loop->spec.heirs = heirs;
    httpd_says = WSK_HEIRS_NO_PLACE;
    reload();
    go_on(3000);
    is_int(world_count(&w, WSK_C_drained), 0, "a full scoreboard");
    wsk_segment_mark(w.seg, WSK_MARK_READ, 2);
    go_on(500);
    is_int(world_count(&w, WSK_C_drained), 0, "is waited for a moment");
    go_on(6100);
    is_int(world_count(&w, WSK_C_drained), 1, "and no longer");
    close(who.fd);
    both_close();
    both_open();
    subscriber(&who, WSK_KIND_WS, "a");
    w.loop->spec.parent = 1 << 29;
    reload();
    go_on(6100);
    is_int(world_count(&w, WSK_C_drained), 1,
           "where httpd itself has died nobody comes");
    close(who.fd);
    both_close();
}

int main(void)
{
    siblings();
    all_go();
    hurry();
    unsure();
    no_successor();
    return done_testing();
}
