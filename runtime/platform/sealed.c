/* SPDX-License-Identifier: Apache-2.0 */
#include "sealed.h"

#include "memory.h"
#include "pages.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#define SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

int sealed_create(size_t size_bytes, sealed_memory *ret_memory)
{
    size_t size = memory_round(size_bytes);
    void *base;
    int descriptor;
    int r;

    if (size == 0)
        return -EINVAL;
    descriptor = pages_open(false);
    if (descriptor < 0)
        return descriptor;
    r = memory_set_size(descriptor, size);
    if (r < 0)
        goto out_close;
    base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    if (base == MAP_FAILED) {
        r = -errno;
        goto out_close;
    }
    if (madvise(base, size, MADV_DONTFORK) < 0) {
        r = -errno;
        memory_unmap(base, size);
        goto out_close;
    }
    *ret_memory = (sealed_memory){base, size, descriptor};
    return 0;

out_close:
    (void)close(descriptor);
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
    size_t used = memory_round(used_bytes);
    int r;

    assert(used != 0 && used <= self->size_bytes);
    r = pages_allocate(self->descriptor, 0, used);
    if (r < 0)
        return r;
    r = map_privately((char *)self->base + used, self->size_bytes - used, PROT_READ | PROT_WRITE, -1);
    if (r == 0)
        r = map_privately(self->base, used, PROT_READ | PROT_WRITE, self->descriptor);
    if (r == 0)
        r = memory_set_size(self->descriptor, used);
    if (r == 0 && madvise(self->base, self->size_bytes, MADV_DONTFORK) < 0)
        r = -errno;
    if (r == 0 && fcntl(self->descriptor, F_ADD_SEALS, SEALS) < 0)
        r = -errno;
    return r;
}

void sealed_free(sealed_memory *self, bool is_mapped)
{
    if (is_mapped)
        memory_unmap(self->base, self->size_bytes);
    (void)close(self->descriptor);
}

/* Is it sealed, whole, and of a size that fits? 0, -EPROTO, -errno. */
static int inspect(int descriptor, size_t room_bytes, size_t *ret_size)
{
    memory_file file;
    int flags = fcntl(descriptor, F_GETFL);
    int r;

    if (flags < 0)
        return -errno;
    if ((flags & O_PATH) || (flags & O_ACCMODE) != O_RDWR)
        return -EPROTO;
    r = memory_identify(descriptor, &file);
    if (r < 0)
        return r;
    if (file.seals != SEALS || file.size_bytes == 0 || file.size_bytes > memory_round(room_bytes) ||
        memory_round(file.size_bytes) != file.size_bytes)
        return -EPROTO;
    r = memory_require_whole(descriptor, file.size_bytes);
    if (r < 0)
        return r;
    *ret_size = file.size_bytes;
    return 0;
}

int sealed_adopt(int descriptor, size_t room_bytes, size_t *ret_size_bytes, const void **ret_base)
{
    size_t room = memory_round(room_bytes);
    size_t size = 0;
    void *base;
    int r;

    if (room == 0)
        return -EINVAL;
    r = inspect(descriptor, room_bytes, &size);
    if (r < 0)
        return r;
    base = mmap(NULL, room, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return -errno;
    r = map_privately(base, size, PROT_READ, descriptor);
    if (r == 0 && madvise(base, room, MADV_DONTFORK) < 0)
        r = -errno;
    if (r < 0) {
        memory_unmap(base, room);
        /* EINVAL: its pages are huge, and the room is not laid out for them. */
        return r == -EPERM || r == -EACCES || r == -EINVAL ? -EPROTO : r;
    }
    *ret_base = base;
    *ret_size_bytes = size;
    return 0;
}

void sealed_unmap(const void *base, size_t room_bytes)
{
    memory_unmap((void *)(uintptr_t)base, memory_round(room_bytes));
}
