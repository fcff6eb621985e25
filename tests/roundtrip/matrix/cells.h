/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cells.h - the matrix as its generator writes it down: tables of what run.c is to do.
 */
#ifndef SHMRPC_TEST_MATRIX_CELLS_H
#define SHMRPC_TEST_MATRIX_CELLS_H

#include <shmrpc/generated.h>

/* How a message is refused. */
typedef struct matrix_fault {
    const char *field;  /* the path: "s[].x" */
    const char *reason; /* "neither 0 nor 1" */
} matrix_fault;

/* A message, or the payload of an error. */
typedef struct matrix_record {
    const shmrpc_type_info *info;
    unsigned value_count;
    void (*set)(void *record, unsigned value);   /* all that has a meaning, in memory that holds anything */
    void (*spoil)(void *record, unsigned fault); /* likewise, with one of its faults */
    const matrix_fault *faults;
    unsigned fault_count;
} matrix_record;

/* A type in a position. */
typedef struct matrix_cell {
    const char *position;
    const matrix_record *request;
    const matrix_record *answer; /* the reply; where `error` is not 0, its payload */
    int error;
    /* The typed call; `reply` is not touched where there is an error. */
    int (*call)(void *client, const void *request, void *reply);
    const void *(*payload)(const void *client); /* NULL where there is no error */
} matrix_cell;

/* A type: a service, with a method for each position. */
typedef struct matrix_row {
    const char *type;
    const shmrpc_service_info *service;
    const void *operations;
    int (*server_init)(shmrpc_server *server, const char *name);
    int (*connect)(void **ret_client, const char *name);
    const matrix_cell *cells; /* in the order of the service's methods */
    unsigned cell_count;
} matrix_row;

typedef struct matrix_part {
    const matrix_row *rows;
    unsigned row_count;
} matrix_part;

/* Ends with an empty one. */
extern const matrix_part *const matrix_parts[];

/* What each operation does: notes the request and fills in the answer, in memory of garbage. */
int matrix_answer(const void *request, void *answer);

#endif
