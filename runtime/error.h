/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - from what the platform says to what the library says.
 *
 * The one border where -errno becomes a status, and where the line that shmrpc_last_error() returns is written.
 * The line is thread-local and of fixed size, so that failing allocates nothing; a longer one is cut at the end of
 * a character, and what the system says (error_system) is kept.
 */
#ifndef SHMRPC_RUNTIME_ERROR_H
#define SHMRPC_RUNTIME_ERROR_H

#include <shmrpc/status.h>

#define ERROR_LINE_MAX 1023u /* bytes of the line */

/* Records the line and returns `status`. The arguments may contain the line that is there. */
int error_set(int status, const char *format, ...) SHMRPC_PRINTF(2, 3);

/*
 * Records the line, followed by ": " and the system's text for the error, and returns the status that stands for it:
 * ENOMEM, ENOSPC -> NO_MEMORY; EMFILE, ENFILE, ETOOMANYREFS -> LIMIT; EACCES, EPERM -> PERMISSION;
 * EPROTO -> PROTOCOL; else SYSTEM.
 */
int error_system(int negative_errno, const char *format, ...) SHMRPC_PRINTF(2, 3);

/* A checker of paths sees one file at a time: that these return no success is said here. */
#ifdef __clang_analyzer__
#define error_set(status, ...) ((error_set)((status), __VA_ARGS__), (status))
#define error_system(negative_errno, ...) ((error_system)((negative_errno), __VA_ARGS__), SHMRPC_E_SYSTEM)
#endif

#endif
