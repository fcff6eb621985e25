/* SPDX-License-Identifier: Apache-2.0 */
#include "pages.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
#ifndef MAP_FIXED_NOREPLACE
#define MAP_FIXED_NOREPLACE 0x100000
#endif
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#define STAT_BLOCK 512 /* the unit of st_blocks */
#define LINE_MAX_BYTES 512

static size_t page_size(void)
{
    long size = sysconf(_SC_PAGESIZE);

    assert(size > 0);
    return (size_t)size;
}

int pages_open(bool is_huge)
{
    const unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING | (is_huge ? MFD_HUGETLB | MFD_HUGE_2MB : 0U);
    int descriptor = memfd_create("shmrpc", flags | MFD_NOEXEC_SEAL);

    if (descriptor < 0 && errno == EINVAL)
        descriptor = memfd_create("shmrpc", flags);
    return descriptor < 0 ? -errno : descriptor;
}

/* ---- where it is mapped ---- */

static bool is_aligned(const void *base)
{
    return (uintptr_t)base % PAGES_LARGE == 0;
}

/*
 * The same once more, where it is aligned, if there is such a place: the first one in a gap that takes 2 MiB more.
 * Another thread may be quicker to map something there, which is then left as it is.
 */
static void *map_aligned(int descriptor, size_t size_bytes, int protection)
{
    void *gap = mmap(NULL, size_bytes + PAGES_LARGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    void *wanted;
    void *base;

    if (gap == MAP_FAILED)
        return NULL;
    (void)munmap(gap, size_bytes + PAGES_LARGE);
    wanted = (unsigned char *)gap + (PAGES_LARGE - (uintptr_t)gap % PAGES_LARGE) % PAGES_LARGE;
    base = mmap(wanted, size_bytes, protection, MAP_SHARED | MAP_FIXED_NOREPLACE, descriptor, 0);
    if (base == MAP_FAILED)
        return NULL;
    if (base != wanted) { /* before Linux 4.17 that is a wish */
        (void)munmap(base, size_bytes);
        return NULL;
    }
    return base;
}

int pages_map(int descriptor, size_t size_bytes, int protection, void **ret_base)
{
    void *base = mmap(NULL, size_bytes, protection, MAP_SHARED, descriptor, 0);

    if (base == MAP_FAILED)
        return -errno;
    if (size_bytes >= PAGES_LARGE && size_bytes <= SIZE_MAX - PAGES_LARGE && !is_aligned(base)) {
        void *better = map_aligned(descriptor, size_bytes, protection);

        if (better != NULL) {
            (void)munmap(base, size_bytes);
            base = better;
        }
    }
    *ret_base = base;
    return 0;
}

/* ---- pages ---- */

/*
 * Kernels before 6.12 give up at a signal, and take back what they had allocated: where signals come at a steady rate,
 * as those of a profiler do, a large piece is never done. So each piece after a signal is half as large.
 */
int pages_allocate(int descriptor, size_t offset, size_t size_bytes)
{
    const size_t page = page_size();
    size_t done = 0;
    size_t piece = size_bytes;

    while (done < size_bytes) {
        size_t left = size_bytes - done;
        size_t length = piece < left ? piece : left;

        if (fallocate(descriptor, 0, (off_t)(offset + done), (off_t)length) == 0)
            done += length;
        else if (errno != EINTR)
            return -errno;
        else if (piece > page)
            piece = (piece / 2 + page - 1) / page * page;
    }
    return 0;
}

int pages_enter(void *base, size_t size_bytes)
{
    int r;

    do {
        r = madvise(base, size_bytes, MADV_POPULATE_WRITE);
    } while (r < 0 && (errno == EINTR || errno == EAGAIN));
    return r < 0 ? -errno : 0;
}

static uint64_t allocated(int descriptor)
{
    struct stat status;

    return fstat(descriptor, &status) < 0 || status.st_blocks < 0 ? 0 : (uint64_t)status.st_blocks * STAT_BLOCK;
}

/*
 * The first touch of an advised mapping makes a transparent page where shmem_enabled is `advise` or more; fallocate()
 * does so from `within_size` on. Where a touch has made none, the others are not tried.
 */
int pages_allocate_transparent(int descriptor, void *base, size_t size_bytes)
{
    unsigned char *at = base;
    uint64_t before = allocated(descriptor);
    size_t done = 0;

    if (!is_aligned(base) || madvise(base, size_bytes, MADV_HUGEPAGE) < 0)
        return pages_allocate(descriptor, 0, size_bytes);
    while (size_bytes - done >= PAGES_LARGE && pages_enter(at + done, page_size()) == 0) {
        uint64_t now = allocated(descriptor);

        if (now - before < PAGES_LARGE)
            break;
        before = now;
        done += PAGES_LARGE;
    }
    return pages_allocate(descriptor, 0, size_bytes);
}

/* ---- what one got ---- */

/* Is this the line that a mapping's begin with, "start-end ..."? */
static bool read_range(const char *line, uint64_t *ret_start, uint64_t *ret_end)
{
    char *after;
    const char *second;

    *ret_start = strtoull(line, &after, 16);
    if (after == line || *after != '-')
        return false;
    second = after + 1;
    *ret_end = strtoull(second, &after, 16);
    return after != second && *after == ' ';
}

/* "name:   number kB" */
static bool read_kib(const char *line, const char *name, uint64_t *ret_kib)
{
    const size_t length = strlen(name);
    char *after;

    if (strncmp(line, name, length) != 0 || line[length] != ':')
        return false;
    *ret_kib = strtoull(line + length + 1, &after, 10);
    return after != line + length + 1;
}

pages_kind pages_find(const void *base, size_t size_bytes)
{
    const uint64_t first = (uintptr_t)base;
    FILE *file = fopen("/proc/self/smaps", "re");
    pages_kind found = PAGES_ORDINARY;
    bool is_within = false;
    char line[LINE_MAX_BYTES];

    if (file == NULL)
        return PAGES_ORDINARY;
    while (fgets(line, sizeof(line), file) != NULL) {
        uint64_t start;
        uint64_t end;
        uint64_t kib;

        if (read_range(line, &start, &end))
            is_within = start < first + size_bytes && end > first;
        else if (is_within && read_kib(line, "KernelPageSize", &kib) && kib * 1024 >= PAGES_LARGE)
            found = PAGES_HUGE;
        else if (is_within && found == PAGES_ORDINARY && read_kib(line, "ShmemPmdMapped", &kib) && kib > 0)
            found = PAGES_TRANSPARENT;
    }
    (void)fclose(file);
    return found;
}
