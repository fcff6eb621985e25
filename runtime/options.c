/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include "error.h"
#include "metadata.h"
#include "platform/clock.h"
#include "platform/cpu.h"
#include "platform/feature.h"
#include "slot.h"

#include <inttypes.h>

#define SPIN_ADAPTIVE_NS INT64_C(50000)
#define SESSIONS_LIMIT 65536u
#define WORKERS_LIMIT 64u
#define SESSION_STATE_LIMIT ((size_t)64 * 1024 * 1024)

static int check_depth(const char *option, uint32_t depth)
{
    if (depth == 0) {
        return 0;
    }
    if (depth > DEPTH_MAX) {
        return error_set(SHMRPC_E_TOO_LARGE, "%s is too large: %u, the limit is %u", option, depth, DEPTH_MAX);
    }
    if (depth < DEPTH_MIN || (depth & (depth - 1)) != 0) {
        return error_set(SHMRPC_E_MISUSE, "%s is %u: it has to be a power of two, at least %u", option, depth,
                         DEPTH_MIN);
    }
    return 0;
}

static int check_timeout(const char *option, int64_t timeout_ns)
{
    if (timeout_ns < 0) {
        return error_set(SHMRPC_E_MISUSE, "%s is below 0: %" PRId64, option, timeout_ns);
    }
    return 0;
}

static int check_spin(int64_t spin_ns)
{
    if (spin_ns < SHMRPC_SPIN_NONE) {
        return error_set(SHMRPC_E_MISUSE, "spin_ns is not a time: %" PRId64, spin_ns);
    }
    return 0;
}

static int check_arena(const char *option, uint64_t size)
{
    if (size > SHMRPC_ARENA_MOST) {
        return error_set(SHMRPC_E_TOO_LARGE, "%s is too large: %" PRIu64 ", the limit is %" PRIu64, option, size,
                         SHMRPC_ARENA_MOST);
    }
    return 0;
}

static int check_reserved(const uint32_t *reserved, size_t count)
{
    size_t i;

    for (i = 0; i < count; i++) {
        if (reserved[i] != 0) {
            return error_set(SHMRPC_E_MISUSE, "a reserved option is not zero: were the options initialised?");
        }
    }
    return 0;
}

/* What is asked for by the environment is asked of clients and servers alike. */
static int check_environment(void)
{
    const char *word = feature_unknown();

    if (word != NULL) {
        return error_set(SHMRPC_E_MISUSE, FEATURE_VARIABLE " names '%s'; known are %s", word, feature_names());
    }
    return 0;
}

int options_check_client(const shmrpc_client_options *options)
{
    int rc = check_environment();

    if (rc == 0) {
        rc = check_timeout("connect_timeout_ns", options->connect_timeout_ns);
    }
    if (rc == 0) {
        rc = check_timeout("call_timeout_ns", options->call_timeout_ns);
    }
    if (rc == 0) {
        rc = check_spin(options->spin_ns);
    }
    if (rc == 0) {
        rc = check_depth("depth", options->depth);
    }
    if (rc == 0 && options->blocks > BLOCKS_MAX) {
        rc = error_set(SHMRPC_E_TOO_LARGE, "blocks is too large: %u, the limit is %u", options->blocks, BLOCKS_MAX);
    }
    if (rc == 0 && options->retry_idempotent && !options->reconnect) {
        rc = error_set(SHMRPC_E_MISUSE, "retry_idempotent needs reconnect");
    }
    if (rc == 0 && options->metadata > METADATA_MAX) {
        rc = error_set(SHMRPC_E_TOO_LARGE, "metadata is too large: %u, the limit is %u", options->metadata,
                       METADATA_MAX);
    }
    if (rc == 0) {
        rc = check_arena("arena_size", options->arena_size);
    }
    return rc != 0 ? rc : check_reserved(options->reserved, sizeof(options->reserved) / sizeof(options->reserved[0]));
}

int options_check_server(const shmrpc_server_options *options)
{
    int rc = check_environment();

    if (rc == 0) {
        rc = check_spin(options->spin_ns);
    }
    if (rc == 0) {
        rc = check_timeout("handshake_timeout_ns", options->handshake_timeout_ns);
    }
    if (rc == 0) {
        rc = check_timeout("stop_timeout_ns", options->stop_timeout_ns);
    }
    if (rc == 0) {
        rc = check_depth("max_depth", options->max_depth);
    }
    if (rc == 0 && options->workers > WORKERS_LIMIT) {
        rc =
            error_set(SHMRPC_E_TOO_LARGE, "workers is too large: %u, the limit is %u", options->workers, WORKERS_LIMIT);
    }
    if (rc == 0 && options->max_sessions > SESSIONS_LIMIT) {
        rc = error_set(SHMRPC_E_TOO_LARGE, "max_sessions is too large: %u, the limit is %u", options->max_sessions,
                       SESSIONS_LIMIT);
    }
    if (rc == 0 && options->session_state_size > SESSION_STATE_LIMIT) {
        rc = error_set(SHMRPC_E_TOO_LARGE, "session_state_size is too large: %zu, the limit is %zu",
                       options->session_state_size, SESSION_STATE_LIMIT);
    }
    if (rc == 0) {
        rc = check_arena("max_arena_size", options->max_arena_size);
    }
    if (rc == 0 && (options->mode & ~0777u) != 0) {
        rc = error_set(SHMRPC_E_MISUSE, "mode is not permission bits: %#o", options->mode);
    }
    return rc != 0 ? rc : check_reserved(options->reserved, sizeof(options->reserved) / sizeof(options->reserved[0]));
}

int64_t options_timeout_ns(int64_t timeout_ns)
{
    return timeout_ns == 0 ? SHMRPC_DEFAULT_TIMEOUT_NS : timeout_ns;
}

spin options_spin(int64_t spin_ns)
{
    switch (spin_ns) {
    case SHMRPC_SPIN_NONE: return spin_for(0, false);
    case SHMRPC_SPIN_ADAPTIVE: return spin_for(cpu_online_count() > 1 ? SPIN_ADAPTIVE_NS : 0, true);
    case SHMRPC_SPIN_FOREVER: return spin_for(CLOCK_NEVER, false);
    default: return spin_for(spin_ns, false);
    }
}
