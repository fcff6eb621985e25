/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name_service.h - what the tests of names and of directories share: a private directory per case, servers in children.
 *
 * The helpers without "expect" in their name may be used in children too.
 */
#ifndef SHMRPC_TEST_NAME_SERVICE_H
#define SHMRPC_TEST_NAME_SERVICE_H

#include "test_support.h"

#include "runtime/directory.h"

#include <stdbool.h>

/* Fixtures: as runtime_dir_make() and _remove(), and nothing may be left behind in between. */
void name_service_setup(void);
void name_service_teardown(void);

/* The caller's to free. */
char *path_in(const char *directory, const char *file);

bool is_socket(const char *directory, const char *file);

/* One look, without waiting: a socket or a status. */
int connect_now(const char *name);

/* Connects and closes: does anybody listen? */
bool is_served(const char *name);

/* The line of the last error has this in it. */
void expect_line_with(const char *part);

/* Listening fails like this, and touches nothing. */
void expect_listen_refused(const char *name, int status, const char *part);

void expect_listen(const char *name, directory_entry *ret_entry);

/* A child that listens, claims and serves (accepts nothing) until end_server(): 'e' ends it, 'c' crashes it. */
void spawn_server(child *ret_child, char *name);
void end_server(child *process, char how);

#endif
