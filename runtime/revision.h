/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revision.h - the layouts that a method has had, and what the two sides have agreed on for it.
 *
 * Revisions are counted from the newest: 0 is that of the types in the method's description (shmrpc/generated.h), 1 the
 * one before, and so on. Both sides agree on the newest one that both have. Whose types are newer writes the first bytes
 * of its messages only, and fills what it does not get from the default image.
 */
#ifndef SHMRPC_REVISION_H
#define SHMRPC_REVISION_H

#include <shmrpc/generated.h>

/* What is agreed on for a method: one row of the table that each call and each request looks into. */
typedef struct method_terms {
    uint32_t request_least; /* bytes of a request on the wire: at least, and at most. A method that was not agreed on */
    uint32_t request_size;  /* has no number of bytes that is both. */
    uint32_t reply_least;
    uint32_t reply_size;
    uint32_t answer_size; /* bytes of the largest answer: of the reply, or a payload of an error */
    uint16_t number;      /* client: the server's number of the method; 0xfffe and above (control.h): there is none */
    uint16_t direct;      /* client: the same where its calls can be direct (client_direct.c), else 0xffff */
} method_terms;

/* Is this many bytes a length that a message can have on the wire? */
static inline bool terms_take(uint32_t length, uint32_t least, uint32_t size)
{
    return length >= least && length <= size;
}

/* The name that both sides know a method, or a service, by. */
static inline const char *method_wire_name(const shmrpc_method_info *method)
{
    return method->original != NULL ? method->original : method->name;
}

static inline const char *service_wire_name(const shmrpc_service_info *service)
{
    return service->original != NULL ? service->original : service->name;
}

/* How many there are that the other side is told of: at most CONTROL_REVISIONS_MAX, the newest ones. */
uint32_t revision_count(const shmrpc_method_info *method);

/* `index` is below revision_count(). `version` is 0 for the newest, whose version the tables do not say. */
shmrpc_revision_info revision_of(const shmrpc_method_info *method, uint32_t index);

/* The terms of a revision; numbers are none. */
method_terms revision_terms(const shmrpc_method_info *method, uint32_t index);

/* Those of a method that nothing is agreed on for. */
extern const method_terms terms_none;

#endif
