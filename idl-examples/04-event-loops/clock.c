/* SPDX-License-Identifier: Apache-2.0 */
#include "clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static int ring(alarm_server *server, alarm_ring_context *context, const alarm_wish *request, alarm_bell *reply)
{
    struct alarm_clock *alarms = (struct alarm_clock *)server;
    const alarm_limits limits = {.alarms = CLOCK_ALARMS, .ms = CLOCK_MOST_MS};
    size_t i = 0;

    while (i < CLOCK_ALARMS && alarms->entries[i].is_set) {
        i++;
    }
    if (i == CLOCK_ALARMS || request->ms > CLOCK_MOST_MS) {
        return alarm_ring_throw_beyond_limits(context, &limits);
    }
    if (!alarm_bell_set_label(reply, request->label.text, request->label.length)) {
        return SHMRPC_E_INTERNAL;
    }
    alarms->entries[i].later = alarm_ring_defer(context);
    if (alarms->entries[i].later.base.id == 0) {
        return SHMRPC_E_LIMIT; /* shmrpc_last_error() says why it cannot be put off */
    }
    alarms->entries[i].reply = *reply;
    alarms->entries[i].due_ms = now_ms() + request->ms;
    alarms->entries[i].is_set = true;
    return SHMRPC_DEFERRED;
}

static int count(alarm_server *server, alarm_count_context *context, alarm_count_reply *reply)
{
    const struct alarm_clock *alarms = (const struct alarm_clock *)server;
    size_t i;

    (void)context;
    for (i = 0; i < CLOCK_ALARMS; i++) {
        reply->alarms += alarms->entries[i].is_set;
    }
    return 0;
}

static const alarm_ops operations = {.ring = ring, .count = count};

int clock_init(struct alarm_clock *alarms, const char *name)
{
    int rc = alarm_server_init(&alarms->server, &operations, name, NULL);

    if (rc != 0) {
        fprintf(stderr, "%s: %s\n", shmrpc_status_text(rc), shmrpc_last_error());
    }
    return rc;
}

int clock_ring(struct alarm_clock *alarms)
{
    uint64_t now = now_ms();
    uint64_t next = UINT64_MAX;
    size_t i;

    for (i = 0; i < CLOCK_ALARMS; i++) {
        struct alarm_entry *entry = &alarms->entries[i];

        if (!entry->is_set) {
            continue;
        }
        if (alarm_ring_later_is_cancelled(entry->later) || entry->due_ms <= now) {
            /* Where its caller has given up, nobody hears of it. */
            (void)alarm_ring_later_reply(entry->later, &entry->reply);
            entry->is_set = false;
        } else if (entry->due_ms < next) {
            next = entry->due_ms;
        }
    }
    return next == UINT64_MAX ? -1 : (int)(next - now);
}
