/* SPDX-License-Identifier: Apache-2.0 */
#include "memory.h"

#include "pages.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/mempolicy.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x0020
#endif

#define SEALS_OF_CLIENT (F_SEAL_SHRINK | F_SEAL_GROW)
#define SEALS_OF_SERVER (F_SEAL_FUTURE_WRITE | F_SEAL_SEAL)
#define STAT_BLOCK 512                       /* the unit of st_blocks, on tmpfs and hugetlbfs too */
#define SPARE_MAX ((size_t)64 * 1024 * 1024) /* bytes that are given back in some milliseconds, as in closer.c */

static size_t page_size(void)
{
    long size = sysconf(_SC_PAGESIZE);

    assert(size > 0);
    return (size_t)size;
}

size_t memory_round(size_t size_bytes)
{
    size_t mask = page_size() - 1;

    return size_bytes > SIZE_MAX - mask ? 0 : (size_bytes + mask) & ~mask;
}

static bool size_is_usable(size_t size_bytes)
{
    return size_bytes > 0 && size_bytes <= PTRDIFF_MAX && memory_round(size_bytes) == size_bytes;
}

/* Beyond the limit for files the kernel does not only refuse: it sends SIGXFSZ, which ends the process. */
int memory_set_size(int descriptor, size_t size_bytes)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY && size_bytes > limit.rlim_cur)
        return -EFBIG;
    return ftruncate(descriptor, (off_t)size_bytes) < 0 ? -errno : 0;
}

static int memory_map(int descriptor, size_t size_bytes, void **ret_base)
{
    void *base = NULL;
    int r = pages_map(descriptor, size_bytes, PROT_READ | PROT_WRITE, &base);

    if (r < 0)
        return r;
    if (madvise(base, size_bytes, MADV_DONTFORK) < 0) {
        r = -errno;
        memory_unmap(base, size_bytes);
        return r;
    }
    *ret_base = base;
    return 0;
}

/* All pages exist; here their entries are made, so that the first calls do not pay for them. Linux 5.14. */
static int memory_populate(void *base, size_t size_bytes)
{
    int r = pages_enter(base, size_bytes);

    return r == -EINVAL ? 0 : r;
}

/* From here on new pages of this mapping's file come from one node. -ENODEV: there is no such node. */
static int memory_bind(void *base, size_t size_bytes, int node)
{
    unsigned long nodes[MEMORY_NODES_MAX / (8 * sizeof(unsigned long))] = {0};
    const int bits = 8 * sizeof(nodes[0]);

    if (node < 0 || node >= MEMORY_NODES_MAX)
        return -ENODEV;
    nodes[node / bits] = 1UL << (node % bits);
    /* Without a wrapper in the C library. The kernel takes one bit less than it is told of. */
    if (syscall(SYS_mbind, base, size_bytes, MPOL_BIND, nodes, (unsigned long)MEMORY_NODES_MAX + 1, 0) == 0)
        return 0;
    return errno == EINVAL ? -ENODEV : -errno;
}

/* Whether fallocate() heeds the mapping's node is up to the kind of file; that the pages are there is not. */
static int memory_fill_huge(int descriptor, void *base, size_t size_bytes, bool is_bound)
{
    int r = pages_enter(base, size_bytes);

    if (r < 0 && (is_bound || r != -EINVAL))
        return r;
    return pages_allocate(descriptor, 0, size_bytes);
}

static int memory_fill(int descriptor, void *base, size_t size_bytes, pages_kind kind, bool is_bound)
{
    switch (kind) {
    case PAGES_ORDINARY: break;
    case PAGES_TRANSPARENT: return pages_allocate_transparent(descriptor, base, size_bytes);
    case PAGES_HUGE: return memory_fill_huge(descriptor, base, size_bytes, is_bound);
    }
    return pages_allocate(descriptor, 0, size_bytes);
}

static int memory_create_of(pages_kind kind, size_t size_bytes, memory_faults faults, int node, void **ret_base,
                            int *ret_descriptor)
{
    void *base = NULL;
    int descriptor;
    int r;

    descriptor = pages_open(kind == PAGES_HUGE);
    if (descriptor < 0)
        return descriptor;

    r = memory_set_size(descriptor, size_bytes);
    if (r < 0)
        goto out_close;
    if (fcntl(descriptor, F_ADD_SEALS, SEALS_OF_CLIENT) < 0) {
        r = -errno;
        goto out_close;
    }
    r = memory_map(descriptor, size_bytes, &base);
    if (r < 0)
        goto out_close;
    /* Before there are pages, whose place the policy of the mapping then decides. */
    r = node == MEMORY_ANY_NODE ? 0 : memory_bind(base, size_bytes, node);
    if (r < 0)
        goto out_unmap;
    r = memory_fill(descriptor, base, size_bytes, kind, node != MEMORY_ANY_NODE);
    if (r < 0)
        goto out_unmap;
    r = faults == MEMORY_PREFAULTED ? memory_populate(base, size_bytes) : 0;
    if (r < 0)
        goto out_unmap;

    *ret_base = base;
    *ret_descriptor = descriptor;
    return 0;

out_unmap:
    memory_unmap(base, size_bytes);
out_close:
    (void)close(descriptor);
    return r;
}

int memory_create(size_t size_bytes, memory_faults faults, memory_pages pages, int node, void **ret_base,
                  int *ret_descriptor)
{
    if (!size_is_usable(size_bytes))
        return -EINVAL;
    if (pages == MEMORY_ORDINARY_PAGES)
        return memory_create_of(PAGES_ORDINARY, size_bytes, faults, node, ret_base, ret_descriptor);
    /* Why there are none is not told: what else is wrong is so for other pages, too. */
    if (size_bytes % PAGES_LARGE == 0 &&
        memory_create_of(PAGES_HUGE, size_bytes, faults, node, ret_base, ret_descriptor) == 0)
        return 0;
    return memory_create_of(PAGES_TRANSPARENT, size_bytes, faults, node, ret_base, ret_descriptor);
}

int memory_identify(int descriptor, memory_file *ret_file)
{
    struct statfs file_system;
    struct stat status;
    int flags = fcntl(descriptor, F_GETFL);
    int seals;

    if (flags < 0)
        return -errno;
    if ((flags & O_PATH) || (flags & O_ACCMODE) != O_RDWR)
        return -EPROTO;
    /* First, as it asks no file system: what is not a memfd may be a file whose server never answers. */
    seals = fcntl(descriptor, F_GET_SEALS);
    if (seals < 0)
        return errno == EINVAL ? -EPROTO : -errno;
    if (fstat(descriptor, &status) < 0 || fstatfs(descriptor, &file_system) < 0)
        return -errno;
    if (!S_ISREG(status.st_mode) || status.st_size < 0 ||
        (file_system.f_type != TMPFS_MAGIC && file_system.f_type != HUGETLBFS_MAGIC))
        return -EPROTO;
    ret_file->seals = seals & ~F_SEAL_EXEC;
    ret_file->size_bytes = (size_t)status.st_size;
    ret_file->page_bytes = file_system.f_bsize > 0 ? (size_t)file_system.f_bsize : page_size();
    return 0;
}

int memory_require_whole(int descriptor, size_t size_bytes)
{
    struct stat status;

    if (fstat(descriptor, &status) < 0)
        return -errno;
    if (status.st_blocks < 0 || (uintmax_t)status.st_blocks > ((uintmax_t)size_bytes + SPARE_MAX) / STAT_BLOCK)
        return -EPROTO;
    if (ftruncate(descriptor, (off_t)size_bytes) < 0 || fstat(descriptor, &status) < 0)
        return -errno;
    return status.st_blocks >= 0 && (uintmax_t)status.st_blocks >= size_bytes / STAT_BLOCK ? 0 : -EPROTO;
}

/* Is this the memory of a client that keeps to the rules? 0, -EPROTO, -errno. */
static int memory_inspect(int descriptor, size_t size_bytes)
{
    memory_file file = {0};
    int r = memory_identify(descriptor, &file);

    if (r < 0)
        return r;
    /* fallocate() can make it end within a huge page, all of which is mapped: the rest would not be unmapped. */
    if (file.seals != SEALS_OF_CLIENT || file.size_bytes != size_bytes || size_bytes % file.page_bytes != 0)
        return -EPROTO;
    return 0;
}

/* Ends the client's power over the pages, then makes sure of them. 0, -EPROTO, -errno. */
static int memory_seal(int descriptor, size_t size_bytes, bool fills_holes)
{
    int seals;
    int r;

    /* EPERM: the client has sealed the seals since they were looked at. */
    if (fcntl(descriptor, F_ADD_SEALS, SEALS_OF_SERVER) < 0)
        return errno == EPERM ? -EPROTO : -errno;
    seals = fcntl(descriptor, F_GET_SEALS);
    if (seals < 0)
        return -errno;
    if ((seals & ~F_SEAL_EXEC) != (SEALS_OF_CLIENT | SEALS_OF_SERVER))
        return -EPROTO;

    r = fills_holes ? pages_allocate(descriptor, 0, size_bytes) : 0;
    return r < 0 ? r : memory_require_whole(descriptor, size_bytes);
}

static int memory_take(int descriptor, size_t size_bytes, memory_faults faults, bool fills_holes, void **ret_base)
{
    void *base = NULL;
    int r;

    if (!size_is_usable(size_bytes))
        return -EINVAL;

    r = memory_inspect(descriptor, size_bytes);
    if (r < 0)
        return r;
    r = memory_map(descriptor, size_bytes, &base);
    if (r < 0)
        return r == -EPERM || r == -EACCES ? -EPROTO : r;
    r = memory_seal(descriptor, size_bytes, fills_holes);
    if (r < 0)
        goto out_unmap;
    r = faults == MEMORY_PREFAULTED ? memory_populate(base, size_bytes) : 0;
    if (r < 0)
        goto out_unmap;

    *ret_base = base;
    return 0;

out_unmap:
    memory_unmap(base, size_bytes);
    return r;
}

int memory_adopt(int descriptor, size_t size_bytes, memory_faults faults, void **ret_base)
{
    return memory_take(descriptor, size_bytes, faults, true, ret_base);
}

int memory_adopt_whole(int descriptor, size_t size_bytes, memory_faults faults, void **ret_base)
{
    return memory_take(descriptor, size_bytes, faults, false, ret_base);
}

void memory_unmap(void *base, size_t size_bytes)
{
    int r = 0;

    if (base != NULL)
        r = munmap(base, size_bytes);
    assert(r == 0);
    (void)r;
}
