/* SPDX-License-Identifier: Apache-2.0 */
#include "message.h"

#include "error.h"

#include <inttypes.h>

static int report(int status, const shmrpc_type_info *type, const shmrpc_fault *fault)
{
    if (fault->limit != 0) {
        return error_set(status, "%s: '%s': %s (%" PRIu64 ", the limit is %" PRIu64 ")", type->name, fault->field,
                         fault->reason, fault->value, fault->limit);
    }
    return error_set(status, "%s: '%s': %s (%" PRIu64 ")", type->name, fault->field, fault->reason, fault->value);
}

int shmrpc_message_check(const shmrpc_type_info *type, const void *message)
{
    shmrpc_fault fault = {"", "is not valid", 0, 0};

    if (type == NULL || message == NULL) {
        return error_set(SHMRPC_E_MISUSE, "%s: the message is NULL", type == NULL ? "?" : type->name);
    }
    if (type->validate == NULL || type->validate(message, &fault)) {
        return 0;
    }
    return report(SHMRPC_E_INVALID, type, &fault);
}

uint32_t message_store_first(const shmrpc_type_info *type, void *to, const void *message, uint32_t size, void *scratch)
{
    if (type->store != NULL) {
        size_t used = type->store(scratch, message);

        message = scratch;
        size = used < size ? (uint32_t)used : size;
    }
    copy_bytes(to, message, size);
    return size;
}

uint32_t message_used_size(const shmrpc_type_info *type, const void *message)
{
    size_t used = type->used == NULL ? type->size : type->used(message);

    return used >= type->size ? type->size : (uint32_t)((used + 7) / 8 * 8);
}

/* From `from` up to `to` as in the default image. */
static void fill(const shmrpc_type_info *type, void *message, uint32_t from, uint32_t to)
{
    unsigned char *rest = (unsigned char *)message + from;

    if (type->initial != NULL) {
        memcpy(rest, (const unsigned char *)type->initial + from, to - from);
    } else {
        memset(rest, 0, to - from);
    }
}

void message_reset(const shmrpc_type_info *type, void *to)
{
    fill(type, to, 0, type->size);
}

/*
 * A large message of which little has come costs little: its items are not touched, unless its count says that there are
 * more of them than have come, whose place may hold what was in another message.
 */
void message_fill(const shmrpc_type_info *type, void *to, uint32_t length)
{
    uint32_t used = type->size;

    if (length < type->min_size) {
        fill(type, to, length, type->min_size);
        length = type->min_size;
    }
    if (type->size > MESSAGE_FILLED_WHOLE) {
        used = message_used_size(type, to);
    }
    if (used > length) {
        fill(type, to, length, used);
    }
}

void message_init_in_place(const shmrpc_type_info *type, void *to)
{
    if (type->initial != NULL) {
        memcpy(to, type->initial, message_used_size(type, type->initial));
    } else {
        memset(to, 0, type->used == NULL ? type->size : type->min_size);
    }
}

bool message_is_whole(const shmrpc_type_info *type, const void *message, uint32_t length)
{
    return message_used_size(type, message) <= length;
}

uint32_t message_finish(const shmrpc_type_info *type, void *message)
{
    size_t used = type->used == NULL ? type->size : type->used(message);
    uint32_t length;

    if (type->tidy != NULL) {
        type->tidy(message);
    }
    if (used >= type->size) {
        return type->size;
    }
    length = (uint32_t)((used + 7) / 8 * 8);
    memset((unsigned char *)message + used, 0, length - used);
    return length;
}

int message_validate(const shmrpc_type_info *type, const void *copy)
{
    shmrpc_fault fault = {"", "is not valid", 0, 0};

    return type->validate(copy, &fault) ? 0 : report(SHMRPC_E_PROTOCOL, type, &fault);
}

const shmrpc_error_info *message_error(const shmrpc_errors_info *errors, int code)
{
    uint32_t i;

    for (i = 0; errors != NULL && i < errors->count; i++) {
        if (errors->items[i].code == code) {
            return &errors->items[i];
        }
    }
    return NULL;
}

uint32_t message_answer_size(const shmrpc_method_info *method)
{
    const shmrpc_errors_info *errors = method->errors;
    uint32_t size = method->reply == NULL ? 0 : method->reply->size;
    uint32_t i;

    for (i = 0; errors != NULL && i < errors->count; i++) {
        if (errors->items[i].payload != NULL && errors->items[i].payload->size > size) {
            size = errors->items[i].payload->size;
        }
    }
    return size;
}

int message_check_service(const shmrpc_service_info *service)
{
    uint32_t i;

    if (service->abi == NULL || *service->abi != SHMRPC_GENERATED_ABI) {
        return error_set(SHMRPC_E_VERSION, "%s was generated for ABI %u, the library has %u", service->name,
                         service->abi == NULL ? 0 : *service->abi, SHMRPC_GENERATED_ABI);
    }
    if (service->method_count > SHMRPC_METHODS_MAX) {
        return error_set(SHMRPC_E_TOO_LARGE, "%s has too many methods: %u, the limit is %u", service->name,
                         service->method_count, SHMRPC_METHODS_MAX);
    }
    for (i = 0; i < service->method_count; i++) {
        const shmrpc_method_info *method = &service->methods[i];
        uint32_t request_size = method->request == NULL ? 0 : method->request->size;
        uint32_t answer_size = message_answer_size(method);
        uint32_t size = request_size > answer_size ? request_size : answer_size;

        if (size > SHMRPC_LARGE_MAX) {
            return error_set(SHMRPC_E_TOO_LARGE, "%s.%s: a message is too large: %u bytes, the limit is %u",
                             service->name, method->name, size, SHMRPC_LARGE_MAX);
        }
    }
    return 0;
}
