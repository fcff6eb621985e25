/* SPDX-License-Identifier: Apache-2.0 */
#include "error.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char error_line[ERROR_LINE_MAX + 1];

const char *shmrpc_last_error(void)
{
    return error_line;
}

/* Where `line` was cut within a UTF-8 character, cuts off the character's beginning too. Returns the new length. */
static size_t line_end_at_character(char *line, size_t length)
{
    size_t start = length;
    size_t needed;

    while (start > 0 && length - start < 4 && ((unsigned char)line[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return length;

    unsigned char lead = (unsigned char)line[start - 1];

    needed = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (length - (start - 1) < needed) {
        length = start - 1;
        line[length] = '\0';
    }
    return length;
}

/* Formats into `line` of `capacity` bytes, NUL included. Returns the length. */
static size_t SHMRPC_PRINTF(3, 0) line_format(char *line, size_t capacity, const char *format, va_list arguments)
{
    int length = vsnprintf(line, capacity, format, arguments);

    assert(length >= 0);
    if (length < 0) {
        line[0] = '\0';
        return 0;
    }
    return (size_t)length < capacity ? (size_t)length : line_end_at_character(line, capacity - 1);
}

int(error_set)(int status, const char *format, ...)
{
    char line[sizeof(error_line)];
    va_list arguments;
    size_t length;

    va_start(arguments, format);
    length = line_format(line, sizeof(line), format, arguments);
    va_end(arguments);

    memcpy(error_line, line, length + 1);
    return status;
}

static int status_of(int number)
{
    switch (number) {
    case ENOMEM:
    case ENOBUFS:
    case ENOSPC: return SHMRPC_E_NO_MEMORY;
    case EMFILE:
    case ENFILE:
    case EFBIG:
    case ETOOMANYREFS: return SHMRPC_E_LIMIT;
    case EACCES:
    case EPERM: return SHMRPC_E_PERMISSION;
    case EPROTO: return SHMRPC_E_PROTOCOL;
    default: return SHMRPC_E_SYSTEM;
    }
}

int(error_system)(int negative_errno, const char *format, ...)
{
    char line[sizeof(error_line)];
    const char *text = strerrordesc_np(-negative_errno);
    va_list arguments;
    size_t text_length;
    size_t length;

    if (text == NULL)
        text = "unknown error";
    text_length = strlen(text);

    va_start(arguments, format);
    length = line_format(line, sizeof(line) - text_length - 2, format, arguments);
    va_end(arguments);

    memcpy(error_line, line, length);
    memcpy(error_line + length, ": ", 2);
    memcpy(error_line + length + 2, text, text_length + 1);
    return status_of(-negative_errno);
}
