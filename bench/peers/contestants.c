/* SPDX-License-Identifier: Apache-2.0 */
#include "contestants.h"

#include "../contestants/payload.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ENTRANTS_MAX 48

typedef struct entrant {
    contestant base;
    const peer *subject;
    peer_work work;
    peer_place place;
    uint32_t in_flight;
    size_t size;    /* of a payload */
    char *sent;     /* [size] */
    char *received; /* [size] */
} entrant;

int peer_tell_ready(const peer_place *place)
{
    return contestant_tell_ready(place->ready);
}

int peer_say(const char *name, const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s: %s\n", name, what, why);
    return -1;
}

static int entrant_open(contestant *self)
{
    entrant *own = CONTESTANT_OF(self, entrant, base);
    const char *directory = getenv("SHMRPC_DIR");
    peer_place *place = &own->place;

    if (!directory ||
        snprintf(place->directory, sizeof(place->directory), "%s", directory) >= (int)sizeof(place->directory) ||
        snprintf(place->socket, sizeof(place->socket), "%s/p", directory) >= (int)sizeof(place->socket)) {
        return -ENAMETOOLONG;
    }
    return own->subject->begin ? own->subject->begin(place) : 0;
}

static void entrant_close(contestant *self)
{
    entrant *own = CONTESTANT_OF(self, entrant, base);

    if (own->subject->end) {
        own->subject->end(&own->place);
    }
    unlink(own->place.socket); /* a server that was ended leaves it */
}

static int entrant_serve(contestant *self, const contestant_setting *setting, int ready)
{
    entrant *own = CONTESTANT_OF(self, entrant, base);

    own->place.ready = ready;
    own->place.shares_core = setting->shares_core;
    return own->subject->serve(&own->place);
}

static int call_add(contestant *self, uint32_t number)
{
    int64_t sum = 0;

    return CONTESTANT_OF(self, entrant, base)->subject->add(measure_left(number), MEASURE_RIGHT, &sum) == 0 &&
                   sum == measure_answer(number)
               ? 0
               : -1;
}

static int call_echo(contestant *self, uint32_t number)
{
    const entrant *own = CONTESTANT_OF(self, entrant, base);

    payload_stamp(own->sent, own->size, number);
    return own->subject->echo(own->sent, own->size, own->received) == 0 &&
                   payload_is_of(own->received, own->size, number)
               ? 0
               : -1;
}

/* Starts calls until so many are in flight, waits for the oldest, starts the next. */
static uint32_t add_many(contestant *self, uint32_t number, uint32_t count)
{
    const entrant *own = CONTESTANT_OF(self, entrant, base);
    uint32_t started = 0, done = 0;

    while (done < count) {
        if (started < count && started - done < own->in_flight) {
            if (own->subject->start(measure_left(number + started), MEASURE_RIGHT) != 0) {
                return done;
            }
            started++;
        } else {
            int64_t sum = 0;

            if (own->subject->finish(&sum) != 0 || sum != measure_answer(number + done)) {
                return done;
            }
            done++;
        }
    }
    return done;
}

static int measure_echo(entrant *own, measure_samples *samples)
{
    int r = -1;

    own->sent = malloc(own->size);
    own->received = malloc(own->size);
    if (own->sent && own->received) {
        payload_fill(own->sent, own->size);
        payload_fill(own->received, own->size); /* faults its pages in */
        r = measure_run(samples, &own->base, call_echo);
    }
    free(own->sent);
    free(own->received);
    return r;
}

static int entrant_measure(contestant *self, const contestant_setting *setting, measure_samples *samples)
{
    entrant *own = CONTESTANT_OF(self, entrant, base);
    int r = -1;

    own->place.shares_core = setting->shares_core;
    own->in_flight = setting->in_flight;
    own->size = setting->payload;
    if (own->subject->connect(&own->place) != 0) {
        return -1;
    }
    switch (own->work) {
    case PEER_CALLS: r = measure_run(samples, self, call_add); break;
    case PEER_FLIGHT: r = measure_rate(samples, self, add_many); break;
    case PEER_PAYLOAD: r = measure_echo(own, samples); break;
    }
    if (own->subject->disconnect) {
        own->subject->disconnect();
    }
    return r;
}

bool peer_does(const peer *subject, peer_work work)
{
    switch (work) {
    case PEER_CALLS: return true;
    case PEER_FLIGHT: return subject->start != NULL;
    case PEER_PAYLOAD: return subject->echo != NULL;
    }
    return false;
}

contestant *peer_contestant(const peer *subject, peer_work work)
{
    static entrant entrants[ENTRANTS_MAX];
    static size_t count;

    for (size_t i = 0; i < count; i++) {
        if (entrants[i].subject == subject && entrants[i].work == work) {
            return &entrants[i].base;
        }
    }
    if (count == ENTRANTS_MAX || !peer_does(subject, work)) {
        return NULL;
    }
    entrants[count] = (entrant){
        .base =
            {
                .name = subject->name,
                .summary = subject->summary,
                .slowness = subject->slowness,
                .open = entrant_open,
                .serve = entrant_serve,
                .measure = entrant_measure,
                .close = entrant_close,
            },
        .subject = subject,
        .work = work,
    };
    return &entrants[count++].base;
}
