/* SPDX-License-Identifier: Apache-2.0 */
#include "witness.h"

probe_process witness_server;
shmrpc_client *witness;

static size_t server_fds;

void witness_expect_served(void)
{
    static uint64_t value = 1;

    value += 100;
    ck_assert(probe_answers_rightly(witness, value, 3));
}

shmrpc_server_counts witness_counters(void)
{
    shmrpc_server_counts now;

    assert_status(probe_get_counters(witness, &now), 0);
    return now;
}

uint64_t witness_turned_away(void)
{
    shmrpc_server_counts now = witness_counters();

    return now.sessions_dropped + now.sessions_refused;
}

static void setup(const shmrpc_service_info *service, int64_t handshake_timeout_ns)
{
    const shmrpc_server_options options = {.handshake_timeout_ns = handshake_timeout_ns};

    runtime_dir_make();
    probe_process_start(&witness_server, &(probe_setup){.service = service, .options = &options});
    assert_status(probe_connect(&witness, "probe", NULL), 0);
    witness_expect_served();
    server_fds = counts_fds_of(witness_server.child.pid);
}

void witness_setup(void)
{
    setup(NULL, INT64_MAX);
}

void witness_setup_with(const shmrpc_service_info *service)
{
    setup(service, INT64_MAX);
}

void witness_setup_impatient(void)
{
    setup(NULL, WITNESS_HANDSHAKE_NS);
}

void witness_teardown(void)
{
    witness_expect_served();
    ck_assert_int_eq(shmrpc_client_state(witness), SHMRPC_CLIENT_UP);
    await_true(counts_fds_of(witness_server.child.pid) == server_fds);
    await_true(witness_counters().sessions_open == 1);
    ck_assert_uint_eq(atomic_load(&witness_server.state->lifecycle_errors), 0);
    shmrpc_client_free(witness);
    probe_process_stop(&witness_server);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    runtime_dir_remove();
}
