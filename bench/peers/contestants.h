/* SPDX-License-Identifier: Apache-2.0 */
/* contestants.h - the ways to call of bench/peers as contestants of the harness. */
#ifndef BENCH_PEERS_CONTESTANTS_H
#define BENCH_PEERS_CONTESTANTS_H

#include "../contestant.h"
#include "peer.h"

typedef enum peer_work {
    PEER_CALLS,   /* add(), one after another */
    PEER_FLIGHT,  /* add(), as many in flight as the setting says */
    PEER_PAYLOAD, /* echo(), of as many bytes as the setting says */
} peer_work;

/* Can it do that? */
bool peer_does(const peer *subject, peer_work work);

/* The contestant; the same one each time. NULL where it does not, or where there are too many. */
contestant *peer_contestant(const peer *subject, peer_work work);

#endif
