/* SPDX-License-Identifier: Apache-2.0 */
/*
 * types.h - the types of the matrix: how each is spelled, which values it is given, and which ones are refused.
 *
 * In all C here `$` stands for the place: an lvalue, be it a member, an element or a variable. Statements set all of the
 * value that has a meaning, and nothing else, since they run over memory that holds anything. They name members as a
 * user does, so what they mean does not come from the compiler that is tested.
 */
#ifndef SHMRPC_TEST_MATRIX_TYPES_H
#define SHMRPC_TEST_MATRIX_TYPES_H

#define MATRIX_VALUES_MAX 16
#define MATRIX_FAULTS_MAX 12

/* A value that is refused: what makes it of any memory, and what the refusal says. */
typedef struct matrix_type_fault {
    const char *set;
    const char *path;   /* behind the path of the place: "", "[]", ".word" */
    const char *reason; /* "more than 3 items" */
} matrix_type_fault;

typedef struct matrix_type {
    const char *key;                             /* "i8": part of all names */
    const char *base;                            /* "int8", "vector<uint16, 3>" */
    const char *dims;                            /* "[2][3]", or "" */
    const char *values[MATRIX_VALUES_MAX];       /* NULL-terminated, at least two, each unlike the one before */
    matrix_type_fault faults[MATRIX_FAULTS_MAX]; /* up to the first without `set` */
} matrix_type;

/* What the types refer to. In names, "t" stands for the package. */
extern const char matrix_declarations[];

extern const matrix_type matrix_types[];
extern const unsigned matrix_type_count;

#endif
