/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - text in JSON. */
#ifndef BENCH_JSON_H
#define BENCH_JSON_H

#include <stdbool.h>
#include <stdio.h>

/* Of text that a kernel gives: control characters and quotes are escaped, other bytes pass. */
void json_text(FILE *out, const char *text);

/* Closes the file. Returns 0 or -errno, also where something could not be written before. */
int json_close(FILE *out);

static inline const char *json_bool(bool value)
{
    return value ? "true" : "false";
}

#endif
