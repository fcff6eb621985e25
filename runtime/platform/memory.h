/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory.h - memory that two processes map: made and charged to one, sealed by the other.
 *
 * The client makes it: memfd_create (MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL, without the last where the kernel does not know
 * it), ftruncate, fallocate, seals SHRINK | GROW (as well as EXEC where NOEXEC_SEAL set it). The server takes a descriptor
 * that anything may be behind: it must be a memfd (fstatfs: tmpfs or hugetlbfs), of exactly the size asked for, with exactly these seals;
 * it maps it, adds FUTURE_WRITE | SEAL, so that nobody can punch holes, truncate, or map it writable anew, then fallocates again and looks
 * at the block count, because before the seal the client could have punched holes. After that no access can fault.
 */
#ifndef SHMRPC_PLATFORM_MEMORY_H
#define SHMRPC_PLATFORM_MEMORY_H

#include <stddef.h>

/* A new shared memory, mapped, faulted in, all zero, MADV_DONTFORK. Returns 0 or -errno; on failure nothing stays open. */
int memory_create(size_t size_bytes, void **ret_base, int *ret_descriptor);

/* What a client sent. The descriptor stays the caller's. Returns 0; -EPROTO where it is not what it has to be; or -errno. */
int memory_adopt(int descriptor, size_t size_bytes, void **ret_base);

void memory_unmap(void *base, size_t size_bytes); /* NULL is allowed */

/* Rounded up to whole pages; 0 where that overflows. */
size_t memory_round(size_t size_bytes);

#endif
