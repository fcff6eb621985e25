/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service.h - what a server offers, as the server's loop sees it: something that agrees on terms with a client, and
 * answers requests.
 *
 * Two of them exist: services made by shmc (service_typed.c) and the raw transport (service_raw.c).
 */
#ifndef SHMRPC_SERVICE_H
#define SHMRPC_SERVICE_H

#include "control.h"
#include "lane_server.h"
#include "metadata.h"
#include "revision.h"

#include <shmrpc/server.h>

/* What a connection will carry. */
typedef struct service_terms {
    uint32_t request_size; /* bytes of the largest request and answer that blocks hold */
    uint32_t answer_size;
    uint32_t large_request_size; /* of the largest that are for the arena; 0: there is none */
    uint32_t large_answer_size;
    uint32_t *method_numbers;   /* heap; for each of the client's methods, */
    uint32_t *method_revisions; /* as are these; NULL: the newest of each */
    uint32_t method_count;
    uint32_t version;             /* of the service's package */
    control_mismatch *mismatches; /* heap (mismatch.h) */
    uint32_t mismatch_count;
    bool is_refused;             /* for these; error.h has a line */
    const method_terms *methods; /* by the server's numbers; NULL: the service does not look at it */
    bool owns_methods;           /* it is heap, and not the service's */
    bool takes_envelopes;
} service_terms;

/* One more method's messages, of up to these sizes. */
void service_terms_add(service_terms *terms, uint32_t request_size, uint32_t answer_size);

/* Frees what is on the heap. */
void service_terms_deinit(service_terms *terms);

/* Private memory of one thread that handles requests, enough for any of a service, and each for a slot's payload. */
typedef struct service_scratch {
    unsigned char *request; /* a copy of the request that is being handled, */
    unsigned char *reply;   /* the reply that the handler fills, */
    unsigned char *payload; /* the payload of the error that it throws, */
    unsigned char *narrow;  /* an answer of which the client takes the first bytes, */
    metadata *metadata;     /* and what came with the request */
} service_scratch;

/* Whose requests are being handled, and with what: of a lane and who serves it, not of one request. */
typedef struct service_visit {
    shmrpc_server *server;
    shmrpc_session *session;
    lane_server *lane;
    const service_scratch *scratch;
    const method_terms *methods; /* that were agreed on, as in service_terms */
} service_visit;

typedef struct service service;
struct service {
    const char *name;      /* of the service */
    uint32_t request_size; /* bytes of the largest request and answer of all */
    uint32_t answer_size;
    uint32_t method_count; /* methods are numbered from 0; 0: any number may be one */
    bool takes_envelopes;  /* requests may be in one (envelope.h) */

    /*
     * 0, or a status and a line (error.h) that the client is refused with. On success the caller frees the terms.
     */
    int (*agree)(const service *self, const control_hello *hello, service_terms *ret_terms);

    /*
     * Handles one request and answers it, exactly once: the handler's status, or PROTOCOL with nothing answered where
     * the client broke the protocol.
     */
    int (*handle)(service *self, const service_visit *visit, const lane_request *request);
    /* In its place, where the host was asked to hand messages over where they are; NULL: the service does not. */
    int (*handle_in_place)(service *self, const service_visit *visit, const lane_request *request);

    void (*connected)(service *self, shmrpc_server *server, shmrpc_session *session);
    void (*disconnected)(service *self, shmrpc_server *server, shmrpc_session *session, int why);
    void (*free)(service *self);
};

/* Returns 0 or NO_MEMORY. */
int service_scratch_init(service_scratch *scratch, const service *of);
void service_scratch_deinit(service_scratch *scratch);

/* The time that a request's budget stands for. */
static inline int64_t service_budget_ns(uint32_t budget_us)
{
    return budget_us == BUDGET_NONE ? INT64_MAX : (int64_t)budget_us * 1000;
}

#endif
