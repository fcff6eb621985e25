/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pages.h - files of memory (memfd), the pages that they are made of, and where they are mapped.
 *
 * Beside ordinary pages there are two kinds of 2 MiB, of which a process needs one entry of its tables, not 512:
 *
 *     huge          of the pool that the administrator sets aside (/proc/sys/vm/nr_hugepages), for files that are
 *                   opened for them. Their sizes, and what is mapped or unmapped of them, are multiples of 2 MiB.
 *     transparent   those that the kernel makes of ordinary memory where it finds 2 MiB in one piece, if
 *                   /sys/kernel/mm/transparent_hugepage/shmem_enabled is `advise` or more. Split again where it has to.
 *
 * A process has large entries only where its mapping begins at a multiple of 2 MiB, be it the one that made the memory
 * or another.
 */
#ifndef SHMRPC_PLATFORM_PAGES_H
#define SHMRPC_PLATFORM_PAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGES_LARGE ((size_t)2 * 1024 * 1024) /* bytes of a page that is huge or transparent */

typedef enum pages_kind {
    PAGES_ORDINARY,
    PAGES_TRANSPARENT, /* at least one */
    PAGES_HUGE,
} pages_kind;

/* Rounded up to whole large pages. `size_bytes` is no more than 2^63. */
static inline uint64_t pages_round(uint64_t size_bytes)
{
    return (size_bytes + PAGES_LARGE - 1) & ~((uint64_t)PAGES_LARGE - 1);
}

/*
 * A new memfd of no size: closed by exec, sealable, and not executable where the kernel can say so. `is_huge`: of huge
 * pages, which shows only when it is mapped or allocated whether there are any (-ENOMEM, -ENOSPC). A descriptor or
 * -errno.
 */
int pages_open(bool is_huge);

/*
 * Maps all of a file, shared, for PROT_...: at a multiple of 2 MiB where it is as large as that and there is room. 0 or
 * -errno; munmap() of the same size undoes it.
 */
int pages_map(int descriptor, size_t size_bytes, int protection, void **ret_base);

/*
 * Makes the pages from `offset` on, so that touching them cannot fail. Those that are there stay. For files of any
 * kind, also where signals interrupt it. 0 or -errno.
 */
int pages_allocate(int descriptor, size_t offset, size_t size_bytes);

/*
 * Enters all pages of a mapping into the process's tables, and makes those that are not there. 0 or -errno: -EINVAL
 * before Linux 5.14, -EFAULT where there is no huge page left on the nodes that the mapping is bound to.
 */
int pages_enter(void *base, size_t size_bytes);

/*
 * Makes the pages of an ordinary file that has none yet, transparent where they are to be had: of `base`, where
 * pages_map() has put it, as many whole ones as there are; the rest ordinary. Those are entered into the process's
 * tables too. 0 or -errno.
 */
int pages_allocate_transparent(int descriptor, void *base, size_t size_bytes);

/*
 * What a mapping has, as far as its pages are in the process's tables: read from /proc/self/smaps, which takes as long
 * as the process has mappings and pages. PAGES_ORDINARY also where that cannot be read.
 */
pages_kind pages_find(const void *base, size_t size_bytes);

#endif
