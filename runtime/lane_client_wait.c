/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lane_client_wait.c - the calling end of a lane waits: it spins, then sleeps.
 */
#include "error.h"
#include "lane_client_core.h"
#include "platform/barrier.h"
#include "platform/clock.h"
#include "platform/cpu.h"
#include "platform/futex.h"

#include <errno.h>

/* Looks, and pauses, before the clock is read for the first time, and between two readings: one to four microseconds. */
#define SPINS_FIRST 128
#define SPINS_MORE 64
/*
 * How often a waiting caller asks whether the server lives: where an alarm will tell it, nobody and nothing depends on
 * its asking; where there is none, spinning and asleep.
 */
#define LOOK_WATCHED_NS INT64_C(1000000000)
#define LOOK_SPINNING_NS INT64_C(10000000)
#define LOOK_ASLEEP_NS INT64_C(100000000)

/*
 * Sleeps until the server wakes whoever made this wish, an alarm, or nap_ns. Where one cannot wait for two things,
 * alarms are not heard, and it sleeps LOOK_ASLEEP_NS at most. 0: somebody woke it; -errno.
 */
static int sleep_on(const lane_client *lane, uint32_t wish, int64_t nap_ns)
{
    lane_header *header = lane->memory.header;
    int rc;

    if (lane->memory.semaphores) {
        return shared_await_client_bell(header, nap_ns);
    }
    rc = futex_wait_either(&header->wish, wish, &lane->peer->alarm.word, nap_ns);
    if (rc == -ENOSYS) {
        rc = futex_wait(&header->wish, wish, nap_ns < LOOK_ASLEEP_NS ? nap_ns : LOOK_ASLEEP_NS);
    }
    return rc;
}

/* Is there what is waited for? */
static inline bool is_reached(const lane_client *lane, uint64_t position)
{
    return (position != 0 && is_terminal(lane, position)) || has_entry(lane);
}

/*
 * Makes the wish for this position (0: for none), which is to be looked at after it. The server is sure to look for a
 * wish after its reply to the last call that it can see; after those before it, it looks without a fence, which is then
 * made for it here. Where that fails, as where a filter of system calls came after the handshake, the wish is for the
 * last one.
 */
static uint32_t make_wish(const lane_client *lane, uint64_t position, uint32_t how)
{
    lane_header *header = lane->memory.header;
    uint64_t last = lane->next - lane->unsent - 1;

    how |= position == 0 ? 0 : WISH_CALL;
    if (position != 0 && position < last && lane->memory.membarrier) {
        shared_write_wish(header, wish_of(position, how));
        if (barrier_make() == 0) {
            return wish_of(position, how);
        }
        position = last;
    }
    shared_make_wish(header, wish_of(position, how));
    return wish_of(position, how);
}

/*
 * Sleeps until the position has its reply (where one is waited for), an entry of the inbox, an alarm, or nap_ns. True:
 * somebody woke it.
 *
 * No wish for entries is made where no call is known to have moved. There may be some, in slots that have not been
 * looked at, and entries for them. But there are as many entries as slots: calls in slots alone never take the last
 * ticket, and so never keep this position waiting (connection.c refuses smaller inboxes).
 */
static bool sleep_once(lane_client *lane, uint64_t position, int64_t nap_ns)
{
    uint32_t wish = make_wish(lane, position, lane->moved_count == 0 ? 0 : WISH_INBOX);
    int rc = 0;

    if (!is_reached(lane, position)) {
        rc = sleep_on(lane, wish, nap_ns);
    }
    shared_drop_wish(lane->memory.header);
    if (lane->armed != 0) {
        lane->armed = 0;
        lane->peer->disarmed(lane->peer);
    }
    return rc == 0;
}

/*
 * The word is neither the request that was sent nor terminal; or a later one is terminal before it.
 */
static bool is_broken(const lane_client *lane, uint64_t position)
{
    uint64_t last = lane->next - lane->unsent - 1;
    bool last_is_terminal = is_terminal(lane, last);
    uint32_t word = word_at(lane, position);

    return !word_is_terminal(word, position, lane->memory.shift) &&
           (last_is_terminal || word != word_request(position, lane->memory.shift));
}

/* Takes the alarm back, if it is set: what happens from here on sets it again. */
static bool take_alarm(lane_client *lane)
{
    if (!alarm_is_set(&lane->peer->alarm)) {
        return false;
    }
    alarm_clear(&lane->peer->alarm);
    return true;
}

/*
 * Waits for `position` after the first spin has not seen it: spins on for as long as that pays, then sleeps. Looks at
 * the peer when the alarm says so, when it was woken and there is no reply, and now and then; a reply that was
 * published before the peer's end counts.
 */
static int wait_long(lane_client *lane, uint64_t position, int64_t until_ns)
{
    int64_t now_ns = clock_now_ns();
    int64_t spin_until_ns = lane->spin.now_ns == 0 ? now_ns : clock_after_ns(lane->spin.now_ns);
    int64_t looked_ns = now_ns;
    bool has_spun = false;
    bool has_slept = false;

    for (;;) {
        bool look = false;

        if (is_reached(lane, position)) {
            if (has_spun && !has_slept) {
                spin_paid(&lane->spin);
            }
            return 0;
        }
        if (position != 0 && is_broken(lane, position)) {
            return error_set(SHMRPC_E_PROTOCOL, "the server wrote a word that is neither the request nor its reply");
        }
        if (now_ns >= until_ns) {
            /* A deadline within the time to spin: that has been spun for. */
            if (!has_slept && until_ns != 0 && lane->spin.now_ns != 0) {
                spin_slept(&lane->spin);
            }
            return error_set(SHMRPC_E_TIMEOUT, "no reply before the deadline");
        }
        if (now_ns < spin_until_ns) {
            int spins;

            has_spun = true;
            for (spins = 0; spins < SPINS_MORE && !is_reached(lane, position); spins++) {
                cpu_pause();
            }
            now_ns = clock_now_ns();
            look = now_ns - looked_ns >= (lane->peer->is_watched ? LOOK_WATCHED_NS : LOOK_SPINNING_NS);
        } else {
            int64_t left_ns = until_ns == CLOCK_NEVER ? CLOCK_NEVER : until_ns - now_ns;
            int64_t nap_ns = lane->peer->is_watched ? LOOK_WATCHED_NS : LOOK_ASLEEP_NS;
            bool woken;

            if (!has_slept) {
                has_slept = true;
                spin_slept(&lane->spin);
            }
            woken = sleep_once(lane, position, nap_ns < left_ns ? nap_ns : left_ns);
            now_ns = clock_now_ns();
            look = (woken && !is_reached(lane, position)) || now_ns - looked_ns >= nap_ns;
        }
        if (take_alarm(lane) || look) {
            int rc = lane->peer->look(lane->peer);

            if (rc != 0 && !is_reached(lane, position)) {
                return rc;
            }
            if (rc != 0) {
                alarm_set(&lane->peer->alarm); /* which was taken: the next one who waits is to hear of it, too */
                return 0;
            }
            looked_ns = now_ns;
        }
    }
}

/*
 * The first spin, which reads no clock: looks after so many pauses. Returns the terminal word without its marks, and how
 * many looks were in vain; 0: there is none yet, or it does not spin.
 */
static inline uint32_t spin_first(const lane_client *lane, uint64_t position, uint32_t pauses, uint32_t *ret_looks)
{
    const slot *at = region_slot(&lane->memory, position);
    const unsigned shift = lane->memory.shift;

    if (lane->spin.now_ns == 0) {
        return 0;
    }
    while (pauses-- != 0) {
        cpu_pause();
    }
    for (uint32_t looks = 0; looks < SPINS_FIRST; looks++) {
        uint32_t word = shared_load_word(at) & ~WORD_MARKS;

        if (word_is_terminal(word, position, shift)) {
            *ret_looks = looks;
            return word;
        }
        cpu_pause();
    }
    return 0;
}

/* The same for a call that was published at some time: nothing is learned from when it was found. */
static bool spin_again(lane_client *lane, uint64_t position)
{
    uint32_t looks = 0;

    if (spin_first(lane, position, FIRST_LOOK_START, &looks) == 0) {
        return false;
    }
    /* What is there at the first look came before, or while this thread was off its core. */
    if (looks != 0) {
        spin_paid(&lane->spin);
    }
    return true;
}

int lane_client_wait_for(lane_client *lane, uint64_t position, int64_t until_ns)
{
    return until_ns != 0 && position != 0 && spin_again(lane, position) ? 0 : wait_long(lane, position, until_ns);
}

/* A waiter waits for it. */
int lane_client_wait_late(lane_client *lane, lane_call call, int64_t timeout_ns)
{
    int rc;

    lane->spare.turn = TURN_NONE;
    lane->spare.until_ns = clock_after_ns(timeout_ns);
    lane_client_keep(lane, &call, &lane->spare);
    rc = lane_client_await(lane, &lane->spare);
    if (rc == 0 && lane->spare.state == WAITER_STOWED) {
        return 1;
    }
    if (rc == 0) {
        *lane_client_waiter(lane, call.position) = NULL;
    } else {
        lane_client_let_go(lane, &lane->spare);
    }
    lane->spare.position = 0;
    return rc;
}

bool lane_client_spin(lane_client *lane, uint64_t position)
{
    const uint32_t reply = word_reply(position, lane->memory.shift);
    uint32_t looks = 0;
    uint32_t word = spin_first(lane, position, first_look_pauses(&lane->first_look), &looks);

    if (word != 0 && first_look_found(&lane->first_look, looks)) {
        spin_paid(&lane->spin);
    }
    return word == reply;
}

int lane_client_wait(lane_client *lane, const lane_call *call, int64_t timeout_ns)
{
    int rc = lane->unsent == 0 ? 0 : lane_client_flush(lane);

    return rc != 0 || lane_client_spin(lane, call->position) ? rc : lane_client_wait_late(lane, *call, timeout_ns);
}

void lane_client_arm(lane_client *lane, uint64_t position)
{
    lane->armed = make_wish(lane, position, WISH_INBOX | WISH_POKE);
}

bool lane_client_has_news(const lane_client *lane)
{
    uint64_t first = first_unseen(lane);

    return (first != 0 && is_terminal(lane, first)) || has_entry(lane);
}

void lane_client_disarm(lane_client *lane)
{
    if (lane->armed != 0) {
        lane->armed = 0;
        shared_drop_wish(lane->memory.header);
    }
}
