/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory.h - where servers are found: a name is a socket in a directory.
 *
 * A name is looked up in $SHMRPC_DIR alone where that is set; else in $XDG_RUNTIME_DIR/shmrpc, /run/shmrpc and /tmp/shmrpc-$UID,
 * in this order. A server binds in the first that exists or can be made ($SHMRPC_DIR and $XDG_RUNTIME_DIR/shmrpc are made 0700 where
 * missing, /run/shmrpc is never made, /tmp/shmrpc-$UID is made 0700); a client tries each. /tmp/shmrpc-$UID, and every directory that is made, must be
 * a directory of this user that nobody else may write to, and no symbolic link: PERMISSION names it otherwise. An absolute path is taken as it is.
 *
 * A name has 1 .. 200 bytes: letters, digits, '.', '_', '-' in parts between '/'; no part is empty, "." or "..". Its file
 * is the name with '/' as '%', so that names and files are in one-to-one relation. The path must fit sun_path (107 bytes): TOO_LARGE or NAME says by how much.
 *
 * Binding: under flock() of the directory the socket is probed, a stale one is removed (stale means ECONNREFUSED; a
 * server that does not answer is not stale), then bound and listened on. A live server is never replaced.
 */
#ifndef SHMRPC_DIRECTORY_H
#define SHMRPC_DIRECTORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct directory_entry {
    int descriptor;  /* the listener */
    char *path;      /* heap */
    dev_t device;    /* of the socket's inode: what is removed is what was made */
    ino_t inode;
    pid_t owner;     /* the process that listens; a forked child takes it over with directory_claim() */
} directory_entry;

/* Returns 0 or a status (error.h). */
int directory_listen(const char *name, mode_t mode, directory_entry *ret_entry);

/* The calling process serves from here on: it is the one that removes the socket. */
void directory_claim(directory_entry *entry);

/* Closes; removes the socket where it is still the same inode and this process owns it (under the same flock). */
void directory_release(directory_entry *entry);

/*
 * Connects to the server of this name before until_ns (clock.h): with `wait`, tries again (1 ms, doubling to 50 ms) while nobody listens; a full backlog
 * is tried again in any case. Returns a connected socket >= 0, or a status: NAME, TOO_LARGE, UNAVAILABLE, PERMISSION, SYSTEM, LIMIT.
 */
int directory_connect(const char *name, int64_t until_ns, bool wait);

#endif
