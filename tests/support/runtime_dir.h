/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runtime_dir.h - a private folder for the servers of one test case.
 *
 * As fixtures: tcase_add_checked_fixture(tests, runtime_dir_make, runtime_dir_remove).
 * Tests of one machine then run side by side, and see only their own servers.
 */
#ifndef SHMRPC_TEST_RUNTIME_DIR_H
#define SHMRPC_TEST_RUNTIME_DIR_H

#include <stddef.h>

/*
 * Makes the folder (0700, a short path) and sets SHMRPC_DIR to it. Once per case. What a case that failed leaves is
 * removed with the runner's folder when the suites have ended.
 */
void runtime_dir_make(void);

/* Its path, valid until runtime_dir_remove(). */
const char *runtime_dir_path(void);

/* How many entries it has: 0 once all servers have ended. */
size_t runtime_dir_entries(void);

/* Removes it with all that is in it and unsets SHMRPC_DIR. */
void runtime_dir_remove(void);

/* For the runner: the folder that those of all cases lie in. 0 or -errno. */
int runtime_dir_base_make(void);
int runtime_dir_base_remove(void);

#endif
