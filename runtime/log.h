/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - lines for the application's log function (shmrpc/log.h).
 *
 * What a peer sent is never put into a line as it came: log_text() first.
 */
#ifndef SHMRPC_RUNTIME_LOG_H
#define SHMRPC_RUNTIME_LOG_H

#include <shmrpc/log.h>

/* Costs one relaxed load where nobody listens. Keeps errno. */
void log_line(shmrpc_log_level level, const char *format, ...) SHMRPC_PRINTF(2, 3);

/*
 * Writes `text` (up to its NUL, and at most `length` bytes) to `to`: printable ASCII as it is, all else and the
 * backslash as \xHH. What does not fit in `capacity` (at least 1, NUL included) is left off, never half an escape.
 * Returns `to`.
 */
const char *log_text(char *to, size_t capacity, const char *text, size_t length);

#endif
