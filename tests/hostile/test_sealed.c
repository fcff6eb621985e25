/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sealed.c - rogues whose requests are said to be in sealed memory of their own (sealed_box.h): what they send for
 * it, and what they say of it.
 *
 * A rogue's first request keeps the server in its handler where the case asks for that: then all that the rogue
 * says afterwards is there when the server takes the next request; otherwise it is read as it comes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echoing.h"
#include "runtime/platform/event.h"
#include "runtime/platform/memory.h"
#include "runtime/platform/sealed.h"
#include "runtime/sealed_box.h"

#define LENGTH 100000u /* of most requests here */
#define ALL_SEALS (F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

/* ---- what is sent ---- */

static unsigned char byte_of(size_t i, unsigned seed)
{
    return (unsigned char)(i * 7 + i / 251 + seed);
}

/* Memory of so many bytes, sealed as it has to be. The descriptor is the caller's. */
static int make_sealed(size_t size, unsigned seed)
{
    sealed_memory made;

    ck_assert_int_eq(sealed_create(size, false, &made), 0);
    for (size_t i = 0; i < size; i++)
        ((unsigned char *)made.base)[i] = byte_of(i, seed);
    ck_assert_int_eq(sealed_seal(&made, size), 0);
    int kept = dup(made.descriptor);
    ck_assert_int_ge(kept, 0);
    sealed_free(&made, true);
    return kept;
}

/* A memfd of this size, of which `allocated` bytes from the front have pages, with these seals. */
static int make_memfd(size_t size, size_t allocated, int seals)
{
    int made = memfd_create("rogue", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert(made >= 0 && ftruncate(made, (off_t)size) == 0);
    ck_assert(allocated == 0 || fallocate(made, 0, 0, (off_t)allocated) == 0);
    ck_assert_int_eq(fcntl(made, F_ADD_SEALS, seals), 0);
    return made;
}

static void send_packet(rogue *self, const control_packet *packet, int first, int second)
{
    const int descriptors[] = {first, second};

    rogue_send(self, packet, descriptors, (first >= 0 ? 1u : 0u) + (second >= 0 ? 1u : 0u));
    if (first >= 0)
        close(first);
    if (second >= 0)
        close(second);
}

/* Says that the request at this position is in this memory, which is closed here. */
static void send_memory(rogue *self, uint64_t position, int descriptor)
{
    const control_packet packet = {.kind = CONTROL_SEALED, .as.sealed = position};

    send_packet(self, &packet, descriptor, -1);
}

/* The next request: of so many bytes, in memory of its own, its answer at the beginning of the arena. */
static void say_sealed(rogue *self, uint32_t length)
{
    const slot_extents at = {EXTENT_SEALED, 0, LIMIT / SHMRPC_ARENA_UNIT, 0};
    slot request = rogue_slot(1, 255, 255, length);

    memcpy(request.payload, &at, sizeof(at));
    rogue_request(self, &request, 0);
}

static void expect_echo(rogue *self, uint32_t length, unsigned seed)
{
    slot answer;

    ck_assert(rogue_await_reply(self, &answer));
    ck_assert_uint_eq(answer.method, 0);
    ck_assert_uint_eq(answer.length, length);
    for (size_t i = 0; i < length; i++)
        if (self->memory.arena[i] != byte_of(i, seed))
            ck_abort_msg("byte %zu of %u", i, length);
}

/* ---- one that is right ---- */

START_TEST(answers_a_request_that_is_where_it_says)
{
    const uint32_t lengths[] = {0, 100, 4096, 4097, LENGTH, LIMIT - 1, LIMIT};
    rogue peer;

    join(&peer);
    for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        if (_i == 1)
            hold(&peer);
        send_memory(&peer, peer.next, make_sealed(lengths[i] + 1, i));
        say_sealed(&peer, lengths[i]);
        if (_i == 1)
            let_go();
        expect_echo(&peer, lengths[i], i);
    }
    leave(&peer);
    ck_assert_uint_eq(atomic_load(&server.dropped), 0);
}
END_TEST

START_TEST(answers_as_many_as_may_be_in_flight)
{
    rogue peer;

    join(&peer);
    for (unsigned round = 0; round < 3; round++) {
        uint64_t calls = atomic_load(&server.calls);

        hold(&peer);
        for (unsigned i = 0; i < SEALED_MAX; i++) {
            send_memory(&peer, peer.next, make_sealed(LENGTH, i));
            say_sealed(&peer, LENGTH);
        }
        let_go();
        expect_echo(&peer, LENGTH, SEALED_MAX - 1);
        ck_assert_uint_eq(atomic_load(&server.calls), calls + SEALED_MAX);
    }
    leave(&peer);
    ck_assert_uint_eq(atomic_load(&server.dropped), 0);
}
END_TEST

/* ---- what comes while the server reads ---- */

static _Atomic(rogue *) between;
static _Atomic int looks; /* that the server has yet to take before memory comes */

ssize_t __real_recvmsg(int descriptor, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int descriptor, struct msghdr *message, int flags);

ssize_t __wrap_recvmsg(int descriptor, struct msghdr *message, int flags)
{
    rogue *peer = atomic_load(&between);

    if (peer != NULL && (flags & MSG_PEEK) == 0 && pthread_equal(pthread_self(), server.thread) &&
        atomic_fetch_sub(&looks, 1) == 1) {
        send_memory(peer, peer->next, make_sealed(LENGTH, 3));
        atomic_store(&between, NULL);
    }
    return __real_recvmsg(descriptor, message, flags);
}

/* When the server has read all that there was, and looks once more. */
START_TEST(is_taken_whenever_it_comes)
{
    const control_packet cancel = {.kind = CONTROL_CANCEL, .as.cancel = UINT64_MAX};
    rogue peer;

    join(&peer);
    atomic_store(&looks, 2);
    atomic_store(&between, &peer);
    rogue_send(&peer, &cancel, NULL, 0);
    await_true(atomic_load(&between) == NULL);
    say_sealed(&peer, LENGTH);
    expect_echo(&peer, LENGTH, 3);
    leave(&peer);
    ck_assert_uint_eq(atomic_load(&server.dropped), 0);
}
END_TEST

/* Of requests that were given up before they were published. */
START_TEST(memory_that_no_request_asks_for_goes_with_the_next_one)
{
    rogue peer;

    join(&peer);
    hold(&peer);
    send_memory(&peer, peer.next, make_sealed(LENGTH, 1));
    const slot small = rogue_slot(1, 0, 0, 8);
    rogue_request(&peer, &small, 0);
    send_memory(&peer, peer.next, make_sealed(LENGTH, 2));
    say_sealed(&peer, LENGTH);
    let_go();
    expect_echo(&peer, LENGTH, 2);
    leave(&peer);
    ck_assert_uint_eq(atomic_load(&server.dropped), 0);
}
END_TEST

START_TEST(does_what_a_client_asked_for_that_has_died_since)
{
    uint64_t calls = atomic_load(&server.calls);
    unsigned char *expected = malloc(LENGTH);
    rogue peer;

    ck_assert_ptr_nonnull(expected);
    for (size_t i = 0; i < LENGTH; i++)
        expected[i] = byte_of(i, 5);
    if (_i == 2)
        join_deaf(&peer); /* what it has not read makes its end an error, which the server hears before what it sent */
    else
        join(&peer);
    if (_i != 0)
        hold(&peer);
    send_memory(&peer, peer.next, make_sealed(LENGTH, 5));
    say_sealed(&peer, LENGTH);
    leave(&peer);
    if (_i != 0)
        let_go();
    await_true(atomic_load(&server.calls) == calls + 1);
    ck_assert_uint_eq(atomic_load(&server.last_size), LENGTH);
    ck_assert_uint_eq(atomic_load(&server.last_sum), sum_of(expected, LENGTH));
    ck_assert_uint_eq(atomic_load(&server.dropped), 0);
    free(expected);
}
END_TEST

/* ---- lies ---- */

#define NO_REQUEST 0xfffffff0u

typedef struct lie lie;
struct lie {
    const char *what;
    void (*tell)(const lie *self, rogue *peer, uint64_t position); /* of the request that comes next */
    uint32_t length;                                               /* of that; or NO_REQUEST */
    size_t size, allocated;                                        /* of a memfd */
    int seals;
    int (*make)(void); /* or what else is sent */
};

static void send_nothing(const lie *self, rogue *peer, uint64_t position)
{
    (void)self;
    (void)peer;
    (void)position;
}

static void send_well(const lie *self, rogue *peer, uint64_t position)
{
    send_memory(peer, position, make_sealed(self->size != 0 ? self->size : LENGTH, 0));
}

static void send_memfd(const lie *self, rogue *peer, uint64_t position)
{
    send_memory(peer, position, make_memfd(self->size, self->allocated, self->seals));
}

static void send_other(const lie *self, rogue *peer, uint64_t position)
{
    send_memory(peer, position, self->make());
}

static void send_for_the_next(const lie *self, rogue *peer, uint64_t position)
{
    send_well(self, peer, position + 1);
}

static void send_for_one_far_away(const lie *self, rogue *peer, uint64_t position)
{
    (void)position;
    send_well(self, peer, UINT64_MAX);
}

static void send_for_none(const lie *self, rogue *peer, uint64_t position)
{
    (void)position;
    send_well(self, peer, 0);
}

static void send_twice(const lie *self, rogue *peer, uint64_t position)
{
    send_well(self, peer, position);
    send_well(self, peer, position);
}

static void send_backwards(const lie *self, rogue *peer, uint64_t position)
{
    send_well(self, peer, position + 1);
    send_well(self, peer, position);
}

static void send_too_many(const lie *self, rogue *peer, uint64_t position)
{
    for (uint64_t i = 0; i <= SEALED_MAX; i++)
        send_well(self, peer, position + i);
}

static void send_two(const lie *self, rogue *peer, uint64_t position)
{
    const control_packet packet = {.kind = CONTROL_SEALED, .as.sealed = position};

    (void)self;
    send_packet(peer, &packet, make_sealed(LENGTH, 0), make_sealed(LENGTH, 0));
}

static void send_none(const lie *self, rogue *peer, uint64_t position)
{
    const control_packet packet = {.kind = CONTROL_SEALED, .as.sealed = position};

    (void)self;
    send_packet(peer, &packet, -1, -1);
}

static void send_with_a_cancel(const lie *self, rogue *peer, uint64_t position)
{
    const control_packet packet = {.kind = CONTROL_CANCEL, .as.cancel = position};

    (void)self;
    send_packet(peer, &packet, make_sealed(LENGTH, 0), -1);
}

static void send_with_a_goodbye(const lie *self, rogue *peer, uint64_t position)
{
    const control_packet packet = {.kind = CONTROL_GOODBYE, .as.goodbye = ""};

    (void)self;
    (void)position;
    send_packet(peer, &packet, make_sealed(LENGTH, 0), -1);
}

static void send_behind_garbage(const lie *self, rogue *peer, uint64_t position)
{
    rogue_send_bytes(peer, "garbage", 7, NULL, 0);
    send_well(self, peer, position);
}

/* As many blocks as it has to have, and none of them within its size. */
static int with_pages_behind_the_end(void)
{
    int made = make_memfd(LIMIT, 0, 0);

    ck_assert_int_eq(fallocate(made, FALLOC_FL_KEEP_SIZE, LIMIT, LIMIT), 0);
    ck_assert_int_eq(fcntl(made, F_ADD_SEALS, ALL_SEALS), 0);
    return made;
}

static int pipe_end(void)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    close(ends[1]);
    return ends[0];
}

static int socket_end(void)
{
    int ends[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    close(ends[1]);
    return ends[0];
}

static int ordinary_file(void)
{
    char path[] = "/var/tmp/shmrpc-test-XXXXXX";
    int file = mkstemp(path);

    ck_assert(file >= 0 && unlink(path) == 0 && ftruncate(file, LIMIT) == 0);
    return file;
}

static int device(void)
{
    return open("/dev/zero", O_RDWR | O_CLOEXEC);
}

static int directory(void)
{
    return open("/", O_PATH | O_CLOEXEC);
}

#define LARGEST ((LIMIT + CONTROL_ENVELOPE_MAX + 4095u) & ~4095u) /* where pages are of 4 KiB */

static const lie lies[] = {
    {"nothing is sent", send_nothing, LENGTH, .size = 0},
    {"nothing is sent for an empty one", send_nothing, 0, .size = 0},
    {"the next request's", send_for_the_next, LENGTH, .size = 0},
    {"one's that is far away", send_for_one_far_away, LENGTH, .size = 0},
    {"nobody's", send_for_none, NO_REQUEST, .size = 0},
    {"a byte more than its pages have", send_well, LIMIT / 2 + 1, .size = LIMIT / 2},
    {"a length without bound", send_well, UINT32_MAX, .size = LIMIT},
    {"more than the limit, within the memory", send_well, LIMIT + 1, .size = LIMIT + 1},
    {"the same one twice", send_twice, NO_REQUEST, .size = 0},
    {"the later one first", send_backwards, NO_REQUEST, .size = 0},
    {"more than may be in flight", send_too_many, NO_REQUEST, .size = 0},
    {"two descriptors", send_two, NO_REQUEST, .size = 0},
    {"no descriptor", send_none, NO_REQUEST, .size = 0},
    {"a descriptor with a cancel", send_with_a_cancel, NO_REQUEST, .size = 0},
    {"a descriptor with a goodbye", send_with_a_goodbye, NO_REQUEST, .size = 0},
    {"garbage before it", send_behind_garbage, LENGTH, .size = 0},
    {"not sealed", send_memfd, LENGTH, LIMIT, LIMIT, 0, NULL},
    {"not sealed against writing", send_memfd, LENGTH, LIMIT, LIMIT, ALL_SEALS & ~F_SEAL_WRITE, NULL},
    {"sealed against new writers alone", send_memfd, LENGTH, LIMIT, LIMIT,
     (ALL_SEALS & ~F_SEAL_WRITE) | F_SEAL_FUTURE_WRITE, NULL},
    {"not sealed against shrinking", send_memfd, LENGTH, LIMIT, LIMIT, ALL_SEALS & ~F_SEAL_SHRINK, NULL},
    {"sealed as an arena is", send_memfd, LENGTH, LIMIT, LIMIT, F_SEAL_SHRINK | F_SEAL_GROW, NULL},
    {"a page is missing", send_memfd, LENGTH, LIMIT, LIMIT - 4096, ALL_SEALS, NULL},
    {"all pages are missing", send_memfd, LENGTH, LIMIT, 0, ALL_SEALS, NULL},
    {"empty", send_memfd, 0, 0, 0, ALL_SEALS, NULL},
    {"not of whole pages", send_memfd, LENGTH, LIMIT - 2048, LIMIT - 2048, ALL_SEALS, NULL},
    {"larger than the largest request", send_memfd, LENGTH, LARGEST + 65536, LARGEST + 65536, ALL_SEALS, NULL},
    {"a gigabyte of holes", send_memfd, LENGTH, (size_t)1 << 30, 0, ALL_SEALS, NULL},
    {"pages behind the end in their place", send_other, LENGTH, .make = with_pages_behind_the_end},
    {"a pipe", send_other, LENGTH, .make = pipe_end},
    {"a socket", send_other, LENGTH, .make = socket_end},
    {"a file", send_other, LENGTH, .make = ordinary_file},
    {"an eventfd", send_other, LENGTH, .make = event_new},
    {"a device", send_other, LENGTH, .make = device},
    {"a path", send_other, LENGTH, .make = directory},
};

static void tell(const lie *told, bool is_held)
{
    uint64_t calls = atomic_load(&server.calls), dropped = atomic_load(&server.dropped);
    rogue peer;

    join(&peer);
    if (is_held)
        hold(&peer);
    told->tell(told, &peer, peer.next);
    if (told->length != NO_REQUEST)
        say_sealed(&peer, told->length);
    if (is_held)
        let_go();
    ck_assert_msg(rogue_is_dropped(&peer), "%s: still connected", told->what);
    await_true(atomic_load(&server.dropped) == dropped + 1);
    ck_assert_msg(atomic_load(&server.calls) == calls, "%s: a call was made of it", told->what);
    leave(&peer);
}

/* As it comes; and found when its request is taken. */
START_TEST(drops_a_session_that_lies_about_sealed_memory)
{
    tell(&lies[_i], false);
    tell(&lies[_i], true);
}
END_TEST

START_TEST(a_memory_is_good_for_one_request)
{
    uint64_t calls = atomic_load(&server.calls);
    rogue peer;

    join(&peer);
    send_memory(&peer, 1, make_sealed(LENGTH, 1));
    say_sealed(&peer, LENGTH);
    expect_echo(&peer, LENGTH, 1);
    if (_i == 1)
        send_memory(&peer, 1, make_sealed(LENGTH, 1));
    say_sealed(&peer, LENGTH);
    ck_assert(rogue_is_dropped(&peer));
    await_true(atomic_load(&server.dropped) == 1);
    ck_assert_uint_eq(atomic_load(&server.calls), calls + 1);
    leave(&peer);
}
END_TEST

/* ---- before there is a lane, and where none was offered ---- */

START_TEST(is_no_part_of_a_handshake)
{
    const control_packet hello = raw_hello(&limits);
    rogue peer;

    rogue_connect(&peer, "raw");
    if (_i == 1)
        ck_assert(rogue_greet_with(&peer, &hello));
    send_memory(&peer, 1, make_sealed(LENGTH, 0));
    control_packet *said = rogue_receive(&peer, CONTROL_WELCOME, CONTROL_READY);
    ck_assert_ptr_nonnull(said);
    ck_assert_int_eq(said->kind, _i == 1 ? CONTROL_READY : CONTROL_WELCOME);
    ck_assert_int_eq(_i == 1 ? said->as.ready.status : said->as.welcome.status, SHMRPC_E_PROTOCOL);
    control_packet_free(said);
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
}
END_TEST

static const shmrpc_lane_limits small = {SHMRPC_MESSAGE_MAX, SHMRPC_MESSAGE_MAX};

static void setup_small(void)
{
    echoing_setup_with(&small, NULL);
}

/* A server all of whose requests fit into blocks takes no descriptors from clients that are connected. */
START_TEST(is_refused_where_it_was_not_offered)
{
    const slot_extents at = {EXTENT_SEALED, 0, 0, 0};
    slot request = rogue_slot(1, 255, 1, LENGTH);
    rogue peer;

    join_with(&peer, &small);
    ck_assert_uint_eq(peer.memory.geometry.arena_units, 0);
    if (_i < 2)
        hold(&peer);
    if (_i != 0)
        send_memory(&peer, peer.next, make_sealed(4096, 0));
    memcpy(request.payload, &at, sizeof(at));
    request.length = 4096;
    if (_i != 2)
        rogue_request(&peer, &request, 0);
    if (_i < 2)
        let_go();
    ck_assert(rogue_is_dropped(&peer));
    await_true(atomic_load(&server.dropped) == 1);
    ck_assert_uint_eq(atomic_load(&server.calls), 0);
    leave(&peer);
}
END_TEST

/* ---- what else is in the socket ---- */

/* Cancels that mean nothing. */
static void flood(rogue *peer, unsigned count)
{
    const control_packet packet = {.kind = CONTROL_CANCEL, .as.cancel = UINT64_MAX};

    for (unsigned i = 0; i < count; i++)
        rogue_send(peer, &packet, NULL, 0);
}

START_TEST(is_found_behind_what_was_sent_before)
{
    rogue peer;

    join(&peer);
    hold(&peer);
    flood(&peer, 100);
    for (unsigned i = 0; i < SEALED_MAX; i++) {
        send_memory(&peer, peer.next, make_sealed(LENGTH, i));
        flood(&peer, 10);
        say_sealed(&peer, LENGTH);
    }
    let_go();
    expect_echo(&peer, LENGTH, SEALED_MAX - 1);
    leave(&peer);
    ck_assert_uint_eq(atomic_load(&server.dropped), 0);
}
END_TEST

/* It never leaves a session alone: whoever has a request has a turn in each pass. */
static void setup_polling(void)
{
    const shmrpc_server_options options = {.spin_ns = SHMRPC_SPIN_FOREVER};

    echoing_setup_with(&limits, &options);
}

/* Who sends many packets before each of its requests gets one of them answered in its turn, not all that there are. */
START_TEST(others_have_their_turn_between)
{
    const slot small_one = rogue_slot(1, 0, 0, 8), holding = rogue_slot(HOLD, 0, 0, 0);
    rogue peer, other;
    slot answer;

    join(&peer);
    join(&other);
    rogue_request(&other, &small_one, 0);
    ck_assert(rogue_await_reply(&other, &answer));
    uint64_t calls = atomic_load(&server.calls);
    hold(&peer);
    for (unsigned i = 0; i < SEALED_MAX; i++) {
        flood(&peer, 20);
        send_memory(&peer, peer.next, make_sealed(LENGTH, i));
        say_sealed(&peer, LENGTH);
    }
    rogue_request(&other, &holding, 0);
    let_go();
    await_held();
    ck_assert_uint_eq(atomic_load(&server.calls), calls + 1);
    let_go();
    expect_echo(&peer, LENGTH, SEALED_MAX - 1);
    ck_assert_uint_eq(atomic_load(&server.calls), calls + SEALED_MAX);
    leave(&other);
    leave(&peer);
    ck_assert_uint_eq(atomic_load(&server.dropped), 0);
}
END_TEST

/* The server does not read on for ever. */
START_TEST(is_not_looked_for_behind_a_flood)
{
    const int room = 8 << 20;
    uint64_t calls = atomic_load(&server.calls);
    rogue peer;

    join(&peer);
    if (setsockopt(peer.socket, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) < 0) {
        leave(&peer);
        test_skip("a socket takes no flood: %s", strerror(errno));
        return;
    }
    hold(&peer);
    flood(&peer, 1024);
    send_memory(&peer, peer.next, make_sealed(LENGTH, 0));
    say_sealed(&peer, LENGTH);
    let_go();
    ck_assert(rogue_is_dropped(&peer));
    await_true(atomic_load(&server.dropped) == 1);
    ck_assert_uint_eq(atomic_load(&server.calls), calls);
    leave(&peer);
}
END_TEST

/* ---- memory that takes a while to be closed ---- */

#define HUGE_LIMIT (65u << 20)

static const shmrpc_lane_limits huge = {HUGE_LIMIT, 8};

static void setup_huge(void)
{
    echoing_setup_with(&huge, NULL);
}

/* A client that keeps to the rules is not taken for one that sends what cannot be closed. */
START_TEST(large_ones_may_follow_each_other)
{
    rogue peer;
    slot answer;

    join_with(&peer, &huge);
    for (unsigned round = 0; round < 2; round++) {
        for (unsigned i = 0; i < SEALED_MAX; i++) {
            slot request = rogue_slot(1, 255, 0, 1);
            const slot_extents at = {EXTENT_SEALED, 0, 0, 0};

            send_memory(&peer, peer.next, make_memfd(HUGE_LIMIT, HUGE_LIMIT, ALL_SEALS));
            memcpy(request.payload, &at, sizeof(at));
            rogue_request(&peer, &request, 0);
        }
        ck_assert(rogue_await_reply(&peer, &answer));
        ck_assert_uint_eq(answer.method, 0);
    }
    leave(&peer);
    ck_assert_uint_eq(atomic_load(&server.dropped), 0);
    ck_assert_uint_eq(atomic_load(&server.calls), 2 * SEALED_MAX);
}
END_TEST

static Suite *sealed_suite(void)
{
    Suite *suite = suite_create("hostile_sealed");
    TCase *tests = tcase_create("sealed"), *others = tcase_create("blocks"), *large = tcase_create("large");
    TCase *turns = tcase_create("turns");

    tcase_add_checked_fixture(tests, echoing_setup, echoing_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, answers_a_request_that_is_where_it_says, 0, 2);
    tcase_add_test(tests, answers_as_many_as_may_be_in_flight);
    tcase_add_test(tests, is_taken_whenever_it_comes);
    tcase_add_test(tests, memory_that_no_request_asks_for_goes_with_the_next_one);
    tcase_add_loop_test(tests, does_what_a_client_asked_for_that_has_died_since, 0, 3);
    tcase_add_loop_test(tests, drops_a_session_that_lies_about_sealed_memory, 0, (int)(sizeof(lies) / sizeof(lies[0])));
    tcase_add_loop_test(tests, a_memory_is_good_for_one_request, 0, 2);
    tcase_add_loop_test(tests, is_no_part_of_a_handshake, 0, 2);
    tcase_add_test(tests, is_found_behind_what_was_sent_before);
    tcase_add_test(tests, is_not_looked_for_behind_a_flood);
    suite_add_tcase(suite, tests);

    tcase_add_checked_fixture(turns, setup_polling, echoing_stop);
    tcase_set_timeout(turns, 60);
    tcase_add_test(turns, others_have_their_turn_between);
    suite_add_tcase(suite, turns);

    tcase_add_checked_fixture(others, setup_small, echoing_stop);
    tcase_set_timeout(others, 60);
    tcase_add_loop_test(others, is_refused_where_it_was_not_offered, 0, 3);
    suite_add_tcase(suite, others);

    tcase_add_checked_fixture(large, setup_huge, echoing_stop);
    tcase_set_timeout(large, 60);
    tcase_add_test(large, large_ones_may_follow_each_other);
    suite_add_tcase(suite, large);
    return suite;
}

TEST_MAIN(sealed_suite)
