/* SPDX-License-Identifier: Apache-2.0 */
#include "log.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define LINE_ON_STACK 512

/*
 * The level is what log_entry() looks at first; 0 is silence. It is raised after the function is there and lowered
 * before it goes. An entry that is on its way meanwhile goes to either function, or to none.
 */
static _Atomic int log_most;
static _Atomic(shmrpc_log_function *) log_function;

void shmrpc_log_set(shmrpc_log_function *function, shmrpc_log_level most)
{
    if (function == NULL)
        atomic_store_explicit(&log_most, 0, memory_order_relaxed);
    atomic_store_explicit(&log_function, function, memory_order_release);
    if (function != NULL)
        atomic_store_explicit(&log_most, (int)most, memory_order_release);
}

/* A line of any length: on the stack where it fits, else on the heap, else cut. */
static void SHMRPC_PRINTF(3, 0)
    log_deliver(shmrpc_log_function *function, shmrpc_log_entry *entry, const char *format, va_list arguments)
{
    char line[LINE_ON_STACK];
    char *longer = NULL;
    va_list again;
    int length;

    va_copy(again, arguments);
    length = vsnprintf(line, sizeof(line), format, arguments);
    if (length >= LINE_ON_STACK)
        longer = malloc((size_t)length + 1);
    if (longer != NULL)
        length = vsnprintf(longer, (size_t)length + 1, format, again);
    va_end(again);

    if (length >= 0) {
        entry->line = longer != NULL ? longer : line;
        function(entry);
    }
    free(longer);
}

void log_entry(shmrpc_log_entry about, const char *format, ...)
{
    shmrpc_log_function *function;
    va_list arguments;
    int saved = errno;

    if ((int)about.level > atomic_load_explicit(&log_most, memory_order_relaxed))
        return;
    function = atomic_load_explicit(&log_function, memory_order_acquire);
    if (function == NULL)
        return;

    va_start(arguments, format);
    log_deliver(function, &about, format, arguments);
    va_end(arguments);
    errno = saved;
}

const char *log_text(char *to, size_t capacity, const char *text, size_t length)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = 0;

    assert(capacity > 0);
    for (size_t i = 0; i < length && text[i] != '\0'; i++) {
        unsigned char c = (unsigned char)text[i];
        bool plain = c >= 0x20 && c < 0x7f && c != '\\';

        if (capacity - used <= (plain ? 1u : 4u))
            break;
        if (plain) {
            to[used++] = (char)c;
        } else {
            to[used++] = '\\';
            to[used++] = 'x';
            to[used++] = digits[c >> 4];
            to[used++] = digits[c & 0xf];
        }
    }
    to[used] = '\0';
    return to;
}

const char *shmrpc_log_event_name(shmrpc_log_event event)
{
    switch (event) {
#define EVENT_NAME(name, value, when) \
    case SHMRPC_LOG_##name: return #name;
        SHMRPC_LOG_EVENT_LIST(EVENT_NAME)
#undef EVENT_NAME
    }
    return NULL;
}

static const char *level_prefix(shmrpc_log_level level)
{
    switch (level) {
    case SHMRPC_LOG_ERROR: return "shmrpc: error: ";
    case SHMRPC_LOG_WARNING: return "shmrpc: warning: ";
    case SHMRPC_LOG_INFO: return "shmrpc: info: ";
    case SHMRPC_LOG_DEBUG: return "shmrpc: debug: ";
    }
    return "shmrpc: ";
}

static struct iovec part_of(const char *text)
{
    return (struct iovec){.iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text)};
}

void shmrpc_log_to_stderr(const shmrpc_log_entry *entry)
{
    const struct iovec parts[] = {part_of(level_prefix(entry->level)), part_of(entry->line), part_of("\n")};
    int saved = errno;
    ssize_t written;

    do {
        written = writev(STDERR_FILENO, parts, (int)(sizeof(parts) / sizeof(parts[0])));
    } while (written < 0 && errno == EINTR);
    errno = saved;
}
