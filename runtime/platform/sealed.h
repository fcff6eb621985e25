/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sealed.h - memory that one process fills and then can never change again, for another one to read where it is.
 *
 * Whoever makes it: memfd_create, ftruncate, maps it for writing and fills it. Then holes in what is in use are filled,
 * the rest is cut off, and the mapping is replaced, at the same address, by a private one for reading: there is no
 * mapping left through which the file could be written, so that F_SEAL_WRITE can be set, with SHRINK | GROW | SEAL. The
 * descriptor is sent.
 *
 * Whoever takes it looks for exactly these seals, for the size and, since reading a hole would make a page at the reader's
 * expense, for as many blocks as the size has (memory_require_whole(): so the descriptor is one that could write); after
 * the seals none of it can change. It is mapped for reading, privately (before Linux 6.7 a shared mapping of what is sealed
 * is refused also for reading), at the beginning of a larger room that reads as zeros.
 *
 * Pages of 2 MiB (pages.h) make most of what that takes much less: the maker chooses, and the room fits either kind.
 */
#ifndef SHMRPC_PLATFORM_SEALED_H
#define SHMRPC_PLATFORM_SEALED_H

#include <stdbool.h>
#include <stddef.h>

typedef struct sealed_memory {
    void *base;
    size_t size_bytes; /* whole pages */
    size_t page_bytes;
    int descriptor;
} sealed_memory;

/*
 * A new memory of at least so many bytes (above 0), all zero, for this process to write; not inherited by forked
 * children. Its pages come as they are touched; `is_large`: of large pages, as far as they are to be had and it takes one,
 * of which those of the pool come at once.
 * 0; -EINVAL, -EFBIG, -ENOMEM, -errno: nothing stays open or mapped.
 */
int sealed_create(size_t size_bytes, bool is_large, sealed_memory *ret_memory);

/*
 * From here on the file's first used_bytes (whole pages of them; above 0) are what they are, and there is no more of it.
 * The memory stays where it is, to be read. 0; -EBUSY where another mapping can still write, or a transfer to it has not
 * ended; -errno: the file is of no use.
 */
int sealed_seal(sealed_memory *self, size_t used_bytes);

/*
 * After seal(), whatever that said: the memory can be written again, at the same place, without effect on the file. What
 * was beyond used_bytes may be zero. 0 or -ENOMEM: it can only be read.
 */
int sealed_keep(sealed_memory *self);

/* Unmaps, where it is mapped (in a forked child it is not), and closes. */
void sealed_free(sealed_memory *self, bool is_mapped);

/*
 * Maps what a peer says to be sealed into a room of room_bytes (above 0), of which the rest reads as zeros. *ret_size_bytes
 * is its size, at most that of the room in whole pages of its kind. The descriptor stays the caller's; the mapping does not
 * need it. 0; -EPROTO where it is not what it has to be; -errno.
 */
int sealed_adopt(int descriptor, size_t room_bytes, size_t *ret_size_bytes, const void **ret_base);

/* Takes NULL. */
void sealed_unmap(const void *base, size_t room_bytes);

#endif
