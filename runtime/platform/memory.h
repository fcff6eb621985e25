/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - memory that two processes map: made by and charged to one, sealed by the other.
 *
 * The client makes it: memfd_create (MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL, without the last where the
 * kernel does not know it), ftruncate, seals SHRINK | GROW (MFD_NOEXEC_SEAL has set EXEC), maps, makes the pages
 * (pages.h).
 *
 * The server takes a descriptor that anything may be behind. It must be a memfd (fstatfs: tmpfs or hugetlbfs; an
 * ordinary file has no seals), open for reading and writing, of exactly the size asked for, with exactly these seals.
 * The server maps it and adds FUTURE_WRITE | SEAL: from here on nobody can punch holes, truncate, write() or map it
 * writable anew, while the two mappings that exist live on. Until then the client could have punched holes, so
 * the server fallocates once more and compares the block count with the size. After that no access can fault.
 *
 * The kernel takes the inode's lock around adding seals, punching and truncating, so that none of these is half done
 * when the seal is there.
 */
#ifndef SHMRPC_PLATFORM_MEMORY_H
#define SHMRPC_PLATFORM_MEMORY_H

#include <stddef.h>

/* All pages exist in either case; when does a process enter them into its tables? */
typedef enum memory_faults {
    MEMORY_ON_DEMAND,  /* each when it is touched first */
    MEMORY_PREFAULTED, /* all before the memory is used, so that no call pays for it */
} memory_faults;

typedef enum memory_pages {
    MEMORY_ORDINARY_PAGES,
    MEMORY_LARGE_PAGES, /* huge, else transparent, else ordinary, as they are to be had (pages.h) */
} memory_pages;

#define MEMORY_ANY_NODE (-1)
#define MEMORY_NODES_MAX 1024 /* nodes that the kernel can have */

/*
 * A new shared memory of size_bytes (whole pages, above 0): mapped, all zero, not inherited by forked children; its
 * pages on this node of the machine, or MEMORY_ANY_NODE. Large pages are for sizes that are multiples of PAGES_LARGE;
 * of another size, whole ones of it may be transparent. 0; -EINVAL for another size, -ENODEV for a node that is not
 * there; -errno. On failure nothing stays open or mapped.
 */
int memory_create(size_t size_bytes, memory_faults faults, memory_pages pages, int node, void **ret_base,
                  int *ret_descriptor);

/*
 * Maps what a client sent, of whatever pages, so that large ones have large entries. The descriptor stays the
 * caller's; the mapping does not need it. 0; -EPROTO where it is not what it has to be; -EINVAL for a size that
 * memory_create() would not take; -errno.
 */
int memory_adopt(int descriptor, size_t size_bytes, memory_faults faults, void **ret_base);

/* The same of a memory that may be large: one with holes is refused (-EPROTO) and not filled at this side's expense. */
int memory_adopt_whole(int descriptor, size_t size_bytes, memory_faults faults, void **ret_base);

/* Takes NULL. */
void memory_unmap(void *base, size_t size_bytes);

/* Rounded up to whole pages; 0 where that overflows. */
size_t memory_round(size_t size_bytes);

/* ---- parts of it, for memory of other kinds (sealed.h) ---- */

/* 0, -EFBIG (the limit for files, without its signal), -errno. */
int memory_set_size(int descriptor, size_t size_bytes);

/* What is known of a memfd; each may change unless a seal says that it cannot. */
typedef struct memory_file {
    int seals; /* without EXEC */
    size_t size_bytes;
    size_t page_bytes; /* of its pages, if they are huge; else of ordinary ones */
} memory_file;

/* 0; -EPROTO: it is no memfd that can be read and written; -errno. Never waits for a file system. */
int memory_identify(int descriptor, memory_file *ret_file);

/*
 * Are there pages for all of a memfd of this size, which is sealed so that neither its size changes nor a page is taken
 * away? They are counted, and those that fallocate() has made behind the end count like others: they are given back
 * first, unless they are many, for which whoever closes the file has a thread. The descriptor can write. 0, -EPROTO,
 * -errno.
 */
int memory_require_whole(int descriptor, size_t size_bytes);

#endif
