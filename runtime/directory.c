/* SPDX-License-Identifier: Apache-2.0 */
#include "directory.h"

#include "error.h"
#include "log.h"
#include "place.h"
#include "platform/clock.h"
#include "platform/socket.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LISTEN_BACKLOG 128
#define LOCK_TIMEOUT_NS INT64_C(5000000000)
#define RETRY_FIRST_NS INT64_C(1000000)
#define RETRY_MOST_NS INT64_C(50000000)

/* Sleeps before the next try, each time longer; false where no time is left. */
static bool retry_sleep(int64_t *retry_ns, int64_t until_ns)
{
    int64_t left_ns = clock_left_ns(until_ns);

    if (left_ns == 0)
        return false;
    clock_sleep_ns(*retry_ns < left_ns ? *retry_ns : left_ns);
    *retry_ns = *retry_ns * 2 < RETRY_MOST_NS ? *retry_ns * 2 : RETRY_MOST_NS;
    return true;
}

/* Whoever may read the directory can hold its lock, or be stopped while holding it: the wait is bounded. */
static int directory_lock(int directory, int64_t wait_ns)
{
    int64_t until_ns = clock_after_ns(wait_ns);
    int64_t retry_ns = RETRY_FIRST_NS;

    while (flock(directory, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK && errno != EINTR)
            return -errno;
        if (!retry_sleep(&retry_ns, until_ns))
            return -ETIMEDOUT;
    }
    return 0;
}

/* ---- listening ---- */

typedef enum probe_result { PROBE_FREE, PROBE_STALE, PROBE_LIVE } probe_result;

/* Is anybody behind this path? -errno where that cannot be told. */
static int directory_probe(const char *path)
{
    int descriptor = socket_connect(path);

    if (descriptor >= 0) {
        (void)close(descriptor);
        return PROBE_LIVE;
    }
    switch (descriptor) {
    case -ENOENT: return PROBE_FREE;
    case -ECONNREFUSED: return PROBE_STALE;
    case -EAGAIN:
    case -EPROTOTYPE: return PROBE_LIVE;
    default: return descriptor;
    }
}

/* Makes the path free for a socket. The directory is locked. 0 or a status. */
static int directory_clear(const char *path)
{
    struct stat status;
    int r = directory_probe(path);

    if (r < 0)
        return error_system(r, "looking for a server at %s", path);
    if (r == PROBE_FREE)
        return 0;
    if (r == PROBE_LIVE)
        return error_set(SHMRPC_E_IN_USE, "a server listens at %s", path);

    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : error_system(-errno, "looking at %s", path);
    if (!S_ISSOCK(status.st_mode))
        return error_set(SHMRPC_E_SYSTEM, "%s is in the way: it is not a socket", path);
    if (unlink(path) < 0 && errno != ENOENT)
        return error_system(-errno, "removing the stale socket %s", path);
    log_entry((shmrpc_log_entry){LOG_ABOUT(INFO, SOCKET_REMOVED), .socket = path}, "removed the stale socket %s", path);
    return 0;
}

/* Binds and fills the entry. The directory is locked. 0 or a status. */
static int directory_bind(const place *at, mode_t mode, directory_entry *ret_entry)
{
    directory_entry entry = {.descriptor = -1};
    struct stat status;
    int r;

    r = directory_clear(at->path);
    if (r != 0)
        return r;

    entry.path = strdup(at->path);
    entry.directory = strdup(at->directory);
    if (entry.path == NULL || entry.directory == NULL) {
        r = error_system(-ENOMEM, "listening at %s", at->path);
        goto out_free;
    }
    entry.descriptor = socket_listen(entry.path, mode, LISTEN_BACKLOG);
    if (entry.descriptor == -EADDRINUSE) {
        r = error_set(SHMRPC_E_IN_USE, "another program has bound %s", entry.path);
        goto out_free;
    }
    if (entry.descriptor < 0) {
        r = error_system(entry.descriptor, "listening at %s", entry.path);
        goto out_free;
    }
    if (lstat(entry.path, &status) < 0) {
        r = error_system(-errno, "looking at %s", entry.path);
        goto out_close;
    }
    entry.device = status.st_dev;
    entry.inode = status.st_ino;
    *ret_entry = entry;
    return 0;

out_close:
    (void)unlink(entry.path);
    (void)close(entry.descriptor);
out_free:
    free(entry.path);
    free(entry.directory);
    return r;
}

static int directory_listen_at(const place *at, mode_t mode, directory_entry *ret_entry)
{
    int directory;
    int r;

    r = place_open(at, PLACE_TO_LISTEN, &directory);
    if (r != 0)
        return r;
    r = directory_lock(directory, LOCK_TIMEOUT_NS);
    if (r < 0)
        r = error_system(r, "locking the directory %s", at->directory);
    else
        r = directory_bind(at, mode, ret_entry);
    (void)close(directory);
    return r;
}

int directory_listen(const char *name, mode_t mode, directory_entry *ret_entry)
{
    place_list places;
    int r;

    r = place_list_init(&places, name);
    if (r != 0)
        return r;
    for (unsigned i = 0; i < places.count; i++) {
        r = directory_listen_at(&places.items[i], mode, ret_entry);
        if (r != SHMRPC_E_UNAVAILABLE)
            break;
    }
    place_list_deinit(&places);

    /* The last place is made where it is missing, or an error. */
    assert(r != SHMRPC_E_UNAVAILABLE);
    return r;
}

void directory_claim(directory_entry *entry)
{
    entry->owner = getpid();
}

/* ---- releasing ---- */

static bool entry_is_still_there(const directory_entry *entry)
{
    struct stat status;

    return lstat(entry->path, &status) == 0 && S_ISSOCK(status.st_mode) && status.st_dev == entry->device &&
           status.st_ino == entry->inode;
}

/* Removes the name where it is this entry's to remove; closes the listener in any case. The directory is locked. */
static void entry_remove(directory_entry *entry)
{
    bool removable = entry_is_still_there(entry);
    int descriptor = entry->descriptor;

    if (removable && entry->owner == 0) {
        (void)close(descriptor);
        descriptor = -1;
        removable = directory_probe(entry->path) == PROBE_STALE;
    }
    if (removable && unlink(entry->path) < 0 && errno != ENOENT)
        log_entry((shmrpc_log_entry){LOG_ABOUT(WARNING, SOCKET_LEFT), .socket = entry->path},
                  "the socket %s could not be removed: %s", entry->path, strerrordesc_np(errno));
    if (descriptor >= 0)
        (void)close(descriptor);
}

/* false: not within this time; then nothing is given up but that clients come. */
static bool release(directory_entry *entry, int64_t wait_ns)
{
    int directory = -1;
    int r;

    if (entry->path == NULL)
        return true;

    if (entry->owner != 0 && entry->owner != getpid()) {
        (void)close(entry->descriptor);
        goto out_free;
    }

    directory = open(entry->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    r = directory < 0 ? -errno : directory_lock(directory, wait_ns);
    if (r == -ETIMEDOUT && wait_ns == 0) {
        socket_stop_listening(entry->descriptor);
        (void)close(directory);
        return false;
    }
    if (r == 0) {
        entry_remove(entry);
    } else {
        log_entry((shmrpc_log_entry){LOG_ABOUT(WARNING, SOCKET_LEFT), .socket = entry->path},
                  "the socket %s is left behind: its directory could not be locked: %s", entry->path,
                  strerrordesc_np(-r));
        (void)close(entry->descriptor);
    }
    if (directory >= 0)
        (void)close(directory);

out_free:
    free(entry->path);
    free(entry->directory);
    *entry = (directory_entry){.descriptor = -1};
    return true;
}

void directory_release(directory_entry *entry)
{
    (void)release(entry, LOCK_TIMEOUT_NS);
}

bool directory_try_release(directory_entry *entry)
{
    return release(entry, 0);
}

/* ---- connecting ---- */

/* A socket; -EAGAIN where the server's backlog is full; UNAVAILABLE, without a line, where nobody listens; a status. */
static int directory_connect_at(const place *at)
{
    int directory;
    int r;

    if (at->kind != PLACE_PATH) {
        r = place_open(at, PLACE_TO_CONNECT, &directory);
        if (r != 0)
            return r;
        (void)close(directory);
    }

    r = socket_connect(at->path);
    switch (r) {
    case -EAGAIN: return r;
    case -ENOENT:
    case -ENOTDIR:
    case -ECONNREFUSED: return SHMRPC_E_UNAVAILABLE;
    case -EPROTOTYPE: return error_set(SHMRPC_E_SYSTEM, "%s is a socket of another kind", at->path);
    default: return r < 0 ? error_system(r, "connecting to %s", at->path) : r;
    }
}

/* One look at each place. What it returns is what directory_connect_at() returns. */
static int directory_connect_once(const place_list *places)
{
    int result = SHMRPC_E_UNAVAILABLE;

    for (unsigned i = 0; i < places->count; i++) {
        int r = directory_connect_at(&places->items[i]);

        if (r >= 0 || r == -EAGAIN)
            return r;
        if (r != SHMRPC_E_UNAVAILABLE)
            result = r;
    }
    return result;
}

static int error_nobody_listens(const place_list *places, const char *name)
{
    const place *items = places->items;

    if (items[0].kind == PLACE_PATH)
        return error_set(SHMRPC_E_UNAVAILABLE, "nobody listens at %s", name);
    return error_set(SHMRPC_E_UNAVAILABLE, "nobody listens as \"%s\" in %s%s%s%s%s", name, items[0].directory,
                     places->count > 1 ? ", " : "", places->count > 1 ? items[1].directory : "",
                     places->count > 2 ? ", " : "", places->count > 2 ? items[2].directory : "");
}

int directory_connect(const char *name, int64_t until_ns, bool wait)
{
    int64_t retry_ns = RETRY_FIRST_NS;
    place_list places;
    int r;

    r = place_list_init(&places, name);
    if (r != 0)
        return r;
    do {
        r = directory_connect_once(&places);
        if (r != -EAGAIN && !(wait && r == SHMRPC_E_UNAVAILABLE))
            break;
    } while (retry_sleep(&retry_ns, until_ns));

    if (r == -EAGAIN)
        r = error_set(SHMRPC_E_UNAVAILABLE, "the server \"%s\" did not accept the connection in time", name);
    else if (r == SHMRPC_E_UNAVAILABLE)
        r = error_nobody_listens(&places, name);
    place_list_deinit(&places);
    return r;
}
