/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h - what is done with a payload by means of its description (shmrpc/generated.h).
 */
#ifndef SHMRPC_MESSAGE_H
#define SHMRPC_MESSAGE_H

#include <shmrpc/generated.h>

#include "shared.h"

/*
 * Bytes of the largest type whose messages are filled whole: asking what of it is in use takes longer.
 */
#define MESSAGE_FILLED_WHOLE 256u

/*
 * Writes the canonical form of a valid message to a slot or block with room for type->size bytes. Returns the bytes
 * used.
 */
static inline uint32_t message_store(const shmrpc_type_info *type, void *to, const void *message)
{
    if (type->store != NULL) {
        return (uint32_t)type->store(to, message);
    }
    copy_bytes(to, message, type->size);
    return type->size;
}

/*
 * The same of the first `size` bytes only, for a receiver to whom the message ends there. `scratch`: private memory of
 * type->size bytes.
 */
uint32_t message_store_first(const shmrpc_type_info *type, void *to, const void *message, uint32_t size, void *scratch);

/* The default image, as far as it is in use: items of a last variable field that are not stay as they are. */
void message_init_in_place(const shmrpc_type_info *type, void *to);

/* Makes `to` the default image; of a large message likewise. */
static inline void message_init(const shmrpc_type_info *type, void *to)
{
    if (type->used != NULL && type->size > MESSAGE_FILLED_WHOLE) {
        message_init_in_place(type, to);
    } else if (type->initial != NULL) {
        copy_bytes(to, type->initial, type->size);
    } else {
        zero_bytes(to, type->size);
    }
}

/* Is this many bytes a length that a message of the type can have on the wire? */
static inline bool message_length_is_valid(const shmrpc_type_info *type, uint32_t length)
{
    return length >= type->min_size && length <= type->size;
}

/*
 * Gives the bytes of a message from `length` on what they have in the default image; of a large one as far as it says that
 * they are in use. What is not may hold anything.
 */
void message_fill(const shmrpc_type_info *type, void *to, uint32_t length);

/* Makes all of it the default image. */
void message_reset(const shmrpc_type_info *type, void *to);

/* Bytes of a valid message that are in use, in multiples of 8, as they travel. */
uint32_t message_used_size(const shmrpc_type_info *type, const void *message);

/* Validates a private copy of a type that has a validator: 0, or PROTOCOL with the field named. */
int message_validate(const shmrpc_type_info *type, const void *copy);

/*
 * Copies a message out of shared memory to private memory of type->size bytes, fills what did not travel and is in use
 * from the default image, and validates the copy. `length` is valid for the type. 0, or SHMRPC_E_PROTOCOL with the field named.
 */
static inline int message_load(const shmrpc_type_info *type, void *to, const void *from, uint32_t length)
{
    shared_copy_out(to, from, length);
    if (length < type->size) {
        message_fill(type, to, length);
    }
    return type->validate == NULL ? 0 : message_validate(type, to);
}

/* ---- messages that are read or written where the other side finds them ---- */

/* Is what is in use of this message, of which `length` bytes have come, all there? It need not be valid. */
bool message_is_whole(const shmrpc_type_info *type, const void *message, uint32_t length);

/* Makes a valid message ready to be sent as it stands: padding becomes zero. Returns the bytes used. */
uint32_t message_finish(const shmrpc_type_info *type, void *message);

/* The error with this code, or NULL: one that the set (which may be NULL) does not have. */
const shmrpc_error_info *message_error(const shmrpc_errors_info *errors, int code);

/* The payload of the error with this code, or NULL. */
static inline const shmrpc_type_info *message_error_payload(const shmrpc_errors_info *errors, int code)
{
    const shmrpc_error_info *error = message_error(errors, code);

    return error == NULL ? NULL : error->payload;
}

/* Can this library carry the service? 0; VERSION: another generated-code ABI; TOO_LARGE: its messages or their number. */
int message_check_service(const shmrpc_service_info *service);

/* Bytes of the largest answer of a method: its reply or a payload of its errors. */
uint32_t message_answer_size(const shmrpc_method_info *method);

#endif
