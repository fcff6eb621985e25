/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_pair.h"

probe_process server;
shmrpc_client *client;

void probe_pair_begin(const shmrpc_client_options *options)
{
    probe_case_begin();
    probe_process_start(&server, NULL);
    assert_status(probe_connect(&client, "probe", options), 0);
}

void probe_pair_end(void)
{
    shmrpc_client_free(client);
    client = NULL;
    probe_gate_open(&server);
    probe_process_stop(&server);
    probe_case_end();
}
