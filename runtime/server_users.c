/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_users.c - what the clients of one user may have of a host. All of it under the host's lock.
 */
#include "server_state.h"

#include "error.h"
#include "platform/process.h"

#include <stdlib.h>

/* A lane with a thread of the server's counts as so many others. */
#define RINGER_WEIGHT 4u

server_user *server_user_of(server_host *host, uid_t uid)
{
    uint32_t i;

    for (i = 0; i < host->user_count; i++) {
        if (host->users[i].uid == uid) {
            return &host->users[i];
        }
    }
    if (host->user_count == host->user_room) {
        uint32_t room = host->user_room == 0 ? 4 : host->user_room * 2;
        server_user *more = realloc(host->users, room * sizeof(*more));

        if (more == NULL) {
            return NULL;
        }
        host->users = more;
        host->user_room = room;
    }
    host->users[host->user_count] = (server_user){.uid = uid};
    return &host->users[host->user_count++];
}

void server_user_tidy(server_host *host, server_user *user)
{
    if (user->sessions == 0 && user->shaking == 0 && user->lanes == 0) {
        *user = host->users[--host->user_count];
    }
}

void server_user_leaves(server_host *host, uid_t uid, bool was_open)
{
    server_user *user = server_user_of(host, uid);

    if (user == NULL) {
        return; /* nobody leaves who was not counted */
    }
    user->sessions -= was_open;
    user->shaking -= !was_open;
    server_user_tidy(host, user);
}

/* So many sessions may this user have. One's own user can end the server anyway, and is not kept from anything. */
static uint32_t sessions_of(const server_host *host, uid_t uid)
{
    if (host->max_sessions_per_uid != 0) {
        return host->max_sessions_per_uid;
    }
    return uid == process_user() ? host->max_sessions : (host->max_sessions + 1) / 2;
}

/* Lanes that this user may have, by their weight. */
static uint32_t lanes_of(const server_host *host, uid_t uid)
{
    if (host->max_lanes_per_uid != 0) {
        return host->max_lanes_per_uid;
    }
    return uid == process_user() ? UINT32_MAX : host->max_sessions;
}

static uint32_t weight_of(bool has_semaphores)
{
    return has_semaphores ? RINGER_WEIGHT : 1;
}

int server_check_lanes(server_host *host, uid_t uid, bool has_semaphores)
{
    const server_user *user = server_user_of(host, uid);
    uint32_t most = lanes_of(host, uid);

    if (user == NULL || user->lanes > most || most - user->lanes < weight_of(has_semaphores)) {
        return error_set(SHMRPC_E_REFUSED, "the server has as many lanes as it takes from one user");
    }
    return 0;
}

void server_lane_comes(server_host *host, uid_t uid, session_lane *lane)
{
    server_user *user = server_user_of(host, uid);

    if (user != NULL) {
        lane->weight = weight_of(lane->semaphores);
        user->lanes += lane->weight;
    }
}

void server_lane_leaves(server_host *host, uid_t uid, session_lane *lane)
{
    server_user *user = lane->weight == 0 ? NULL : server_user_of(host, uid);

    if (user != NULL) {
        user->lanes -= lane->weight;
        lane->weight = 0;
        server_user_tidy(host, user);
    }
}

int server_check_room(server_host *host, uid_t uid)
{
    const server_user *user = server_user_of(host, uid);

    if (host->open_count >= host->max_sessions) {
        return error_set(SHMRPC_E_REFUSED, "the server has as many sessions as it takes");
    }
    if (user == NULL || user->sessions >= sessions_of(host, uid)) {
        return error_set(SHMRPC_E_REFUSED, "the server has as many sessions as it takes from one user");
    }
    return 0;
}
