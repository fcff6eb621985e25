/* SPDX-License-Identifier: Apache-2.0 */
/* maps.h - lines of /proc/PID/maps and smaps. */
#ifndef SHMRPC_TEST_MAPS_H
#define SHMRPC_TEST_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Does the line begin a mapping, "begin-end ..."? Then which addresses it has. */
bool maps_range(const char *line, uintptr_t *ret_begin, uintptr_t *ret_end);

/* Is it "name:   number kB"? */
bool maps_kib(const char *line, const char *name, size_t *ret_kib);

#endif
