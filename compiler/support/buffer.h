/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffer.h - text that grows at its end.
 */
#ifndef SHMRPC_COMPILER_BUFFER_H
#define SHMRPC_COMPILER_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

typedef struct buffer {
    char *data; /* NUL-terminated where length > 0; NULL while empty */
    size_t length;
    size_t capacity;
} buffer;

void buffer_deinit(buffer *text);
void buffer_append(buffer *text, const char *bytes, size_t length);
void buffer_puts(buffer *text, const char *string);
void buffer_printf(buffer *text, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_vprintf(buffer *text, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));

#endif
