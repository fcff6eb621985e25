/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_handlers.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe_server.h"
#include "seal.h"

SHMRPC_SESSION_STATE(session_of, probe_session);

static probe_server *probe_of(shmrpc_server *server)
{
    return (probe_server *)(void *)((char *)server - offsetof(probe_server, base));
}

static probe_state *handler_begin(shmrpc_server *server)
{
    probe_state *state = probe_of(server)->state;

    atomic_fetch_add(&state->begun, 1);
    return state;
}

static int handler_end(probe_state *state, int status)
{
    atomic_fetch_add(&state->ended, 1);
    return status;
}

/* Waits for a byte, or for the gate's end. */
static void gate_wait(const probe_server *probe)
{
    char byte;
    ssize_t n;

    do
        n = read(probe->gate, &byte, 1);
    while (n < 0 && errno == EINTR);
}

/* Waits, and shows for which value. */
static void gate_hold(probe_server *probe, uint64_t value)
{
    atomic_store(&probe->state->holding, value);
    gate_wait(probe);
    atomic_store(&probe->state->holding, 0);
}

static void blob_invert(const probe_blob *request, probe_blob *reply)
{
    reply->value = request->value + 1;
    reply->length = request->length;
    for (uint32_t i = 0; i < request->length; i++)
        reply->bytes[i] = (uint8_t)~request->bytes[i];
}

int probe_handle_echo(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);

    (void)context;
    memcpy(reply, request, sizeof(probe_value));
    return handler_end(state, 0);
}

int probe_handle_blob(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);

    (void)context;
    blob_invert(request, reply);
    return handler_end(state, 0);
}

int probe_handle_fail(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);
    int code = (int)(int64_t)((const probe_value *)request)->value;
    probe_blob blob;

    (void)reply;
    switch (code) {
    case PROBE_ERROR_RANGE:
        code = shmrpc_context_throw(context, code, &(probe_range){.lowest = -5, .highest = 1000});
        break;
    case PROBE_ERROR_BLOB:
        probe_blob_fill(&blob, 77, 3000);
        code = shmrpc_context_throw(context, code, &blob);
        break;
    case PROBE_ERROR_BLOB + 1:
        probe_blob_fill(&blob, 77, 3000);
        blob.length = PROBE_BLOB_MAX + 1;
        code = shmrpc_context_throw(context, PROBE_ERROR_BLOB, &blob);
        break;
    default:
        if (code > PROBE_FAIL_BARE)
            code -= PROBE_FAIL_BARE;
        break;
    }
    return handler_end(state, code);
}

int probe_handle_check(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);
    const probe_flag *flag = request;

    (void)context;
    memcpy(reply, &(probe_flag){.flag = (uint8_t)flag->value, .value = flag->flag}, sizeof(probe_flag));
    return handler_end(state, 0);
}

int probe_handle_hold(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);

    (void)context;
    gate_hold(probe_of(server), ((const probe_value *)request)->value);
    memcpy(reply, request, sizeof(probe_value));
    return handler_end(state, 0);
}

int probe_handle_hold_blob(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);

    (void)context;
    gate_hold(probe_of(server), ((const probe_blob *)request)->value);
    blob_invert(request, reply);
    return handler_end(state, 0);
}

int probe_handle_note(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);
    probe_session *session = session_of(context->session);
    uint64_t value = ((const probe_value *)request)->value;

    (void)reply;
    if (value == 0)
        atomic_store(&state->notes_at_mark, atomic_load(&state->notes));
    session->count++;
    session->sum += value;
    atomic_fetch_add(&state->notes_sum, value);
    atomic_fetch_add(&state->notes, 1);
    return handler_end(state, 0);
}

int probe_handle_total(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);
    const probe_session *session = session_of(context->session);

    (void)request;
    memcpy(reply, &(probe_total){.count = session->count, .sum = session->sum}, sizeof(probe_total));
    return handler_end(state, 0);
}

int probe_handle_absent(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    (void)server;
    (void)context;
    (void)request;
    (void)reply;
    return SHMRPC_E_UNIMPLEMENTED;
}

int probe_handle_ping(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);
    bool fine = request == NULL && reply == NULL && context->session != NULL;

    return handler_end(state, fine ? 0 : SHMRPC_E_MISUSE);
}

int probe_handle_budget(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);

    (void)request;
    memcpy(reply, &(probe_value){(uint64_t)shmrpc_context_timeout_ns(context)}, sizeof(probe_value));
    return handler_end(state, 0);
}

int probe_handle_carried(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);
    const probe_blob *asked = request;
    probe_blob *blob = reply;
    char key[64] = "";
    const char *value;

    memcpy(key, asked->bytes, asked->length < sizeof(key) ? asked->length : sizeof(key) - 1);
    value = shmrpc_context_metadata(context, key);
    blob->value = (uint64_t)shmrpc_context_sent_ns(context);
    if (value != NULL) {
        blob->length = (uint32_t)strlen(value) + 1;
        memcpy(blob->bytes, value, blob->length);
    }
    return handler_end(state, 0);
}

int probe_handle_places(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);
    uint64_t value = ((const probe_blob *)request)->value;
    probe_blob payload;
    int rc = 0;

    atomic_store(&state->places, (probe_is_shared(request) ? 1 : 0) + (probe_is_shared(reply) ? 2 : 0));
    blob_invert(request, reply);
    if (value == PROBE_PLACES_INVALID)
        ((probe_blob *)reply)->length = PROBE_BLOB_MAX + 1;
    if (value == PROBE_PLACES_THROWS) {
        probe_blob_fill(&payload, 77, 3000);
        rc = shmrpc_context_throw(context, PROBE_ERROR_BLOB, &payload);
    }
    return handler_end(state, rc);
}

int probe_handle_counters(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);
    shmrpc_server_counts now = shmrpc_server_counters(server);
    probe_blob *blob = reply;

    (void)context;
    (void)request;
    blob->length = sizeof(now);
    memcpy(blob->bytes, &now, sizeof(now));
    return handler_end(state, 0);
}

int probe_handle_stop(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);

    (void)context;
    (void)request;
    (void)reply;
    shmrpc_server_stop(server);
    return handler_end(state, 0);
}

/* A server with traffic may look whether anything else has come, without waiting, and what time it is. */
int probe_handle_seal(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    static const int allowed[] = {
#ifdef SYS_epoll_wait
        SYS_epoll_wait,
#endif
        SYS_epoll_pwait,
        SYS_epoll_pwait2,
        SYS_clock_gettime,
    };
    probe_state *state = handler_begin(server);
    bool sealed =
        seal_system_calls(&state->forbidden_syscall, PROBE_EXIT_SYSCALL, allowed, sizeof(allowed) / sizeof(allowed[0]));

    (void)context;
    (void)request;
    (void)reply;
    return handler_end(state, sealed ? 0 : SHMRPC_E_SYSTEM);
}

/* The helper goes when the gate is opened, and says so when it has let go of all descriptors. */
int probe_handle_fork(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);
    pid_t pid = fork();

    (void)context;
    (void)request;
    (void)reply;
    if (pid == 0) {
        gate_wait(probe_of(server));
        for (int descriptor = 3; descriptor < 1024; descriptor++)
            close(descriptor);
        atomic_fetch_sub(&state->helpers, 1);
        _exit(0);
    }
    atomic_fetch_add(&state->helpers, pid > 0);
    return handler_end(state, pid > 0 ? 0 : SHMRPC_E_SYSTEM);
}

int probe_handle_linger(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);
    uint64_t most_ms = ((const probe_value *)request)->value;
    uint64_t until_ns = test_deadline_ns(most_ms <= PROBE_LINGER_MAX_MS ? (unsigned int)most_ms : 0);
    bool cancelled = false;

    (void)reply;
    while (!cancelled && test_remaining_ms(until_ns) > 0)
        cancelled = shmrpc_context_is_cancelled(context);
    atomic_fetch_add(&state->lingered, cancelled);
    return handler_end(state, 0);
}

int probe_handle_relay(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    probe_state *state = handler_begin(server);
    probe_server *probe = probe_of(server);
    uint64_t begin_ns = test_now_ns();
    int rc = 0;

    (void)context;
    gate_hold(probe, ((const probe_value *)request)->value);
    atomic_store(&state->relay_held_ns, (int64_t)(test_now_ns() - begin_ns));
    if (probe->beyond == NULL)
        rc = probe_connect(&probe->beyond, "beyond", NULL);
    if (rc == 0)
        rc = shmrpc_client_call(probe->beyond, PROBE_BUDGET, NULL, reply, shmrpc_forever());
    return handler_end(state, rc == 0 ? 0 : SHMRPC_E_UNAVAILABLE);
}

void probe_handle_connected(shmrpc_server *server, shmrpc_session *session)
{
    probe_state *state = probe_of(server)->state;
    probe_session *mine = session_of(session);
    shmrpc_peer peer = shmrpc_session_peer(session);
    const probe_session zero = {0};

    if (memcmp(mine, &zero, sizeof(zero)) != 0 || shmrpc_session_id(session) == 0)
        atomic_fetch_add(&state->lifecycle_errors, 1);
    mine->connected = 1;
    atomic_store(&state->peer_pid, peer.pid);
    atomic_store(&state->peer_uid, peer.uid);
    atomic_store(&state->peer_gid, peer.gid);
    atomic_store(&state->last_session, shmrpc_session_id(session));
    atomic_fetch_add(&state->connected, 1);
}

void probe_handle_disconnected(shmrpc_server *server, shmrpc_session *session, int why)
{
    probe_state *state = probe_of(server)->state;
    probe_session *mine = session_of(session);
    const size_t whys = sizeof(state->disconnected_why) / sizeof(state->disconnected_why[0]);

    if (mine->connected != 1 || why <= 0 || (size_t)why >= whys)
        atomic_fetch_add(&state->lifecycle_errors, 1);
    else
        atomic_fetch_add(&state->disconnected_why[why], 1);
    mine->connected = 2;
    atomic_fetch_add(&state->disconnected, 1);
}
