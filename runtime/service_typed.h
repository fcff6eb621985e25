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

/*
 * What is known of a method before a request comes, and what has been learnt of its handlers. A method is plain where
 * both of its messages are in a slot whatever they say, and the application need not be asked.
 */
typedef struct typed_method {
    unsigned char plain_reply[SHMRPC_SLOT_PAYLOAD]; /* the default image, and zeros */
    const shmrpc_method_info *info;
    uint32_t plain_least;   /* bytes of its request: at least, and at most; where it is not plain, no number is both */
    uint32_t plain_most;    /* and all of the type */
    _Atomic bool calls_out; /* see current.h */
    bool has_request;
    bool has_reply;
    bool checks_request; /* it has values that are not valid */
    uint8_t plain_size;  /* bytes of its reply, where that is sent as it stands; else 0 */
} typed_method;

typedef struct typed_service {
    service base;
    shmrpc_server_binding binding;
    typed_method *methods; /* by number, as is: */
    method_terms *newest;  /* its newest revision, which most clients agree on */
    typed_name *names;     /* sorted, so that a client that asks for many methods does not take long */
} typed_service;

/* As service.agree(). */
int typed_agree(const service *self, const control_hello *hello, service_terms *ret_terms);

/* Of names, by name. */
int typed_compare_names(const void *a, const void *b);

#endif
