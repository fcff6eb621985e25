/* SPDX-License-Identifier: Apache-2.0 */
/*
 * probe_service.h - a service that tests poke at, with its tables written by hand.
 *
 * Generated code is one user of shmrpc/generated.h; this file is another, so that tests can say what no schema says:
 * handlers that answer with rubbish, operations that are missing, tables of another schema. Each method shows one
 * property of the transport; what it does is beside its number below.
 *
 * The messages: `value` and `flag` fit into a slot, `blob` may need a block and is trimmed to its length. Only the
 * flag (a bool) and the blob's length can be invalid.
 */
#ifndef SHMRPC_TEST_PROBE_SERVICE_H
#define SHMRPC_TEST_PROBE_SERVICE_H

#include <shmrpc/client.h>
#include <shmrpc/generated.h>
#include <shmrpc/server.h>

#define PROBE_NAME "test.ipc.Probe"
#define PROBE_BLOB_MAX 4004

typedef struct probe_value {
    uint64_t value;
} probe_value;

typedef struct probe_flag {
    uint8_t flag; /* 0 or 1 */
    uint8_t padding[7];
    uint64_t value; /* of a request: the flag that the reply shall have */
} probe_flag;

typedef struct probe_range {
    int64_t lowest;
    int64_t highest;
} probe_range;

typedef struct probe_blob {
    uint64_t value;
    uint32_t length;
    uint8_t bytes[PROBE_BLOB_MAX];
} probe_blob;

typedef struct probe_total {
    uint64_t count;
    uint64_t sum;
} probe_total;

enum {
    PROBE_ERROR_PLAIN = 1,
    PROBE_ERROR_RANGE = 2, /* probe_range */
    PROBE_ERROR_BLOB = 9,  /* probe_blob */
};

enum {
    PROBE_ECHO,  /* value -> value: the same */
    PROBE_BLOB,  /* blob -> blob: value + 1, each byte inverted */
    PROBE_FAIL,  /* value -> value throws: returns (int)value; 2 and 9 with payload, 10 throws 9 with an invalid one */
    PROBE_CHECK, /* flag -> flag: replies with `value` as the flag */
    PROBE_HOLD,  /* value -> value: waits at the gate first */
    PROBE_HOLD_BLOB, /* blob -> blob: waits at the gate first, then as PROBE_BLOB */
    PROBE_NOTE,      /* oneway value: adds to the session's total, and to what the process notes; 0 is a mark */
    PROBE_TOTAL,     /* () -> total: the session's */
    PROBE_ABSENT,    /* () -> (): has no operation */
    PROBE_PING,      /* () -> () */
    PROBE_BUDGET,    /* () -> value: shmrpc_context_timeout_ns() */
    PROBE_COUNTERS,  /* () -> blob: the bytes of a shmrpc_server_counts */
    PROBE_STOP,      /* () -> (): calls shmrpc_server_stop() */
    PROBE_SEAL,      /* () -> (): from here on the process may make no system call but those of a waiting server */
    PROBE_FORK,      /* () -> (): forks a helper, which has all that the server has, until the gate is opened */
    PROBE_LINGER,    /* value -> (): until shmrpc_context_is_cancelled(), but at most so many milliseconds */
    PROBE_RELAY, /* value -> value: waits at the gate, then asks the server "beyond" for PROBE_BUDGET, without end */
    PROBE_CARRIED, /* blob (a key, of at most 63 bytes) -> blob: value is when the call was sent; what the key stands for */
    /* blob -> blob throws: as PROBE_BLOB; notes whether request and reply are in memory that is shared */
    PROBE_PLACES,
    PROBE_METHODS,
};

extern const shmrpc_type_info probe_value_type, probe_flag_type, probe_range_type, probe_blob_type, probe_total_type;
extern const shmrpc_errors_info probe_errors;
extern const shmrpc_service_info probe_service;

/* Values for PROBE_PLACES: it throws PROBE_ERROR_BLOB, or answers with what is not valid. */
#define PROBE_PLACES_THROWS 123456
#define PROBE_PLACES_INVALID 123457

/* A request for more than this lingers not at all: a peer that sends rubbish is not to hold the server. */
#define PROBE_LINGER_MAX_MS 60000

/* Added to a code for PROBE_FAIL: the handler returns it without throwing its payload. */
#define PROBE_FAIL_BARE 100000

/*
 * A table of one's own that begins as a copy of the above: for servers and clients of another schema. `info`
 * points into it, so it stays where it is.
 */
typedef struct probe_schema {
    shmrpc_method_info methods[PROBE_METHODS];
    shmrpc_service_info info;
} probe_schema;

void probe_schema_init(probe_schema *schema);

/* A blob of `length` bytes whose contents follow from `value`; and whether one is the answer to that request. */
void probe_blob_fill(probe_blob *blob, uint64_t value, uint32_t length);
bool probe_blob_answers(const probe_blob *reply, uint64_t value, uint32_t length);

/* The client's side, typed. */
SHMRPC_NODISCARD int probe_connect(shmrpc_client **ret, const char *name, const shmrpc_client_options *options);
SHMRPC_NODISCARD int probe_echo(shmrpc_client *client, uint64_t value, uint64_t *ret, shmrpc_deadline deadline);
SHMRPC_NODISCARD int probe_hold(shmrpc_client *client, uint64_t value, uint64_t *ret, shmrpc_deadline deadline);
SHMRPC_NODISCARD int probe_fail(shmrpc_client *client, int code, uint64_t *ret, shmrpc_deadline deadline);
SHMRPC_NODISCARD int probe_note(shmrpc_client *client, uint64_t value, shmrpc_deadline deadline);
SHMRPC_NODISCARD int probe_get_total(shmrpc_client *client, probe_total *ret);
SHMRPC_NODISCARD int probe_get_counters(shmrpc_client *client, shmrpc_server_counts *ret);
SHMRPC_NODISCARD int probe_ping(shmrpc_client *client, shmrpc_deadline deadline);

/* A round of calls with values of its own, in slots and in blocks: true where every answer is right. */
bool probe_answers_rightly(shmrpc_client *client, uint64_t first_value, uint32_t calls);

#endif
