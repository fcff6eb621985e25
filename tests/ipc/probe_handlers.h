/* SPDX-License-Identifier: Apache-2.0 */
/* probe_handlers.h - what the probe service does; probe_service.h says it method by method. */
#ifndef SHMRPC_TEST_PROBE_HANDLERS_H
#define SHMRPC_TEST_PROBE_HANDLERS_H

#include <shmrpc/generated.h>

/* What a session of the probe service has for itself. */
typedef struct probe_session {
    uint64_t connected; /* 1 between connected() and disconnected() */
    uint64_t count;
    uint64_t sum;
} probe_session;

shmrpc_invoke probe_handle_echo, probe_handle_blob, probe_handle_fail, probe_handle_check, probe_handle_hold,
    probe_handle_hold_blob, probe_handle_note, probe_handle_total, probe_handle_absent, probe_handle_ping,
    probe_handle_budget, probe_handle_counters, probe_handle_stop, probe_handle_seal, probe_handle_fork,
    probe_handle_linger, probe_handle_relay, probe_handle_carried, probe_handle_places;

shmrpc_connected_function probe_handle_connected;
shmrpc_disconnected_function probe_handle_disconnected;

#endif
