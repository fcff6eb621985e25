/* SPDX-License-Identifier: Apache-2.0 */
/*
 * futex.c - the reference where both sides sleep: a ping-pong in one line whose sides wait in the kernel at once.
 *
 * Each side writes, wakes the other one, and sleeps until the turn is its own. Two system calls a side and a switch to
 * the other one are what a call takes that finds its peer asleep, as far as this kernel has a way.
 *
 * Memory order: as in line.h. FUTEX_WAIT compares the turn itself before it sleeps, so no wake-up is lost.
 */
#include "../contestant.h"
#include "line.h"

#include <stddef.h>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

typedef struct futex {
    contestant base;
    line_walk walk;
} futex;

static int futex_open(contestant *self)
{
    return line_map(&CONTESTANT_OF(self, futex, base)->walk);
}

static void futex_close(contestant *self)
{
    line_unmap(&CONTESTANT_OF(self, futex, base)->walk);
}

static void pass_turn(line *shared, uint32_t turn)
{
    atomic_store_explicit(&shared->turn, turn, memory_order_release);
    syscall(SYS_futex, &shared->turn, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void await_turn(line *shared, uint32_t turn)
{
    for (;;) {
        const uint32_t seen = atomic_load_explicit(&shared->turn, memory_order_acquire);

        if (seen == turn) {
            return;
        }
        syscall(SYS_futex, &shared->turn, FUTEX_WAIT, seen, NULL, NULL, 0);
    }
}

static int futex_serve(contestant *self, const contestant_setting *setting, int ready)
{
    line *shared = CONTESTANT_OF(self, futex, base)->walk.lines;

    (void)setting;
    if (contestant_tell_ready(ready)) {
        return -1;
    }
    for (uint32_t position = 0;; position++) {
        line_operands operands;

        await_turn(shared, 2 * position + 1);
        operands = shared->operands;
        shared->sum = (int64_t)operands.left + operands.right;
        pass_turn(shared, 2 * position + 2);
    }
}

static int futex_call(contestant *self, uint32_t number)
{
    line *shared = CONTESTANT_OF(self, futex, base)->walk.lines;

    shared->operands = (line_operands){measure_left(number), MEASURE_RIGHT};
    pass_turn(shared, 2 * number + 1);
    await_turn(shared, 2 * number + 2);
    return shared->sum == measure_answer(number) ? 0 : -1;
}

static int futex_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    (void)setting;
    return measure_run(samples, self, futex_call);
}

contestant *futex_contestant(void)
{
    static futex raw = {
        .base =
            {
                .name = "futex",
                .summary = "raw ping-pong, both sides asleep",
                .slowness = 10,
                .open = futex_open,
                .serve = futex_serve,
                .measure = futex_measure,
                .close = futex_close,
            },
        .walk = {.count = 1},
    };

    return &raw.base;
}
