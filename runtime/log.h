/* SPDX-License-Identifier: Apache-2.0 */
/* log.h - lines for the application's log function (shmrpc/log.h). */
#ifndef SHMRPC_RUNTIME_LOG_H
#define SHMRPC_RUNTIME_LOG_H

#include <shmrpc/log.h>

/* Costs one relaxed load where nobody listens. Bytes of a peer in a line are escaped by log_text(). */
void log_line(shmrpc_log_level level, const char *format, ...) SHMRPC_PRINTF(2, 3);

/* `text` (at most `length` bytes) with everything but printable ASCII as \xHH, cut to fit `to`. Returns `to`. */
const char *log_text(char *to, size_t capacity, const char *text, size_t length);

#endif
