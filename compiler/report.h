/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.h - what the program says to its user, and the status that it ends with.
 */
#ifndef SHMRPC_COMPILER_REPORT_H
#define SHMRPC_COMPILER_REPORT_H

#include <stdio.h>

#include "diag.h"

enum { EXIT_DONE = 0, EXIT_SCHEMA = 1, EXIT_TROUBLE = 2 };

/* Says what went wrong, on standard error; there is nowhere to report that this failed. Returns EXIT_TROUBLE. */
int report_trouble(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Writes text to standard output. Returns EXIT_DONE, or EXIT_TROUBLE where that failed, which was told. */
int report_text(const char *text);
int report_bytes(const char *bytes, size_t length);

/* Flushes a stream that has been written to. Returns `status` unless that, or writing before, failed. */
int report_finish(FILE *to, const char *name, int status);

/* Shows what was found: as JSON on standard output, else on standard error. Returns `status` unless that fails. */
int report_diagnostics(const diag *found, diag_format format, int status);

#endif
