/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crowd.h - a server with many clients, in processes of their own: clients that stay connected and do nothing, one that
 * calls and is timed, and some that call as fast as they can.
 *
 * All functions are for the parent, within question_run(). They say on standard error why something failed, and return
 * -EINTR soon after a signal has come. Every process ends with its parent.
 */
#ifndef BENCH_CROWD_H
#define BENCH_CROWD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define CROWD_ANY_CORE (-1)
#define CROWD_CALLERS_MAX 64

typedef struct crowd {
    char name[32]; /* of the server */
    pid_t server;
    pid_t *holders; /* processes with clients that do nothing */
    uint32_t holder_count;
    uint32_t clients; /* that these have */
} crowd;

/*
 * Starts a server of this name for at most `clients` of them. 0 or -errno; to be ended in both cases, all zero if need be. `core`: that it is to stay
 * on, or CROWD_ANY_CORE.
 */
int crowd_begin(crowd *self, const char *name, uint32_t clients, uint32_t workers, int core);

/* A process more, that has as many further clients; each has made a call. `told`: called before it connects; or NULL. */
typedef int crowd_told(pid_t holder, void *data);
int crowd_add(crowd *self, uint32_t clients, int core, crowd_told *told, void *data);

void crowd_end(crowd *self);

/* One client more makes `calls` calls, each of them timed in `samples` (measure.h). */
struct measure_samples;
int crowd_time(const crowd *self, struct measure_samples *samples, int core);

/*
 * So many clients more, each a process, call at once for so long; ret_calls[callers]: how many calls each has made.
 * *ret_ns: for how long it was.
 */
int crowd_run(const crowd *self, uint32_t callers, int core, uint32_t ms, uint64_t *ret_calls, uint64_t *ret_ns);

/* Descriptors that a server needs for so many clients; 0 or -EMFILE, said why, where that is more than a process may have. */
int crowd_raise_descriptors(uint32_t clients);

#endif
