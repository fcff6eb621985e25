/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_counts.c - what any thread may ask of a server while it serves.
 *
 * Workers count what they alone count, each for itself (server_tally); who asks adds them up. What several of them
 * count is under the host's lock.
 */
#include <shmrpc/host.h>

#include "server_core.h"
#include "server_state.h"

/* What its workers have counted so far. */
static void add_tallies(const server_offer *offer, shmrpc_server_counts *counts)
{
    uint32_t worker;
    uint32_t method;

    for (worker = 0; worker < offer->host->worker_count; worker++) {
        for (method = 0; method <= offer->service->method_count; method++) {
            const server_tally *tally = &offer->desks[worker].methods[method];

            counts->calls += tally_get(&tally->calls);
            counts->calls_failed += tally_get(&tally->failed);
        }
    }
}

/* Of the lanes that it has. Under the lock. */
static uint64_t doorbells_of_session(const shmrpc_session *session)
{
    uint64_t count = 0;
    uint64_t bits;

    for (bits = session->lane_bits; bits != 0; bits &= bits - 1) {
        count += tally_get(&session->lanes[__builtin_ctzll(bits)]->caller.doorbells);
    }
    return count;
}

/* The doorbells of those who are still connected. Under the lock. */
static uint64_t doorbells_of(const server_host *host, const server_offer *offer)
{
    list_link *link;
    uint64_t count = 0;

    for (link = host->open.next; link != &host->open; link = link->next) {
        const shmrpc_session *session = list_entry(link, shmrpc_session, life);

        count += session->offer == offer ? doorbells_of_session(session) : 0;
    }
    return count;
}

/* Under the lock. */
static uint64_t sleeps_of(const server_host *host)
{
    uint64_t count = 0;
    uint32_t i;

    for (i = 0; host->workers != NULL && i < host->worker_count; i++) {
        count += tally_get(&host->workers[i].sleeps);
    }
    return count;
}

void server_add_counts(shmrpc_server_counts *counts, const server_offer *offer)
{
    counts->sessions_accepted += offer->counts.sessions_accepted;
    counts->sessions_refused += offer->counts.sessions_refused;
    counts->sessions_dropped += offer->counts.sessions_dropped;
    counts->sessions_open += offer->counts.sessions_open;
    counts->doorbells += offer->counts.doorbells + doorbells_of(offer->host, offer);
    add_tallies(offer, counts);
}

shmrpc_server_counts shmrpc_server_counters(const shmrpc_server *handle)
{
    const server_offer *offer = handle == NULL ? NULL : handle->implementation;
    shmrpc_server_counts counts = {0};
    server_host *host;

    if (offer == NULL || host_is_inherited(offer->host)) {
        return counts;
    }
    host = offer->host;
    host_lock(host);
    if (offer->has_host) {
        counts = host->counts;
    }
    server_add_counts(&counts, offer);
    counts.sleeps = sleeps_of(host);
    host_unlock(host);
    return counts;
}

shmrpc_method_counts shmrpc_server_method_counters(const shmrpc_server *handle, uint32_t method)
{
    const server_offer *offer = handle == NULL ? NULL : handle->implementation;
    shmrpc_method_counts counts = {0};
    uint32_t worker;

    if (offer == NULL) {
        return counts;
    }
    method = method < offer->service->method_count ? method : offer->service->method_count;
    for (worker = 0; worker < offer->host->worker_count; worker++) {
        const server_tally *tally = &offer->desks[worker].methods[method];

        counts.calls += tally_get(&tally->calls);
        counts.calls_failed += tally_get(&tally->failed);
    }
    return counts;
}

/* Of the lanes that it has and of those that it had. Under the lock. */
static shmrpc_session_counts counts_of_session(const shmrpc_session *session)
{
    shmrpc_session_counts counts = {
        .session = session->id,
        .peer = session->peer,
        .calls = session->past_calls,
        .calls_failed = session->past_calls_failed,
        .doorbells = session->past_doorbells + doorbells_of_session(session),
    };
    uint64_t bits;

    for (bits = session->lane_bits; bits != 0; bits &= bits - 1) {
        const session_lane *lane = session->lanes[__builtin_ctzll(bits)];

        counts.lanes++;
        counts.calls += tally_get(&lane->calls);
        counts.calls_failed += tally_get(&lane->calls_failed);
    }
    return counts;
}

uint32_t shmrpc_server_session_counters(const shmrpc_server *handle, shmrpc_session_counts *ret_counts, uint32_t room)
{
    const server_offer *offer = handle == NULL ? NULL : handle->implementation;
    uint32_t count = 0;
    server_host *host;
    list_link *link;

    if (offer == NULL || host_is_inherited(offer->host)) {
        return 0;
    }
    host = offer->host;
    host_lock(host);
    for (link = host->open.next; link != &host->open; link = link->next) {
        const shmrpc_session *session = list_entry(link, shmrpc_session, life);

        if (session->offer != offer) {
            continue;
        }
        if (count < room) {
            ret_counts[count] = counts_of_session(session);
        }
        count++;
    }
    host_unlock(host);
    return count;
}

/* Writes those of a session's lanes for which there is room. Under the lock. */
static void add_lanes(const shmrpc_session *session, shmrpc_lane_counts *ret_counts, uint32_t room, uint32_t *count)
{
    uint64_t bits;

    for (bits = session->lane_bits; bits != 0; bits &= bits - 1) {
        const session_lane *lane = session->lanes[__builtin_ctzll(bits)];

        if (*count < room) {
            ret_counts[*count] = (shmrpc_lane_counts){
                .session = session->id,
                .lane = lane->number,
                .calls = tally_get(&lane->calls),
                .calls_failed = tally_get(&lane->calls_failed),
                .doorbells = tally_get(&lane->caller.doorbells),
            };
        }
        ++*count;
    }
}

uint32_t shmrpc_server_lane_counters(const shmrpc_server *handle, shmrpc_lane_counts *ret_counts, uint32_t room)
{
    const server_offer *offer = handle == NULL ? NULL : handle->implementation;
    uint32_t count = 0;
    list_link *link;

    if (offer == NULL || host_is_inherited(offer->host)) {
        return 0;
    }
    host_lock(offer->host);
    for (link = offer->host->open.next; link != &offer->host->open; link = link->next) {
        const shmrpc_session *session = list_entry(link, shmrpc_session, life);

        if (session->offer == offer) {
            add_lanes(session, ret_counts, room, &count);
        }
    }
    host_unlock(offer->host);
    return count;
}

shmrpc_server_counts shmrpc_host_counters(const shmrpc_host *handle)
{
    server_host *host = handle == NULL ? NULL : handle->implementation;
    shmrpc_server_counts counts = {0};
    list_link *link;

    if (host == NULL || host_is_inherited(host)) {
        return counts;
    }
    host_lock(host);
    counts = host->counts;
    for (link = host->offers.next; link != &host->offers; link = link->next) {
        server_add_counts(&counts, list_entry(link, server_offer, others));
    }
    counts.sleeps = sleeps_of(host);
    host_unlock(host);
    return counts;
}
