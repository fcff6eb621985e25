/* SPDX-License-Identifier: Apache-2.0 */
/* service_typed.h - what the parts of a service that shmc made share. */
#ifndef SHMRPC_SERVICE_TYPED_H
#define SHMRPC_SERVICE_TYPED_H

#include "service.h"

#include <shmrpc/generated.h>
#include <shmrpc/host.h>

/* A method's name and number. */
typedef struct typed_name {
    const char *name;
    uint32_t number;
} typed_name;

/* What has been learnt of a method's handlers. */
typedef struct typed_habit {
    _Atomic bool calls_out; /* see current.h */
} typed_habit;

typedef struct typed_service {
    service base;
    shmrpc_server_binding binding;
    typed_habit *habits;  /* by method */
    typed_name *names;    /* sorted, so that a client that asks for many methods does not take long */
    method_terms *newest; /* by method: its newest revision, which most clients agree on */
} typed_service;

/* As service.agree(). */
int typed_agree(const service *self, const control_hello *hello, service_terms *ret_terms);

/* Of names, by name. */
int typed_compare_names(const void *a, const void *b);

#endif
