/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory.h - where servers are found: a name is a socket in a directory (place.h says which).
 *
 * A server binds in the first place that there is or that can be made; a client tries each. A name has 1 .. 200 bytes:
 * letters, digits, '.', '_', '-' in parts between '/'; no part is empty, "." or "..". Its file is the name with '/' as
 * '%', so that names and files are in one-to-one relation. A name that begins with '/' is the socket's path. In both
 * cases the path must fit an address (107 bytes).
 *
 * Binding: under flock() of the directory the socket is probed, a stale one is removed, then a new one is bound and
 * listened on. Stale means ECONNREFUSED: nobody has the socket open any more. A server that does not answer, or whose
 * backlog is full, is not stale; a live server is never replaced. The lock belongs to the open directory, so a crash
 * frees it; what a crash between bind and listen leaves behind is stale.
 *
 * Releasing: under the same lock, the socket's file is removed if it is still the one that was made. Its inode is held
 * by the listener until then, so that its number is not used again.
 *
 * A process may fork after directory_listen(): both then have the listener. Who serves claims the entry, and its
 * release removes the name. The release of an entry that nobody claimed removes the name only where nobody else has
 * the listener open; that of an entry which another process had claimed before this one was forked never does.
 */
#ifndef SHMRPC_RUNTIME_DIRECTORY_H
#define SHMRPC_RUNTIME_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct directory_entry {
    int descriptor;  /* the listener */
    char *path;      /* of the socket; heap; NULL: nothing to release */
    char *directory; /* that it is in; heap */
    dev_t device;    /* of the socket's inode */
    ino_t inode;
    pid_t owner; /* the process that has claimed it; 0: none */
} directory_entry;

/*
 * Takes the name. `mode`: permission bits of the socket. Waits up to 5 s for the directory's lock. 0, or MISUSE (NULL),
 * NAME, IN_USE, PERMISSION, NO_MEMORY, LIMIT, SYSTEM.
 */
int directory_listen(const char *name, mode_t mode, directory_entry *ret_entry);

/* The calling process serves from here on. */
void directory_claim(directory_entry *entry);

/*
 * Gives the name up as said above and closes the listener. Takes a released and a zeroed entry. Waits up to 5 s for the
 * directory's lock.
 */
void directory_release(directory_entry *entry);

/*
 * The same without waiting, by who has claimed it. false: somebody else has the lock. Then clients are told that nobody
 * listens, and another server may take the name; directory_release() has the rest to do.
 */
bool directory_try_release(directory_entry *entry);

/*
 * Connects to the server of this name before until_ns (clock.h): with `wait`, tries again (after 1 ms, doubling to
 * 50 ms) while nobody listens; a full backlog is tried again in any case. Tries at least once. Returns a connected
 * socket, or MISUSE (NULL), NAME, UNAVAILABLE, PERMISSION, NO_MEMORY, LIMIT, SYSTEM.
 */
int directory_connect(const char *name, int64_t until_ns, bool wait);

#endif
