/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h - JSON text, indented, byte for byte the same for the same calls.
 *
 * Inside an object every value has a key; inside an array and at the top the key is NULL. Calls that open and close must
 * pair up.
 */
#ifndef SHMRPC_COMPILER_BACKENDS_JSON_WRITER_H
#define SHMRPC_COMPILER_BACKENDS_JSON_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "support/buffer.h"

typedef struct json_writer {
    buffer *to;
    unsigned depth;
    bool empty; /* nothing in the innermost object or array yet */
} json_writer;

void json_object_begin(json_writer *json, const char *key);
void json_object_end(json_writer *json);
void json_array_begin(json_writer *json, const char *key);
void json_array_end(json_writer *json);
void json_null(json_writer *json, const char *key);
void json_bool(json_writer *json, const char *key, bool value);
void json_unsigned(json_writer *json, const char *key, uint64_t value);
void json_integer(json_writer *json, const char *key, bool negative, uint64_t magnitude);
void json_float(json_writer *json, const char *key, double value); /* finite */

/* UTF-8; what is not becomes U+FFFD. NULL is written as null. */
void json_string(json_writer *json, const char *key, const char *text);
void json_text(json_writer *json, const char *key, const char *text, size_t length);

/* "0x0123456789abcdef" */
void json_hex(json_writer *json, const char *key, uint64_t value);

/* Ends the text with a line end. */
void json_finish(json_writer *json);

#endif
