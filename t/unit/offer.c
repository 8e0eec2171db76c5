/* SPDX-License-Identifier: Apache-2.0 */
#include "store/wsk_offer.h"

#include "store_fixture.h"

#include <signal.h>

static wsk_segment_t *seg;
static unsigned giver, taker;
static wsk_offer_t offer;

static void begin(void)
{
    seg = store_new(4, 4, 2, 10);
    giver = (unsigned)wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON);
    taker = (unsigned)wsk_slot_claim(seg, WSK_SLOT_CHILD, 2, 2, NOON);
    wsk_offer_make(seg, giver, &offer);
}

static void end(void)
{
    wsk_slot_release(seg, giver);
    wsk_slot_release(seg, taker);
    store_end(seg);
}

static void taken(void)
{
    begin();
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_OPEN, "an offer is open");
    ok(wsk_offer_hold(seg, &offer, taker), "one can hold it");
    ok(!wsk_offer_hold(seg, &offer, giver), "and no second");
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_HELD, "it is held");
    ok(!wsk_offer_withdraw(seg, &offer), "then it cannot be withdrawn");
    wsk_offer_settle(seg, &offer, giver, WSK_OFFER_TAKEN);
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_HELD,
           "nobody else can say what becomes of it");
    wsk_offer_settle(seg, &offer, taker, WSK_OFFER_TAKEN);
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_TAKEN, "it is taken");
    wsk_offer_settle(seg, &offer, taker, WSK_OFFER_REFUSED);
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_TAKEN, "for good");
    wsk_offer_end(seg, &offer);
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_FREE, "and over");
    end();
}

static void refused(void)
{
    begin();
    wsk_offer_hold(seg, &offer, taker);
    wsk_offer_settle(seg, &offer, taker, WSK_OFFER_REFUSED);
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_REFUSED, "one is refused");
    wsk_offer_end(seg, &offer);
    wsk_offer_make(seg, giver, &offer);
    wsk_offer_hold(seg, &offer, taker);
    wsk_offer_settle(seg, &offer, taker, WSK_OFFER_RETURNED);
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_RETURNED, "one returned");
    end();
}

static void withdrawn(void)
{
    wsk_offer_t again;

    begin();
    ok(wsk_offer_withdraw(seg, &offer), "an open offer can be withdrawn");
    ok(!wsk_offer_withdraw(seg, &offer), "once");
    ok(!wsk_offer_hold(seg, &offer, taker), "who comes late cannot hold it");
    wsk_offer_make(seg, giver, &again);
    ok(again.number == offer.number && again.name != offer.name,
       "its place has another name then");
    ok(!wsk_offer_hold(seg, &offer, taker), "which the old packet has not");
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_FREE, "nor its giver");
    wsk_offer_end(seg, &offer);
    is_int(wsk_offer_look(seg, &again), WSK_OFFER_OPEN,
           "nor does the end of the old one touch it");
    end();
}

static void bounds(void)
{
    wsk_offer_t more, foreign;
    unsigned i, n = 1;

    begin();
    for (i = 0; i < 2 * WSK_OFFERS; i++) {
        n += wsk_offer_make(seg, giver, &more);
    }
    is_int(n, WSK_OFFERS, "a slot has so many offers");
    foreign = offer;
    foreign.slot = 4;
    ok(!wsk_offer_hold(seg, &foreign, taker), "a slot that is none");
    foreign = offer;
    foreign.number = WSK_OFFERS;
    ok(!wsk_offer_hold(seg, &foreign, taker), "a number that is none");
    is_int(wsk_offer_look(seg, &foreign), WSK_OFFER_FREE, "is nothing");
    wsk_slot_release(seg, giver);
    ok(!wsk_offer_hold(seg, &offer, taker), "offers go with their slot");
    giver = (unsigned)wsk_slot_claim(seg, WSK_SLOT_CHILD, 1, 1, NOON);
    ok(wsk_offer_make(seg, giver, &more) && more.name != offer.name,
       "and who has it next uses no name again");
    end();
}

static void taker_dies(void)
{
    pid_t pid;

    begin();
    pid = fork();
    if (pid == 0) {
        wsk_offer_hold(
            seg, &offer,
            (unsigned)wsk_slot_claim(seg, WSK_SLOT_CHILD, 3, 2, NOON));
        kill(getpid(), SIGKILL);
    }
    waitpid(pid, NULL, 0);
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_HELD, "it is held by one");
    wsk_slot_sweep(seg);
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_ORPHAN,
           "who is found to be dead");
    ok(wsk_slot_claim(seg, WSK_SLOT_CHILD, 4, 2, NOON) >= 0,
       "another may have its slot");
    is_int(wsk_offer_look(seg, &offer), WSK_OFFER_ORPHAN, "but not its offer");
    end();
}

int main(void)
{
    taken();
    refused();
    withdrawn();
    bounds();
    taker_dies();
    return done_testing();
}
