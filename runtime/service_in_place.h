/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_in_place.h - handlers that read a request where the client wrote it, and write the reply where it will read it.
 *
 * A request in sealed memory of its own (sealed_box.h) is handed over where it is in any case: nobody can change it.
 *
 * For messages that are in blocks or the arena, of the layout that this side has. What is small, of another version or shorter than it
 * says is copied, as without. What a client sends is bounded and checked as ever, but once, where it can still write: one
 * that does so afterwards can make a handler, or the checks of its reply, go beyond what they were given. So clients are
 * trusted (server.h).
 */
#ifndef SHMRPC_SERVICE_IN_PLACE_H
#define SHMRPC_SERVICE_IN_PLACE_H

#include "lane_server.h"
#include "revision.h"

#include <shmrpc/generated.h>

/* What a handler is given. */
typedef struct in_place {
    const void *request;
    void *reply;
    uint8_t block; /* that the reply is in; BLOCK_NONE: it is private */
} in_place;

/* 1: place->request is the request where it is, valid; 0: it is to be copied; PROTOCOL: it is not valid. */
int in_place_take(const lane_server *lane, const shmrpc_method_info *method, const method_terms *terms,
                  const lane_request *request, in_place *place);

/* True: place->reply is where the client will read it, begun as its default image. The method has a reply. */
bool in_place_begin(const lane_server *lane, const shmrpc_method_info *method, const method_terms *terms,
                    const lane_request *request, in_place *place);

#endif
