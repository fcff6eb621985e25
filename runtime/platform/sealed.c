/* SPDX-License-Identifier: Apache-2.0 */
#include "sealed.h"

#include "memory.h"
#include "pages.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

static size_t round_to(size_t size_bytes, size_t page_bytes)
{
    return (size_bytes + page_bytes - 1) / page_bytes * page_bytes;
}

/* ---- who makes it ---- */

/* `size` is of whole pages. */
static int create(size_t size, size_t page_bytes, bool is_huge, sealed_memory *ret_memory)
{
    void *base = NULL;
    int descriptor = pages_open(is_huge);
    int r;

    if (descriptor < 0)
        return descriptor;
    r = memory_set_size(descriptor, size);
    if (r == 0)
        r = pages_map(descriptor, size, PROT_READ | PROT_WRITE, &base);
    if (r == 0 && madvise(base, size, MADV_DONTFORK) < 0) {
        r = -errno;
        memory_unmap(base, size);
    }
    if (r < 0) {
        (void)close(descriptor);
        return r;
    }
    *ret_memory = (sealed_memory){base, size, page_bytes, descriptor};
    return 0;
}

/*
 * Mapping has taken huge pages out of the pool; that they are to be had here, on the nodes and within the limits that
 * this process is bound to, shows when they are touched: as an error now, not as a signal later.
 */
static int make_huge(size_t size, sealed_memory *ret_memory)
{
    int r = create(size, PAGES_LARGE, true, ret_memory);

    if (r < 0)
        return r;
    r = pages_enter(ret_memory->base, size);
    if (r == -EINVAL)
        r = pages_allocate(ret_memory->descriptor, 0, size);
    if (r < 0)
        sealed_free(ret_memory, true);
    return r;
}

int sealed_create(size_t size_bytes, bool is_large, sealed_memory *ret_memory)
{
    size_t size = memory_round(size_bytes);
    int r;

    if (size == 0 || size > PTRDIFF_MAX)
        return -EINVAL;
    is_large = is_large && size >= PAGES_LARGE;
    if (is_large && make_huge((size_t)pages_round(size), ret_memory) == 0)
        return 0;
    r = create(size, memory_round(1), false, ret_memory);
    if (r == 0 && is_large)
        (void)madvise(ret_memory->base, size, MADV_HUGEPAGE); /* as far as shmem_enabled goes */
    return r;
}

/* Puts a private mapping in the place of one that is there, of the file or of nothing. */
static int map_privately(void *base, size_t size, int protection, int descriptor)
{
    int flags = MAP_PRIVATE | MAP_FIXED | MAP_NORESERVE | (descriptor < 0 ? MAP_ANONYMOUS : 0);

    if (size == 0)
        return 0;
    return mmap(base, size, protection, flags, descriptor, 0) == MAP_FAILED ? -errno : 0;
}

int sealed_seal(sealed_memory *self, size_t used_bytes)
{
    size_t used = round_to(used_bytes, self->page_bytes);
    int r;

    assert(used != 0 && used <= self->size_bytes);
    r = pages_allocate(self->descriptor, 0, used);
    if (r == 0)
        r = map_privately((char *)self->base + used, self->size_bytes - used, PROT_READ, -1);
    if (r == 0)
        r = map_privately(self->base, used, PROT_READ, self->descriptor);
    if (r == 0)
        r = memory_set_size(self->descriptor, used);
    if (r == 0 && madvise(self->base, self->size_bytes, MADV_DONTFORK) < 0)
        r = -errno;
    if (r == 0 && fcntl(self->descriptor, F_ADD_SEALS, SEALS) < 0)
        r = -errno;
    return r;
}

/* A copy, since a private mapping of huge pages would need others to be written to, and there may be none. */
int sealed_keep(sealed_memory *self)
{
    void *copy = mmap(NULL, self->size_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int r = 0;

    if (copy == MAP_FAILED) {
        r = -errno;
        if (self->page_bytes < PAGES_LARGE && mprotect(self->base, self->size_bytes, PROT_READ | PROT_WRITE) == 0)
            r = 0;
        return r;
    }
    memcpy(copy, self->base, self->size_bytes);
    if (madvise(copy, self->size_bytes, MADV_DONTFORK) < 0 ||
        mremap(copy, self->size_bytes, self->size_bytes, MREMAP_MAYMOVE | MREMAP_FIXED, self->base) == MAP_FAILED) {
        r = -errno;
        memory_unmap(copy, self->size_bytes);
    }
    return r;
}

void sealed_free(sealed_memory *self, bool is_mapped)
{
    if (is_mapped)
        memory_unmap(self->base, self->size_bytes);
    (void)close(self->descriptor);
}

/* ---- who takes it ---- */

/* For pages of either kind. */
static size_t whole_room(size_t room_bytes)
{
    return (size_t)pages_round(room_bytes);
}

/* Is it sealed, whole, and of a size that fits? 0, -EPROTO, -errno. */
static int inspect(int descriptor, size_t room_bytes, size_t *ret_size)
{
    memory_file file = {0};
    int r = memory_identify(descriptor, &file);

    if (r < 0)
        return r;
    if (file.seals != SEALS || file.page_bytes > PAGES_LARGE || file.size_bytes == 0 ||
        file.size_bytes > round_to(room_bytes, file.page_bytes) || file.size_bytes % file.page_bytes != 0)
        return -EPROTO;
    r = memory_require_whole(descriptor, file.size_bytes);
    if (r < 0)
        return r;
    *ret_size = file.size_bytes;
    return 0;
}

/* So much that reads as zeros, at a multiple of 2 MiB. */
static int map_room(size_t room, void **ret_base)
{
    unsigned char *wide = mmap(NULL, room + PAGES_LARGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    size_t before;

    if (wide == MAP_FAILED)
        return -errno;
    before = (PAGES_LARGE - (uintptr_t)wide % PAGES_LARGE) % PAGES_LARGE;
    if (before != 0)
        memory_unmap(wide, before);
    memory_unmap(wide + before + room, PAGES_LARGE - before);
    *ret_base = wide + before;
    return 0;
}

int sealed_adopt(int descriptor, size_t room_bytes, size_t *ret_size_bytes, const void **ret_base)
{
    size_t room = whole_room(room_bytes);
    size_t size = 0;
    void *base = NULL;
    int r;

    if (room_bytes == 0 || room_bytes > PTRDIFF_MAX)
        return -EINVAL;
    r = inspect(descriptor, room_bytes, &size);
    if (r < 0)
        return r;
    r = map_room(room, &base);
    if (r < 0)
        return r;
    r = map_privately(base, size, PROT_READ, descriptor);
    if (r == 0 && madvise(base, room, MADV_DONTFORK) < 0)
        r = -errno;
    if (r < 0) {
        memory_unmap(base, room);
        return r == -EPERM || r == -EACCES ? -EPROTO : r;
    }
    *ret_base = base;
    *ret_size_bytes = size;
    return 0;
}

void sealed_unmap(const void *base, size_t room_bytes)
{
    memory_unmap((void *)(uintptr_t)base, whole_room(room_bytes));
}
