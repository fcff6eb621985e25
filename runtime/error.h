/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - from what the platform says to what the library says.
 *
 * The one border where -errno becomes a status, and where the line that shmrpc_last_error() returns is written.
 * The line is thread-local and of fixed size, so that failing allocates nothing; it is cut at a character's end.
 */
#ifndef SHMRPC_ERROR_H
#define SHMRPC_ERROR_H

#include <shmrpc/status.h>

/* Records the line and returns `status`. */
int error_set(int status, const char *format, ...) SHMRPC_PRINTF(2, 3);

/* Translates -errno: ENOMEM, ENOSPC -> NO_MEMORY; EMFILE, ENFILE, ETOOMANYREFS -> LIMIT; EACCES, EPERM -> PERMISSION;
   EPROTO -> PROTOCOL; else SYSTEM. The line ends in ": " and strerror's text. */
int error_system(int negative_errno, const char *format, ...) SHMRPC_PRINTF(2, 3);

#endif
