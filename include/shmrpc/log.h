/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - what the library has to say, to whoever asks for it.
 *
 * Silent by default. Nothing is logged on the call path; a line is written when a connection comes, goes or is dropped,
 * and when a handler fails.
 */
#ifndef SHMRPC_LOG_H
#define SHMRPC_LOG_H

#include <shmrpc/base.h>

SHMRPC_BEGIN_DECLS

typedef enum shmrpc_log_level {
    SHMRPC_LOG_ERROR = 1, /* something is lost that should not be */
    SHMRPC_LOG_WARNING,   /* a peer misbehaved and was dropped; a handler failed */
    SHMRPC_LOG_INFO,      /* servers start and stop, sessions come and go */
    SHMRPC_LOG_DEBUG,
} shmrpc_log_level;

/*
 * Receives one line without a newline, valid during the call. May be called from any thread that uses the library, and
 * from several at once; must not call it back.
 */
typedef void shmrpc_log_function(shmrpc_log_level level, const char *line);

/*
 * Sets the function that receives lines up to `most`, for the whole process; NULL: silence. Any thread; takes effect
 * with the next line. A line that another thread is writing meanwhile may still reach the function that was set
 * before, so that one must stay callable. `shmrpc_log_to_stderr` is one to pass.
 */
SHMRPC_EXPORT void shmrpc_log_set(shmrpc_log_function *function, shmrpc_log_level most);

/* Writes "shmrpc: warning: ..." to standard error, each line by one system call. */
SHMRPC_EXPORT void shmrpc_log_to_stderr(shmrpc_log_level level, const char *line);

SHMRPC_END_DECLS

#endif
