/* SPDX-License-Identifier: Apache-2.0 */
/*
 * place.h - the directories in which a server's name is looked for, and whether they are to be trusted.
 *
 *     $SHMRPC_DIR                alone where it is set; made 0700 where it is missing and its parent exists
 *     $XDG_RUNTIME_DIR/shmrpc    made 0700; left out where $XDG_RUNTIME_DIR is not a directory of this user
 *     /run/shmrpc                never made; left out where this user may not search it, or write to it to listen
 *     /tmp/shmrpc-$UID           made 0700
 *
 * Only who listens makes a directory. The second and the last must belong to this user, and nobody else may write to
 * them; the others may belong to anybody (mode and group decide who serves there) but are refused where everybody may
 * write to them and remove what others made (no sticky bit). None may be a symbolic link. In a program with raised
 * privileges (set-user-ID) both variables are as good as not set.
 *
 * A name that begins with '/' is the socket's path; its directory is the user's own business.
 */
#ifndef SHMRPC_RUNTIME_PLACE_H
#define SHMRPC_RUNTIME_PLACE_H

#define PLACE_NAME_MAX 200u /* bytes of a name */
#define PLACE_COUNT_MAX 3u

typedef enum place_kind {
    PLACE_PATH,      /* of an absolute path */
    PLACE_GIVEN,     /* $SHMRPC_DIR */
    PLACE_SESSION,   /* $XDG_RUNTIME_DIR/shmrpc */
    PLACE_SYSTEM,    /* /run/shmrpc */
    PLACE_TEMPORARY, /* /tmp/shmrpc-$UID */
} place_kind;

typedef struct place {
    place_kind kind;
    char *directory;
    char *path; /* of the name's socket in it */
} place;

typedef struct place_list {
    place items[PLACE_COUNT_MAX];
    unsigned count; /* at least 1 */
} place_list;

/* Where `name` is looked for, in order. 0, or MISUSE (NULL), NAME, NO_MEMORY; on failure nothing is to be freed. */
int place_list_init(place_list *ret_list, const char *name);
void place_list_deinit(place_list *list);

typedef enum place_use { PLACE_TO_LISTEN, PLACE_TO_CONNECT } place_use;

/*
 * Opens the directory (close-on-exec; to listen: such that it can be locked), or makes it. 0; UNAVAILABLE, without a
 * line, where it does not exist or is left out; NAME where the socket's path is too long; PERMISSION where it is not
 * to be trusted; what error_system() makes of the rest.
 */
int place_open(const place *at, place_use use, int *ret_directory);

#endif
