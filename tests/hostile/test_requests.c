/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_requests.c - clients that lie in the shared memory: the server drops that session, says why, and serves on.
 *
 * A lie is a header, a payload or a word that the library's own client would never write. What the server may not do
 * is read or write outside of the region, trust what it did not bound, or let anybody else notice. Under a sanitizer
 * a read outside is an error by itself.
 */
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/envelope.h"

#include "rogue.h"
#include "witness.h"

static uint64_t dropped(void)
{
    return atomic_load(&witness_server.state->disconnected_why[SHMRPC_WHY_PROTOCOL]);
}

static void slot_set_u64(slot *at, uint32_t offset, uint64_t value)
{
    memcpy(at->payload + offset, &value, sizeof(value));
}

/* One request of a rogue that has joined; the server has to drop it for that, log it and count it. */
static void assert_dropped_for(const char *what, rogue *peer, const slot *request, uint32_t word_lie)
{
    uint64_t before = dropped(), warnings = atomic_load(&witness_server.state->warnings);
    shmrpc_server_counts counts_before, counts_after;

    assert_status(probe_get_counters(witness, &counts_before), 0);
    rogue_request(peer, request, word_lie);
    ck_assert_msg(rogue_is_dropped(peer), "%s: still connected", what);
    await_true(dropped() > before);
    ck_assert_msg(dropped() == before + 1, "%s: more than one session was dropped", what);
    ck_assert_msg(atomic_load(&witness_server.state->warnings) > warnings, "%s: nothing was logged", what);
    assert_status(probe_get_counters(witness, &counts_after), 0);
    ck_assert_uint_eq(counts_after.sessions_dropped, counts_before.sessions_dropped + 1);
    ck_assert_uint_eq(counts_after.sessions_open, 1);
    rogue_leave(peer);
    witness_expect_served();
}

typedef struct header_lie {
    const char *what;
    uint16_t method;
    uint8_t request_block, reply_block;
    uint32_t length;
} header_lie;

static const header_lie header_lies[] = {
    {"a byte more than a slot holds", PROBE_ECHO, 0, 0, 49},
    {"a length without bound", PROBE_ECHO, 0, 0, UINT32_MAX},
    {"a length with the highest bit", PROBE_ECHO, 0, 0, 0x80000000u},
    {"a length below the message's", PROBE_ECHO, 0, 0, 4},
    {"a length above the message's", PROBE_ECHO, 0, 0, 16},
    {"no payload where there is one", PROBE_ECHO, 0, 0, 0},
    {"a payload where there is none", PROBE_PING, 0, 0, 8},
    {"a block that does not exist", PROBE_BLOB, 255, 1, 16},
    {"the block after the last", PROBE_BLOB, 9, 1, 16},
    {"a reply block that does not exist", PROBE_BLOB, 1, 255, 16},
    {"the reply block after the last", PROBE_BLOB, 1, 9, 16},
    {"more than the block holds", PROBE_BLOB, 1, 1, 4097},
    {"far more than the block holds", PROBE_BLOB, 8, 1, 65536},
    {"a length that leaves the region", PROBE_BLOB, 8, 8, 0x7fffffffu},
    {"a block's length below the least", PROBE_BLOB, 1, 1, 8},
    {"no reply block for an answer that needs one", PROBE_BLOB, 1, 0, 16},
    {"a long message that is said to be in a slot", PROBE_BLOB, 0, 1, sizeof(probe_blob)},
    {"a message that is a little too long for its slot", PROBE_BLOB, 0, 1, 56},
    {"a oneway of no length", PROBE_NOTE, 0, 0, 0},
    {"a slot's payload in a block that is too far", PROBE_ECHO, 200, 0, 8},
};

START_TEST(drops_a_session_for_a_header_that_lies)
{
    const header_lie *lie = &header_lies[_i];
    rogue peer;

    rogue_join(&peer, "probe");
    ck_assert_uint_eq(peer.memory.geometry.request_block_count, 8);
    ck_assert_uint_eq(peer.memory.geometry.reply_block_count, 8);
    const slot request = rogue_slot(lie->method, lie->request_block, lie->reply_block, lie->length);
    assert_dropped_for(lie->what, &peer, &request, 0);
}
END_TEST

/* Memory of the server's that has just held another client's message. */
START_TEST(shows_nothing_of_other_clients_to_one_that_sends_less_than_it_says)
{
    const uint32_t said = 100, sent = 24, own = sent - offsetof(probe_blob, bytes);
    probe_blob full = {.length = PROBE_BLOB_MAX}, got;
    rogue peer;
    slot reply;

    memset(full.bytes, 0x5a, sizeof(full.bytes));
    assert_status(shmrpc_client_call(witness, PROBE_BLOB, &full, &got, shmrpc_default()), 0);
    ck_assert_uint_eq(got.bytes[said - 1], 0xa5);

    rogue_join(&peer, "probe");
    memset(region_request_block(&peer.memory, 1), 0x11, sent);
    memcpy(region_request_block(&peer.memory, 1) + offsetof(probe_blob, length), &said, sizeof(said));
    const slot request = rogue_slot(PROBE_BLOB, 1, 1, sent);
    rogue_request(&peer, &request, 0);
    ck_assert(rogue_await_reply(&peer, &reply));
    ck_assert_uint_eq(reply.reply_block, 1);
    memcpy(&got, region_reply_block(&peer.memory, 1), sizeof(got));
    ck_assert_uint_eq(got.length, said);
    for (uint32_t i = 0; i < said; i++)
        ck_assert_uint_eq(got.bytes[i], i < own ? 0xee : 0xff);
    rogue_leave(&peer);
    witness_expect_served();
}
END_TEST

START_TEST(drops_a_session_for_a_message_that_does_not_validate)
{
    rogue peer;
    slot request = rogue_slot(PROBE_CHECK, 0, 0, sizeof(probe_flag));

    rogue_join(&peer, "probe");
    request.payload[0] = 2;
    assert_dropped_for("a bool of 2", &peer, &request, 0);
    ck_assert(probe_state_has_line(witness_server.state, "flag"));

    rogue_join(&peer, "probe");
    request = rogue_slot(PROBE_BLOB, 1, 1, 16);
    const uint32_t too_long = PROBE_BLOB_MAX + 1;
    memcpy(region_request_block(&peer.memory, 1) + offsetof(probe_blob, length), &too_long, sizeof(too_long));
    assert_dropped_for("a length within the message that is too long", &peer, &request, 0);
}
END_TEST

/* What an envelope may not be is in runtime_envelope.c; here, what becomes of who sends one. */
START_TEST(drops_a_session_for_an_envelope_that_lies)
{
    static const envelope_head lies[] = {
        {41, 1, 0, 0}, {1024, 1, 0, 0}, {1025, 1, 0, 0}, {UINT16_MAX, 1, 0, 0}, {8, 1, 0, 0}, {0, 0, 1, 0},
    };
    rogue peer;
    slot reply;

    rogue_join(&peer, "probe");
    slot request = rogue_slot(PROBE_ECHO | ENVELOPE_METHOD, 0, 0, sizeof(envelope_head) + 8);
    slot_set_u64(&request, sizeof(envelope_head), 4711);
    rogue_request(&peer, &request, 0);
    ck_assert(rogue_await_reply(&peer, &reply));
    ck_assert_int_eq((int16_t)reply.method, 0);
    ck_assert_uint_eq(reply.payload[0], 4711 & 255);
    memcpy(request.payload, &lies[_i], sizeof(lies[_i]));
    assert_dropped_for("an envelope", &peer, &request, 0);
    /* One without a message, and one that is no envelope at all. */
    rogue_join(&peer, "probe");
    request = rogue_slot(PROBE_ECHO | ENVELOPE_METHOD, 0, 0, _i % 2 == 0 ? sizeof(envelope_head) : 8);
    assert_dropped_for("an envelope without a message", &peer, &request, 0);
}
END_TEST

/* Every other word than the next request or what stood there before. */
static const uint32_t word_lies[] = {
    WORD_REQUEST | WORD_REPLY, /* a reply */
    WORD_REPLY,                /* both */
    WORD_REQUEST,              /* neither */
    1u << WORD_LAP_SHIFT,      /* the next lap */
    3u << WORD_LAP_SHIFT,
    0x80000000u,
    0xfffffff0u,
    0x0000fff0u,
};

START_TEST(drops_a_session_for_a_word_that_lies)
{
    rogue peer;
    slot request = rogue_slot(PROBE_ECHO, 0, 0, 8), reply;

    rogue_join(&peer, "probe");
    /* Not at once: after some right calls, and around the ring. */
    for (uint64_t i = 0; i < 100; i++) {
        slot_set_u64(&request, 0, i);
        rogue_request(&peer, &request, 0);
        ck_assert(rogue_await_reply(&peer, &reply));
        ck_assert_mem_eq(reply.payload, &i, sizeof(i));
    }
    assert_dropped_for("a word", &peer, &request, word_lies[_i]);
}
END_TEST

START_TEST(answers_a_method_that_does_not_exist)
{
    static const uint16_t numbers[] = {PROBE_METHODS, PROBE_METHODS + 1, 0x7fff, 0x8000 + PROBE_METHODS, 0xffff};
    rogue peer;
    slot reply;

    rogue_join(&peer, "probe");
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        const slot request = rogue_slot(numbers[i], 0, 0, 8);
        rogue_request(&peer, &request, 0);
        ck_assert(rogue_await_reply(&peer, &reply));
        ck_assert_int_eq((int16_t)reply.method, SHMRPC_E_UNIMPLEMENTED);
        ck_assert_uint_eq(reply.length, 0);
    }
    rogue_leave(&peer);
    ck_assert_uint_eq(dropped(), 0);
}
END_TEST

/* A rogue may give its own blocks twice, or those of a call that still runs: that is between it and itself. */
START_TEST(lets_a_rogue_confuse_its_own_blocks)
{
    rogue peer;
    slot reply;
    const slot request = rogue_slot(PROBE_BLOB, 3, 3, 16);

    rogue_join(&peer, "probe");
    for (int i = 0; i < 20; i++)
        rogue_request(&peer, &request, 0);
    ck_assert(rogue_await_reply(&peer, &reply));
    ck_assert_uint_eq(reply.reply_block, 3);
    rogue_leave(&peer);
    witness_expect_served();
}
END_TEST

START_TEST(answers_a_withdrawn_request_without_running_it)
{
    rogue peer;
    slot reply;
    const slot request = rogue_slot(PROBE_ECHO, 0, 0, 8);

    rogue_join(&peer, "probe");
    uint64_t begun = atomic_load(&witness_server.state->begun);
    rogue_request(&peer, &request, WORD_CANCEL);
    ck_assert(rogue_await_reply(&peer, &reply));
    ck_assert_int_eq((int16_t)reply.method, SHMRPC_E_CANCELLED);
    ck_assert_uint_eq(atomic_load(&witness_server.state->begun), begun);
    rogue_leave(&peer);
}
END_TEST

START_TEST(ignores_words_of_its_own_that_a_rogue_overwrites)
{
    rogue peer;
    slot request = rogue_slot(PROBE_ECHO, 0, 0, 8), reply;

    rogue_join(&peer, "probe");
    for (uint64_t i = 0; i < 200; i++) {
        uint64_t scribble = i * UINT64_C(0x9e3779b97f4a7c15);
        atomic_store(&peer.memory.header->started, scribble);
        atomic_store(&peer.memory.header->closed, (uint32_t)scribble);
        atomic_store(&peer.memory.header->wish, (uint32_t)(scribble >> 32));
        slot_set_u64(&request, 0, i);
        rogue_request(&peer, &request, i % 3 == 0 ? WORD_WISH : 0);
        ck_assert(rogue_await_reply(&peer, &reply));
        ck_assert_mem_eq(reply.payload, &i, sizeof(i));
    }
    rogue_leave(&peer);
    ck_assert_uint_eq(dropped(), 0);
}
END_TEST

/* Rings without a request, as fast as it can: its session is looked at, and the others are served. */
static void *ring_without_end(void *data)
{
    rogue *peer = data;

    for (int i = 0; i < 20000; i++)
        rogue_ring(peer);
    return NULL;
}

START_TEST(serves_others_while_a_rogue_rings_for_nothing)
{
    rogue peer;
    pthread_t thread;

    rogue_join(&peer, "probe");
    ck_assert_int_eq(pthread_create(&thread, NULL, ring_without_end, &peer), 0);
    for (int i = 0; i < 50; i++)
        witness_expect_served();
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    rogue_leave(&peer);
}
END_TEST

/* Every slot is a request from the beginning, and again as soon as it is answered. */
START_TEST(serves_others_while_a_rogue_never_reads_a_reply)
{
    rogue peer;
    slot request = rogue_slot(PROBE_NOTE, 0, 0, 8);

    rogue_join(&peer, "probe");
    for (int lap = 0; lap < 30; lap++) {
        for (uint32_t i = 0; i < peer.memory.geometry.depth; i++) {
            slot *at = region_slot(&peer.memory, peer.next);
            at->method = request.method;
            at->length = request.length;
            at->request_block = at->reply_block = 0;
            atomic_store(&at->word, word_request(peer.next, peer.memory.shift));
            peer.next++;
        }
        rogue_ring(&peer);
        slot reply;
        ck_assert(rogue_await_reply(&peer, &reply));
        witness_expect_served();
    }
    rogue_leave(&peer);
    ck_assert_uint_eq(dropped(), 0);
}
END_TEST

/* ---- random ---- */

static uint32_t random_next(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

START_TEST(survives_random_headers_and_payloads)
{
    uint32_t random = 31337;

    printf("seed %u\n", random);
    for (int round = 0; round < 800; round++) {
        rogue peer;
        slot reply;
        uint64_t before = dropped();

        rogue_join(&peer, "probe");
        for (uint32_t requests = 1 + random_next(&random) % 20; requests > 0; requests--) {
            slot request;
            uint32_t kind = random_next(&random);
            request = rogue_slot((uint16_t)(random_next(&random) % (PROBE_METHODS + 2)), (uint8_t)random_next(&random),
                                 (uint8_t)random_next(&random), random_next(&random));
            if (kind % 2 == 0)
                request.request_block = request.request_block % 10, request.reply_block = request.reply_block % 10;
            if (kind % 8 < 5)
                request.length = request.length % 64 / 8 * 8;
            /* Those that wait, stop the server or seal it are for tests of their own. */
            if (request.method == PROBE_HOLD || request.method == PROBE_HOLD_BLOB || request.method == PROBE_STOP ||
                request.method == PROBE_SEAL || request.method == PROBE_FORK || request.method == PROBE_LINGER ||
                request.method == PROBE_RELAY)
                request.method = PROBE_ECHO;
            if (kind % 5 == 0)
                request.method |= ENVELOPE_METHOD;
            request.budget_us = random_next(&random);
            for (size_t i = 0; i < sizeof(request.payload); i++)
                request.payload[i] = (uint8_t)random_next(&random);
            for (uint32_t i = 0; i < peer.memory.geometry.request_block_size; i += 4) {
                uint32_t bytes = kind % 3 == 0 ? random_next(&random) % 6000 : random_next(&random);
                memcpy(peer.memory.request_blocks + i, &bytes, sizeof(bytes));
            }
            rogue_request(&peer, &request, 0);
            if (!rogue_await_reply(&peer, &reply)) {
                await_true(dropped() == before + 1);
                break;
            }
        }
        rogue_leave(&peer);
        if (round % 50 == 0)
            witness_expect_served();
    }
    ck_assert_uint_gt(dropped(), 100);
}
END_TEST

typedef struct scribbler {
    pthread_t thread;
    rogue *peer;
    uint32_t random;
    uint32_t writes;
} scribbler;

/* Changes what the server looks at while it looks: what it has bounded may differ when it is looked at again. */
static void *scribble(void *data)
{
    scribbler *self = data;
    region *memory = &self->peer->memory;
    uint32_t random = self->random;
    const size_t words = memory->size / sizeof(uint32_t);
    const size_t ring_words = (sizeof(lane_header) + memory->geometry.depth * sizeof(slot)) / sizeof(uint32_t);
    _Atomic uint32_t *base = (_Atomic uint32_t *)(void *)memory->header;

    for (uint32_t i = 0; i < self->writes; i++) {
        uint32_t kind = random_next(&random);
        uint32_t value = random_next(&random) << 12 ^ random_next(&random);
        /* Three of four are headers: lengths and blocks that flip between right and wrong. */
        if (kind % 4 != 0) {
            slot *at = region_slot(memory, random_next(&random));
            __atomic_store_n(&at->length, kind % 8 < 4 ? 8 : value, __ATOMIC_RELAXED);
            __atomic_store_n(&at->request_block, (uint8_t)(kind % 16 < 8 ? 0 : value), __ATOMIC_RELAXED);
            __atomic_store_n(&at->reply_block, (uint8_t)(kind % 32 < 16 ? 1 : value), __ATOMIC_RELAXED);
        } else {
            atomic_store_explicit(&base[random_next(&random) % (kind % 8 == 0 ? words : ring_words)], value,
                                  memory_order_relaxed);
        }
    }
    return NULL;
}

START_TEST(survives_memory_that_changes_while_it_is_read)
{
    uint32_t random = 271828;

    printf("seed %u\n", random);
    for (int round = 0; round < 300; round++) {
        rogue peer;

        rogue_join(&peer, "probe");
        scribbler other = {.peer = &peer, .random = random_next(&random), .writes = 20000};
        ck_assert_int_eq(pthread_create(&other.thread, NULL, scribble, &other), 0);
        for (int requests = 0; requests < 50; requests++) {
            slot request = rogue_slot(requests % 2 == 0 ? PROBE_ECHO : PROBE_BLOB, requests % 2 == 0 ? 0 : 1, 1, 16);
            request.length = requests % 2 == 0 ? 8 : 16;
            rogue_request(&peer, &request, 0);
        }
        ck_assert_int_eq(pthread_join(other.thread, NULL), 0);
        rogue_leave(&peer);
        if (round % 20 == 0)
            witness_expect_served();
    }
    witness_expect_served();
}
END_TEST

START_TEST(survives_random_words_everywhere)
{
    uint32_t random = 161803;

    printf("seed %u\n", random);
    for (int round = 0; round < 400; round++) {
        rogue peer;

        rogue_join(&peer, "probe");
        _Atomic uint32_t *base = (_Atomic uint32_t *)(void *)peer.memory.header;
        for (size_t i = 0; i < peer.memory.size / sizeof(uint32_t); i++)
            atomic_store_explicit(&base[i], random_next(&random) << 8 ^ random_next(&random), memory_order_relaxed);
        /* The first word is one that the server has to look at. */
        slot *first = region_slot(&peer.memory, 1);
        first->method = (uint16_t)(random_next(&random) % PROBE_HOLD);
        if (round % 2 == 0)
            atomic_store(&first->word, word_request(1, peer.memory.shift));
        rogue_ring(&peer);
        ck_assert_msg(rogue_is_dropped(&peer), "round %d: still connected", round);
        rogue_leave(&peer);
        if (round % 50 == 0)
            witness_expect_served();
    }
    await_true(dropped() >= 390);
}
END_TEST

static Suite *requests_suite(void)
{
    Suite *suite = suite_create("hostile_requests");
    TCase *tests = tcase_create("requests");

    tcase_add_checked_fixture(tests, witness_setup, witness_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, drops_a_session_for_a_header_that_lies, 0,
                        (int)(sizeof(header_lies) / sizeof(header_lies[0])));
    tcase_add_test(tests, shows_nothing_of_other_clients_to_one_that_sends_less_than_it_says);
    tcase_add_test(tests, drops_a_session_for_a_message_that_does_not_validate);
    tcase_add_loop_test(tests, drops_a_session_for_an_envelope_that_lies, 0, 6);
    tcase_add_loop_test(tests, drops_a_session_for_a_word_that_lies, 0,
                        (int)(sizeof(word_lies) / sizeof(word_lies[0])));
    tcase_add_test(tests, answers_a_method_that_does_not_exist);
    tcase_add_test(tests, lets_a_rogue_confuse_its_own_blocks);
    tcase_add_test(tests, answers_a_withdrawn_request_without_running_it);
    tcase_add_test(tests, ignores_words_of_its_own_that_a_rogue_overwrites);
    tcase_add_test(tests, serves_others_while_a_rogue_rings_for_nothing);
    tcase_add_test(tests, serves_others_while_a_rogue_never_reads_a_reply);
    tcase_add_test(tests, survives_random_headers_and_payloads);
    tcase_add_test(tests, survives_memory_that_changes_while_it_is_read);
    tcase_add_test(tests, survives_random_words_everywhere);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(requests_suite)
