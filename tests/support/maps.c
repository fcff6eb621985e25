/* SPDX-License-Identifier: Apache-2.0 */
#include "maps.h"

#include <stdlib.h>
#include <string.h>

bool maps_range(const char *line, uintptr_t *ret_begin, uintptr_t *ret_end)
{
    char *after;

    *ret_begin = strtoul(line, &after, 16);
    if (after == line || *after != '-')
        return false;
    const char *second = after + 1;
    *ret_end = strtoul(second, &after, 16);
    return after != second && *after == ' ';
}

bool maps_kib(const char *line, const char *name, size_t *ret_kib)
{
    const size_t length = strlen(name);
    char *after;

    if (strncmp(line, name, length) != 0 || line[length] != ':')
        return false;
    *ret_kib = strtoul(line + length + 1, &after, 10);
    return after != line + length + 1;
}
