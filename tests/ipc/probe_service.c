/* SPDX-License-Identifier: Apache-2.0 */
#include "probe_service.h"

#include <string.h>

#include "probe_handlers.h"

/* ---- messages ---- */

static bool flag_validate(const void *message, shmrpc_fault *ret_fault)
{
    const probe_flag *flag = message;

    if (flag->flag <= 1)
        return true;
    *ret_fault = (shmrpc_fault){.field = "flag", .reason = "not a bool", .value = flag->flag, .limit = 1};
    return false;
}

static size_t flag_store(void *to, const void *message)
{
    const probe_flag *flag = message;

    memcpy(to, &(probe_flag){.flag = flag->flag, .value = flag->value}, sizeof(*flag));
    return sizeof(*flag);
}

static bool blob_validate(const void *message, shmrpc_fault *ret_fault)
{
    const probe_blob *blob = message;

    if (blob->length <= PROBE_BLOB_MAX)
        return true;
    *ret_fault =
        (shmrpc_fault){.field = "bytes", .reason = "longer than 4004", .value = blob->length, .limit = PROBE_BLOB_MAX};
    return false;
}

static size_t blob_store(void *to, const void *message)
{
    const probe_blob *blob = message;
    size_t used = offsetof(probe_blob, bytes) + blob->length;
    size_t rounded = (used + 7) & ~(size_t)7;

    memcpy(to, blob, used);
    memset((char *)to + used, 0, rounded - used);
    return rounded;
}

static size_t blob_used(const void *message)
{
    return offsetof(probe_blob, bytes) + ((const probe_blob *)message)->length;
}

const shmrpc_type_info probe_value_type = {
    .name = "test.ipc.Value",
    .fingerprint = UINT64_C(0x1111111111111111),
    .size = sizeof(probe_value),
    .min_size = sizeof(probe_value),
};

const shmrpc_type_info probe_flag_type = {
    .name = "test.ipc.Flag",
    .fingerprint = UINT64_C(0x2222222222222222),
    .size = sizeof(probe_flag),
    .min_size = sizeof(probe_flag),
    .store = flag_store,
    .validate = flag_validate,
};

const shmrpc_type_info probe_range_type = {
    .name = "test.ipc.Range",
    .fingerprint = UINT64_C(0x3333333333333333),
    .size = sizeof(probe_range),
    .min_size = sizeof(probe_range),
};

const shmrpc_type_info probe_blob_type = {
    .name = "test.ipc.Blob",
    .fingerprint = UINT64_C(0x4444444444444444),
    .size = sizeof(probe_blob),
    .min_size = 16,
    .store = blob_store,
    .validate = blob_validate,
    .used = blob_used,
};

const shmrpc_type_info probe_total_type = {
    .name = "test.ipc.Total",
    .fingerprint = UINT64_C(0x5555555555555555),
    .size = sizeof(probe_total),
    .min_size = sizeof(probe_total),
};

_Static_assert(sizeof(probe_blob) % 8 == 0 && sizeof(probe_blob) == 12 + PROBE_BLOB_MAX,
               "the blob has no tail padding");
_Static_assert(sizeof(shmrpc_server_counts) <= PROBE_BLOB_MAX, "a blob holds a server's counters");

/* ---- service ---- */

static const shmrpc_error_info error_items[] = {
    {.name = "PLAIN", .code = PROBE_ERROR_PLAIN},
    {.name = "RANGE", .code = PROBE_ERROR_RANGE, .payload = &probe_range_type},
    {.name = "BLOB", .code = PROBE_ERROR_BLOB, .payload = &probe_blob_type},
};

const shmrpc_errors_info probe_errors = {
    .name = "test.ipc.Error",
    .fingerprint = UINT64_C(0x6666666666666666),
    .items = error_items,
    .count = sizeof(error_items) / sizeof(error_items[0]),
};

static const shmrpc_method_info probe_methods[PROBE_METHODS] = {
    [PROBE_ECHO] = {.name = "echo",
                    .fingerprint = 1,
                    .flags = SHMRPC_METHOD_IDEMPOTENT,
                    .request = &probe_value_type,
                    .reply = &probe_value_type,
                    .invoke = probe_handle_echo},
    [PROBE_BLOB] = {.name = "blob",
                    .fingerprint = 2,
                    .request = &probe_blob_type,
                    .reply = &probe_blob_type,
                    .invoke = probe_handle_blob},
    [PROBE_FAIL] = {.name = "fail",
                    .fingerprint = 3,
                    .request = &probe_value_type,
                    .reply = &probe_value_type,
                    .errors = &probe_errors,
                    .invoke = probe_handle_fail},
    [PROBE_CHECK] = {.name = "check",
                     .fingerprint = 4,
                     .request = &probe_flag_type,
                     .reply = &probe_flag_type,
                     .invoke = probe_handle_check},
    [PROBE_HOLD] = {.name = "hold",
                    .fingerprint = 5,
                    .request = &probe_value_type,
                    .reply = &probe_value_type,
                    .invoke = probe_handle_hold},
    [PROBE_HOLD_BLOB] = {.name = "hold_blob",
                         .fingerprint = 6,
                         .request = &probe_blob_type,
                         .reply = &probe_blob_type,
                         .invoke = probe_handle_hold_blob},
    [PROBE_NOTE] = {.name = "note",
                    .fingerprint = 7,
                    .flags = SHMRPC_METHOD_ONEWAY,
                    .request = &probe_value_type,
                    .invoke = probe_handle_note},
    [PROBE_TOTAL] = {.name = "total", .fingerprint = 8, .reply = &probe_total_type, .invoke = probe_handle_total},
    [PROBE_ABSENT] = {.name = "absent", .fingerprint = 9, .invoke = probe_handle_absent},
    [PROBE_PING] = {.name = "ping", .fingerprint = 10, .invoke = probe_handle_ping},
    [PROBE_BUDGET] = {.name = "budget",
                      .fingerprint = 11,
                      .timeout_ns = INT64_C(7000000000),
                      .reply = &probe_value_type,
                      .invoke = probe_handle_budget},
    [PROBE_COUNTERS] = {.name = "counters",
                        .fingerprint = 12,
                        .reply = &probe_blob_type,
                        .invoke = probe_handle_counters},
    [PROBE_STOP] = {.name = "stop", .fingerprint = 13, .invoke = probe_handle_stop},
    [PROBE_FORK] = {.name = "fork", .fingerprint = 15, .invoke = probe_handle_fork},
    [PROBE_LINGER] = {.name = "linger", .fingerprint = 16, .request = &probe_value_type, .invoke = probe_handle_linger},
    [PROBE_RELAY] = {.name = "relay",
                     .fingerprint = 17,
                     .request = &probe_value_type,
                     .reply = &probe_value_type,
                     .invoke = probe_handle_relay},
    [PROBE_SEAL] = {.name = "seal", .fingerprint = 14, .invoke = probe_handle_seal},
    [PROBE_CARRIED] = {.name = "carried",
                       .fingerprint = 18,
                       .request = &probe_blob_type,
                       .reply = &probe_blob_type,
                       .invoke = probe_handle_carried},
    [PROBE_PLACES] = {.name = "places",
                      .fingerprint = 19,
                      .request = &probe_blob_type,
                      .reply = &probe_blob_type,
                      .errors = &probe_errors,
                      .invoke = probe_handle_places},
};

const shmrpc_service_info probe_service = {
    .abi = &shmrpc_generated_abi_3,
    .name = PROBE_NAME,
    .version = 1,
    .method_count = PROBE_METHODS,
    .methods = probe_methods,
};

void probe_schema_init(probe_schema *schema)
{
    memcpy(schema->methods, probe_methods, sizeof(schema->methods));
    schema->info = probe_service;
    schema->info.methods = schema->methods;
}

/* ---- blobs ---- */

static uint8_t blob_byte(uint64_t value, uint32_t index)
{
    return (uint8_t)((value * 31u + index * 7u + (index >> 8)) & 0xffu);
}

static uint8_t blob_byte_inverted(uint64_t value, uint32_t index)
{
    return blob_byte(value, index) ^ 0xffu;
}

void probe_blob_fill(probe_blob *blob, uint64_t value, uint32_t length)
{
    blob->value = value;
    blob->length = length;
    for (uint32_t i = 0; i < length && i < PROBE_BLOB_MAX; i++)
        blob->bytes[i] = blob_byte(value, i);
}

bool probe_blob_answers(const probe_blob *reply, uint64_t value, uint32_t length)
{
    if (reply->value != value + 1 || reply->length != length)
        return false;
    for (uint32_t i = 0; i < length; i++)
        if (reply->bytes[i] != blob_byte_inverted(value, i))
            return false;
    return true;
}

/* ---- client ---- */

int probe_connect(shmrpc_client **ret, const char *name, const shmrpc_client_options *options)
{
    return shmrpc_client_connect(ret, name, &probe_service, options);
}

int probe_echo(shmrpc_client *client, uint64_t value, uint64_t *ret, shmrpc_deadline deadline)
{
    return shmrpc_client_call(client, PROBE_ECHO, &(probe_value){value}, ret, deadline);
}

int probe_hold(shmrpc_client *client, uint64_t value, uint64_t *ret, shmrpc_deadline deadline)
{
    return shmrpc_client_call(client, PROBE_HOLD, &(probe_value){value}, ret, deadline);
}

int probe_fail(shmrpc_client *client, int code, uint64_t *ret, shmrpc_deadline deadline)
{
    return shmrpc_client_call(client, PROBE_FAIL, &(probe_value){(uint64_t)(int64_t)code}, ret, deadline);
}

int probe_note(shmrpc_client *client, uint64_t value, shmrpc_deadline deadline)
{
    return shmrpc_client_send(client, PROBE_NOTE, &(probe_value){value}, deadline);
}

int probe_get_total(shmrpc_client *client, probe_total *ret)
{
    return shmrpc_client_call(client, PROBE_TOTAL, NULL, ret, shmrpc_default());
}

int probe_get_counters(shmrpc_client *client, shmrpc_server_counts *ret)
{
    probe_blob blob;
    int rc = shmrpc_client_call(client, PROBE_COUNTERS, NULL, &blob, shmrpc_default());

    if (rc != 0)
        return rc;
    memcpy(ret, blob.bytes, sizeof(*ret));
    return 0;
}

int probe_ping(shmrpc_client *client, shmrpc_deadline deadline)
{
    return shmrpc_client_call(client, PROBE_PING, NULL, NULL, deadline);
}

bool probe_answers_rightly(shmrpc_client *client, uint64_t first_value, uint32_t calls)
{
    for (uint32_t i = 0; i < calls; i++) {
        uint64_t value = first_value + i, reply = ~value;
        if (probe_echo(client, value, &reply, shmrpc_default()) != 0 || reply != value)
            return false;

        probe_blob request, answer;
        uint32_t length = (i * 613u) % (PROBE_BLOB_MAX + 1u);
        probe_blob_fill(&request, value, length);
        memset(&answer, 0xee, sizeof(answer));
        if (shmrpc_client_call(client, PROBE_BLOB, &request, &answer, shmrpc_default()) != 0 ||
            !probe_blob_answers(&answer, value, length))
            return false;
    }
    return true;
}
