/* SPDX-License-Identifier: Apache-2.0 */
#include "footprint.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LANE_NAME "/memfd:shmrpc"

static FILE *open_of(pid_t pid, const char *file)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, file);
    return fopen(path, "re");
}

static int read_private(pid_t pid, uint64_t *ret_bytes)
{
    FILE *in = open_of(pid, "smaps_rollup");
    char line[256];
    int r = -ENOTSUP;

    if (!in) {
        return -errno;
    }
    while (r != 0 && fgets(line, sizeof(line), in)) {
        if (strncmp(line, "Pss_Anon:", 9) == 0) {
            *ret_bytes = strtoull(line + 9, NULL, 10) * 1024;
            r = 0;
        }
    }
    fclose(in);
    return r;
}

/* Mappings of lanes, by their addresses: "from-to ...  /memfd:shmrpc (deleted)". */
static int read_lanes(pid_t pid, uint64_t *ret_bytes)
{
    FILE *in = open_of(pid, "maps");
    char line[512];

    if (!in) {
        return -errno;
    }
    *ret_bytes = 0;
    while (fgets(line, sizeof(line), in)) {
        char *at = line;
        uint64_t from = strtoull(at, &at, 16);

        if (*at == '-' && strstr(line, LANE_NAME)) {
            *ret_bytes += strtoull(at + 1, NULL, 16) - from;
        }
    }
    fclose(in);
    return 0;
}

int footprint_read(footprint *ret_found, pid_t pid)
{
    int r = read_private(pid, &ret_found->private_bytes);

    return r == 0 ? read_lanes(pid, &ret_found->lanes_bytes) : r;
}
