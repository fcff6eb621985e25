/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the alarm clock, whatever loop it runs in.
 *
 * An operation cannot wait: it keeps the call, and the loop answers it when its time has come.
 */
#ifndef ALARM_CLOCK_H
#define ALARM_CLOCK_H

#include "alarm.shm.h"

#define CLOCK_ALARMS 32
#define CLOCK_MOST_MS 10000

struct alarm_entry {
    alarm_ring_later later;
    alarm_bell reply;
    uint64_t due_ms;
    bool is_set;
};

struct alarm_clock {
    alarm_server server; /* first: an operation finds its clock by it */
    struct alarm_entry entries[CLOCK_ALARMS];
};

/* Serves under `name`; says why where it cannot. 0, or a status. */
int clock_init(struct alarm_clock *alarms, const char *name);

/* Answers what is due. Returns the milliseconds until the next alarm, or -1 where none is set. */
int clock_ring(struct alarm_clock *alarms);

#endif
