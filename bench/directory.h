/* SPDX-License-Identifier: Apache-2.0 */
/*
 * directory.h - a runtime directory for the servers of one run of a bench, so that no other server is met and nothing
 * stays.
 */
#ifndef BENCH_DIRECTORY_H
#define BENCH_DIRECTORY_H

/*
 * Makes a private directory below $TMPDIR or /tmp and sets SHMRPC_DIR to it. Returns its path, to be freed by
 * _free(), or NULL with errno.
 */
char *bench_directory_new(void);

/* Removes the directory with all files in it, also sockets that a killed server left. Takes NULL. */
void bench_directory_free(char *path);

#endif
