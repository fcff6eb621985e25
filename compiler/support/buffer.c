/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buffer.c - a doubling heap array; one byte beyond `length` is always the NUL.
 */
#include "buffer.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "memory.h"

#define CAPACITY_SMALLEST 256

/* Makes room for `more` bytes and the NUL. */
static void reserve(buffer *text, size_t more)
{
    if (more >= SIZE_MAX / 2 - text->length)
        memory_exhausted();
    size_t needed = text->length + more + 1;
    if (needed <= text->capacity)
        return;
    size_t capacity = text->capacity ? text->capacity : CAPACITY_SMALLEST;
    while (capacity < needed)
        capacity *= 2;
    text->data = memory_realloc(text->data, capacity);
    text->capacity = capacity;
}

void buffer_deinit(buffer *text)
{
    free(text->data);
    *text = (buffer){0};
}

void buffer_append(buffer *text, const char *bytes, size_t length)
{
    reserve(text, length);
    if (length)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void buffer_puts(buffer *text, const char *string)
{
    buffer_append(text, string, strlen(string));
}

void buffer_vprintf(buffer *text, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, arguments);
    if (length < 0)
        memory_exhausted();
    reserve(text, (size_t)length);
    vsnprintf(text->data + text->length, (size_t)length + 1, format, again);
    text->length += (size_t)length;
    va_end(again);
}

void buffer_printf(buffer *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    buffer_vprintf(text, format, arguments);
    va_end(arguments);
}
