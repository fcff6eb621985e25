/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - entries for the application's log function (shmrpc/log.h).
 *
 * What a peer sent is never put into a line as it came: log_text() first.
 */
#ifndef SHMRPC_RUNTIME_LOG_H
#define SHMRPC_RUNTIME_LOG_H

#include <shmrpc/log.h>

/* What an entry begins as: it is about no process and no user. */
#define LOG_ABOUT(level_, event_) \
    .level = SHMRPC_LOG_##level_, .event = SHMRPC_LOG_##event_, .pid = -1, .uid = (uid_t)-1

/*
 * Delivers `about` with the line that the format gives; costs one relaxed load where nobody listens. Keeps errno.
 *     log_entry((shmrpc_log_entry){LOG_ABOUT(INFO, SESSION_OPENED), .session = 7}, "session %d", 7);
 */
void log_entry(shmrpc_log_entry about, const char *format, ...) SHMRPC_PRINTF(2, 3);

/*
 * Writes `text` (up to its NUL, and at most `length` bytes) to `to`: printable ASCII as it is, all else and the
 * backslash as \xHH. What does not fit in `capacity` (at least 1, NUL included) is left off, never half an escape.
 * Returns `to`.
 */
const char *log_text(char *to, size_t capacity, const char *text, size_t length);

#endif
