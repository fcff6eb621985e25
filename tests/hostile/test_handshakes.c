/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_handshakes.c - whoever connects to a server and does not behave is dropped, logged and counted; nobody else notices.
 *
 * In each case a well-behaved client is connected from the beginning, and is served in between and in the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "rogue.h"

#define HANDSHAKE_NS INT64_C(300000000)

static probe_process server;
static shmrpc_client *witness;
static size_t server_fds;

static uint64_t witness_value = 1;

static void assert_witness_served(void)
{
    witness_value += 100;
    ck_assert(probe_answers_rightly(witness, witness_value, 3));
}

static shmrpc_server_counts counters(void)
{
    shmrpc_server_counts now;

    assert_status(probe_get_counters(witness, &now), 0);
    return now;
}

static void setup(void)
{
    runtime_dir_make();
    probe_process_start(&server,
                        &(probe_setup){.options = &(shmrpc_server_options){.handshake_timeout_ns = HANDSHAKE_NS}});
    assert_status(probe_connect(&witness, "probe", NULL), 0);
    assert_witness_served();
    server_fds = counts_fds_of(server.child.pid);
}

/* Nothing is left of the rogues, and nobody but them was dropped. */
static void teardown(void)
{
    assert_witness_served();
    ck_assert_int_eq(shmrpc_client_state(witness), SHMRPC_CLIENT_UP);
    await_true(counts_fds_of(server.child.pid) == server_fds);
    await_true(counters().sessions_open == 1);
    ck_assert_uint_eq(atomic_load(&server.state->lifecycle_errors), 0);
    shmrpc_client_free(witness);
    probe_process_stop(&server);
    ck_assert_uint_eq(runtime_dir_entries(), 0);
    runtime_dir_remove();
}

static uint64_t turned_away(void)
{
    shmrpc_server_counts now = counters();

    return now.sessions_dropped + now.sessions_refused;
}

static uint32_t random_state;

static uint32_t random_next(void)
{
    random_state = random_state * 1664525u + 1013904223u;
    return random_state >> 8;
}

static void random_seed(uint32_t seed)
{
    printf("seed %u\n", seed);
    random_state = seed;
}

static void random_fill(unsigned char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (unsigned char)random_next();
}

START_TEST(drops_those_who_send_random_bytes)
{
    static unsigned char bytes[4096];
    uint64_t before = turned_away();

    random_seed(20240601);
    for (int round = 0; round < 400; round++) {
        rogue peer;
        size_t length = 1 + random_next() % sizeof(bytes);
        random_fill(bytes, length);
        rogue_connect(&peer, "probe");
        rogue_send_bytes(&peer, bytes, length, NULL, 0);
        ck_assert_msg(rogue_is_dropped(&peer), "round %d: still connected", round);
        rogue_leave(&peer);
    }
    ck_assert_uint_ge(turned_away() - before, 400);
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
    ck_assert_uint_ge(atomic_load(&server.state->warnings), 400);
}
END_TEST

START_TEST(drops_those_who_send_huge_packets)
{
    static unsigned char bytes[200000];
    static const unsigned char fills[] = {0x00, 0xff, 0x0a, 0x12};

    for (size_t i = 0; i < sizeof(fills); i++) {
        rogue peer;
        memset(bytes, fills[i], sizeof(bytes));
        rogue_connect(&peer, "probe");
        rogue_send_bytes(&peer, bytes, sizeof(bytes), NULL, 0);
        ck_assert(rogue_is_dropped(&peer));
        rogue_leave(&peer);
        assert_witness_served();
    }
}
END_TEST

/* A well-formed Hello with some bytes changed: it is refused, or taken for what it then says. */
START_TEST(survives_mutilated_hellos)
{
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);
    void *bytes;
    size_t length;

    random_seed(7001);
    ck_assert_int_eq(control_encode(&hello, &bytes, &length), 0);
    unsigned char *copy = malloc(length);
    ck_assert_ptr_nonnull(copy);
    for (int round = 0; round < 1500; round++) {
        rogue peer;
        memcpy(copy, bytes, length);
        size_t kept = round % 3 == 0 ? 1 + random_next() % length : length;
        for (uint32_t changes = 1 + random_next() % 4; changes > 0; changes--)
            copy[random_next() % length] = (unsigned char)random_next();
        rogue_connect(&peer, "probe");
        rogue_send_bytes(&peer, copy, kept, NULL, 0);
        control_packet *answer = rogue_receive(&peer, CONTROL_WELCOME, CONTROL_WELCOME);
        if (answer == NULL || answer->as.welcome.status != 0)
            ck_assert(rogue_is_dropped(&peer));
        control_packet_free(answer);
        rogue_leave(&peer);
        if (round % 100 == 0)
            assert_witness_served();
    }
    free(copy);
    free(bytes);
}
END_TEST

START_TEST(keeps_nothing_of_those_who_connect_and_leave)
{
    for (int round = 0; round < 300; round++) {
        rogue peer;
        rogue_connect(&peer, "probe");
        rogue_leave(&peer);
    }
    assert_witness_served();
}
END_TEST

START_TEST(drops_those_who_say_nothing_at_the_handshake_s_deadline)
{
    rogue peer;
    uint64_t before = turned_away(), begin_ns = test_now_ns();

    rogue_connect(&peer, "probe");
    ck_assert(rogue_is_dropped(&peer));
    uint64_t took_ns = test_now_ns() - begin_ns;
    ck_assert_uint_ge(took_ns, (uint64_t)HANDSHAKE_NS - 10000000);
    rogue_leave(&peer);
    ck_assert_uint_eq(turned_away(), before + 1);
    ck_assert(probe_state_has_line(server.state, "handshake"));
}
END_TEST

START_TEST(drops_those_who_say_hello_and_nothing_more)
{
    rogue peer;
    uint64_t before = turned_away();

    rogue_connect(&peer, "probe");
    ck_assert(rogue_greet(&peer));
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    ck_assert_uint_eq(turned_away(), before + 1);
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
}
END_TEST

START_TEST(drops_packets_that_are_out_of_order)
{
    static const control_packet packets[] = {
        {.kind = CONTROL_WELCOME, .as.welcome = {.text = "", .runtime = "rogue", .protocol = 1, .depth = 64}},
        {.kind = CONTROL_ATTACH, .as.attach = {.size = 4096}},
        {.kind = CONTROL_READY, .as.ready = {.text = ""}},
        {.kind = CONTROL_GOODBYE, .as.goodbye = "bye"},
    };

    for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
        uint64_t before = turned_away();
        rogue peer;

        rogue_connect(&peer, "probe");
        rogue_send(&peer, &packets[i], NULL, 0);
        ck_assert(rogue_is_dropped(&peer));
        rogue_leave(&peer);
        ck_assert_uint_gt(turned_away(), before);

        if (packets[i].kind == CONTROL_ATTACH)
            continue;
        rogue_connect(&peer, "probe");
        ck_assert(rogue_greet(&peer));
        rogue_send(&peer, &packets[i], NULL, 0);
        ck_assert(rogue_is_dropped(&peer));
        rogue_leave(&peer);
    }
    rogue peer;
    /* And who says Hello twice. */
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);
    rogue_connect(&peer, "probe");
    ck_assert(rogue_greet(&peer));
    rogue_send(&peer, &hello, NULL, 0);
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
}
END_TEST

START_TEST(drops_those_who_send_packets_after_the_handshake)
{
    static const char garbage[] = "\xff\xfe garbage";
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);
    rogue peer;

    rogue_join(&peer, "probe");
    rogue_send(&peer, &hello, NULL, 0);
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    await_true(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_PROTOCOL]) == 1);

    rogue_join(&peer, "probe");
    rogue_send_bytes(&peer, garbage, sizeof(garbage), NULL, 0);
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    await_true(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_PROTOCOL]) == 2);

    rogue_join(&peer, "probe");
    int descriptor = rogue_make_memory(&(rogue){.memory.geometry = peer.memory.geometry});
    rogue_send(&peer, &(control_packet){.kind = CONTROL_ATTACH, .as.attach = {.size = peer.memory.size}},
               (const int[]){descriptor, peer.bell}, 2);
    close(descriptor);
    ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    await_true(atomic_load(&server.state->disconnected_why[SHMRPC_WHY_PROTOCOL]) == 3);
}
END_TEST

/* ---- what Hello says ---- */

static int status_of_hello(const control_packet *hello, char *ret_text, size_t capacity)
{
    rogue peer;
    int status = SHMRPC_E_UNAVAILABLE;

    rogue_connect(&peer, "probe");
    rogue_send(&peer, hello, NULL, 0);
    control_packet *answer = rogue_receive(&peer, CONTROL_WELCOME, CONTROL_WELCOME);
    if (answer != NULL) {
        status = answer->as.welcome.status;
        snprintf(ret_text, capacity, "%s", answer->as.welcome.text);
        control_packet_free(answer);
    }
    if (status != 0)
        ck_assert(rogue_is_dropped(&peer));
    rogue_leave(&peer);
    return status;
}

START_TEST(refuses_a_protocol_that_it_does_not_speak)
{
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);
    char text[CONTROL_TEXT_MAX + 1] = "";

    hello.as.hello.protocol_least = hello.as.hello.protocol_most = CONTROL_PROTOCOL + 1;
    assert_status(status_of_hello(&hello, text, sizeof(text)), SHMRPC_E_VERSION);
    ck_assert_str_ne(text, "");
    /* Versions to come are no reason as long as this one is among them. */
    hello.as.hello.protocol_least = CONTROL_PROTOCOL;
    hello.as.hello.protocol_most = UINT32_MAX;
    assert_status(status_of_hello(&hello, text, sizeof(text)), 0);
}
END_TEST

START_TEST(gives_no_more_depth_and_blocks_than_its_limits)
{
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);
    static const uint32_t asked[] = {0, 1, 3, 5, 1000, 65536, 65537, 0x80000000u, UINT32_MAX};
    char text[CONTROL_TEXT_MAX + 1];

    for (size_t i = 0; i < sizeof(asked) / sizeof(asked[0]); i++) {
        rogue peer;

        hello.as.hello.depth = asked[i];
        hello.as.hello.blocks = asked[sizeof(asked) / sizeof(asked[0]) - 1 - i];
        rogue_connect(&peer, "probe");
        rogue_send(&peer, &hello, NULL, 0);
        control_packet *answer = rogue_receive(&peer, CONTROL_WELCOME, CONTROL_WELCOME);
        if (answer != NULL && answer->as.welcome.status == 0) {
            const control_welcome *welcome = &answer->as.welcome;
            ck_assert_uint_ge(welcome->depth, 2);
            ck_assert_uint_le(welcome->depth, 4096);
            ck_assert_uint_eq(welcome->depth & (welcome->depth - 1), 0);
            ck_assert_uint_le(welcome->request_block_count * welcome->request_block_size +
                                  welcome->reply_block_count * welcome->reply_block_size,
                              256 * 1024);
        }
        control_packet_free(answer);
        rogue_leave(&peer);
    }
    hello = rogue_hello(methods);
    assert_status(status_of_hello(&hello, text, sizeof(text)), 0);
}
END_TEST

START_TEST(escapes_what_a_peer_calls_itself_in_its_log)
{
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);
    char text[CONTROL_TEXT_MAX + 1] = "";

    hello.as.hello.service = "test\x1b[31m\r\nwarning: forged line";
    int status = status_of_hello(&hello, text, sizeof(text));
    ck_assert_int_lt(status, 0);
    hello.as.hello.service = "no%s%n%d.such";
    hello.as.hello.runtime = "%s%s%s%n";
    status = status_of_hello(&hello, text, sizeof(text));
    ck_assert_int_lt(status, 0);
    for (uint64_t line = 0; line < atomic_load(&server.state->warnings) && line < PROBE_LINES; line++)
        for (const char *at = server.state->lines[line]; *at != '\0'; at++)
            ck_assert_msg((unsigned char)*at >= ' ' && *at != 0x7f, "a control character in \"%s\"",
                          server.state->lines[line]);
}
END_TEST

START_TEST(takes_a_hello_with_as_many_methods_as_there_can_be)
{
    static control_method many[SHMRPC_METHODS_MAX];
    static char names[SHMRPC_METHODS_MAX][16];
    control_method methods[PROBE_METHODS];
    control_packet hello = rogue_hello(methods);
    char text[CONTROL_TEXT_MAX + 1] = "";
    uint64_t begin_ns = test_now_ns();

    for (uint32_t i = 0; i < SHMRPC_METHODS_MAX; i++) {
        snprintf(names[i], sizeof(names[i]), "m%u", i);
        many[i] = (control_method){.name = names[i], .fingerprint = i};
    }
    hello.as.hello.methods = many;
    hello.as.hello.method_count = SHMRPC_METHODS_MAX;
    assert_status(status_of_hello(&hello, text, sizeof(text)), 0);
    /* The same name many times, and one of its own at that. */
    for (uint32_t i = 0; i < SHMRPC_METHODS_MAX; i++)
        many[i] = methods[PROBE_ECHO];
    int status = status_of_hello(&hello, text, sizeof(text));
    ck_assert_msg(status == 0 || status == SHMRPC_E_PROTOCOL || status == SHMRPC_E_REFUSED, "%d", status);
    ck_assert_uint_lt(test_now_ns() - begin_ns, UINT64_C(5000000000));
    assert_witness_served();
}
END_TEST

/* ---- what Attach brings ---- */

static int file_of(const char *name, size_t size)
{
    char *path = NULL;

    ck_assert_int_gt(asprintf(&path, "%s/../%s.%ld", runtime_dir_path(), name, (long)getpid()), 0);
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_msg(fd >= 0, "%s: %s", path, strerror(errno));
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    free(path);
    return fd;
}

static int memory_of(size_t size, unsigned int seals)
{
    int fd = memfd_create("rogue", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

/* Greets, attaches these, and has to be refused; closes them. */
static void assert_attach_refused(const char *what, uint64_t size_lie, int first, int second, unsigned count)
{
    uint64_t before = turned_away();
    rogue peer;

    rogue_connect(&peer, "probe");
    ck_assert(rogue_greet(&peer));
    uint64_t size = region_size(&peer.memory.geometry) + size_lie;
    ck_assert_msg(!rogue_attach(&peer, size, (const int[]){first, second}, count), "%s was taken", what);
    ck_assert_msg(rogue_is_dropped(&peer), "%s: still connected", what);
    rogue_leave(&peer);
    ck_assert_msg(turned_away() > before, "%s was not counted", what);
    close(first);
    if (second != first)
        close(second);
}

static size_t region_bytes(void)
{
    rogue peer;

    rogue_connect(&peer, "probe");
    ck_assert(rogue_greet(&peer));
    size_t size = region_size(&peer.memory.geometry);
    rogue_leave(&peer);
    return size;
}

static int bell(void)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static int pipe_end(void)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    close(ends[1]);
    return ends[0];
}

START_TEST(refuses_memory_that_is_not_what_it_has_to_be)
{
    const unsigned int right = F_SEAL_SHRINK | F_SEAL_GROW;
    const size_t size = region_bytes();

    assert_attach_refused("no descriptors", 0, bell(), bell(), 0);
    assert_attach_refused("one descriptor", 0, memory_of(size, right), bell(), 1);
    assert_attach_refused("descriptors in the wrong order", 0, bell(), memory_of(size, right), 2);
    assert_attach_refused("an ordinary file", 0, file_of("file", size), bell(), 2);
    assert_attach_refused("a pipe", 0, pipe_end(), bell(), 2);
    assert_attach_refused("/dev/zero", 0, open("/dev/zero", O_RDWR | O_CLOEXEC), bell(), 2);
    assert_attach_refused("a directory", 0, open("/", O_RDONLY | O_CLOEXEC), bell(), 2);
    assert_attach_refused("a socket", 0, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), bell(), 2);
    assert_attach_refused("memory without seals", 0, memory_of(size, 0), bell(), 2);
    assert_attach_refused("memory that can grow", 0, memory_of(size, F_SEAL_SHRINK), bell(), 2);
    assert_attach_refused("memory that can shrink", 0, memory_of(size, F_SEAL_GROW), bell(), 2);
    assert_attach_refused("memory whose seals are sealed", 0, memory_of(size, right | F_SEAL_SEAL), bell(), 2);
    assert_attach_refused("memory that nobody may write", 0, memory_of(size, right | F_SEAL_WRITE), bell(), 2);
    assert_attach_refused("less memory", 0, memory_of(size - 4096, right), bell(), 2);
    assert_attach_refused("more memory", 0, memory_of(size + 4096, right), bell(), 2);
    assert_attach_refused("no memory", 0, memory_of(0, right), bell(), 2);
    assert_attach_refused("another size", 4096, memory_of(size + 4096, right), bell(), 2);
    assert_attach_refused("a size that wraps", UINT64_MAX - size + 1, memory_of(size, right), bell(), 2);
    assert_witness_served();
    ck_assert_uint_eq(atomic_load(&server.state->connected), 1);
}
END_TEST

START_TEST(refuses_memory_that_may_only_be_read)
{
    int memory = memory_of(region_bytes(), F_SEAL_SHRINK | F_SEAL_GROW);
    char path[64];

    snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
    int read_only = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(read_only, 0);
    assert_attach_refused("read-only memory", 0, read_only, bell(), 2);
    close(memory);
}
END_TEST

/* A doorbell is only ever watched: one of another kind is refused, or harms the rogue alone. */
START_TEST(serves_others_whatever_a_doorbell_is)
{
    const struct itimerspec storm = {.it_interval = {.tv_nsec = 1000}, .it_value = {.tv_nsec = 1}};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    int poller = epoll_create1(EPOLL_CLOEXEC);

    ck_assert_int_ge(timer, 0);
    ck_assert_int_ge(poller, 0);
    ck_assert_int_eq(timerfd_settime(timer, 0, &storm, NULL), 0);
    const int bells[] = {timer,
                         poller,
                         pipe_end(),
                         open("/dev/zero", O_RDWR | O_CLOEXEC),
                         open("/", O_RDONLY | O_CLOEXEC),
                         file_of("bell", 10)};

    for (size_t i = 0; i < sizeof(bells) / sizeof(bells[0]); i++) {
        rogue peer;
        rogue_connect(&peer, "probe");
        ck_assert(rogue_greet(&peer));
        int memory = rogue_make_memory(&peer);
        bool taken = rogue_attach(&peer, peer.memory.size, (const int[]){memory, bells[i]}, 2);
        close(memory);
        for (int calls = 0; calls < 5; calls++)
            assert_witness_served();
        if (!taken)
            ck_assert(rogue_is_dropped(&peer));
        rogue_leave(&peer);
        close(bells[i]);
    }
}
END_TEST

START_TEST(closes_descriptors_that_come_with_any_packet)
{
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);
    static const char garbage[] = "garbage";
    int one = bell(), two = bell();

    for (int round = 0; round < 100; round++) {
        rogue peer;
        rogue_connect(&peer, "probe");
        rogue_send(&peer, &hello, (const int[]){one, two}, 2);
        rogue_leave(&peer);
        rogue_connect(&peer, "probe");
        rogue_send_bytes(&peer, garbage, sizeof(garbage), (const int[]){one, two}, 2);
        rogue_leave(&peer);
    }
    close(one);
    close(two);
    /* teardown() counts. */
}
END_TEST

static void send_many_descriptors(int socket, unsigned int count)
{
    union {
        char bytes[CMSG_SPACE(sizeof(int) * 200)];
        struct cmsghdr align;
    } control = {{0}};
    char byte = 1;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE(sizeof(int) * count)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * count);
    for (unsigned int i = 0; i < count; i++) {
        const int fd = STDERR_FILENO;
        memcpy(CMSG_DATA(header) + i * sizeof(int), &fd, sizeof(int));
    }
    ck_assert_int_eq(sendmsg(socket, &message, MSG_NOSIGNAL), 1);
}

START_TEST(drops_those_who_send_too_many_descriptors)
{
    static const unsigned int numbers[] = {3, 17, 200};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        rogue peer;
        rogue_connect(&peer, "probe");
        send_many_descriptors(peer.socket, numbers[i]);
        ck_assert(rogue_is_dropped(&peer));
        rogue_leave(&peer);
    }
}
END_TEST

/* ---- many at once ---- */

START_TEST(serves_others_while_many_say_nothing)
{
    enum { SILENT = 300 };
    static rogue silent[SILENT];
    shmrpc_client *late = NULL;

    for (int i = 0; i < SILENT; i++) {
        rogue_connect(&silent[i], "probe");
        if (i % 30 == 0)
            assert_witness_served();
    }
    assert_witness_served();
    for (int i = 0; i < SILENT; i++)
        ck_assert(rogue_is_dropped(&silent[i]));
    assert_status(probe_connect(&late, "probe", NULL), 0);
    ck_assert(probe_answers_rightly(late, 1, 5));
    shmrpc_client_free(late);
    for (int i = 0; i < SILENT; i++)
        rogue_leave(&silent[i]);
}
END_TEST

START_TEST(serves_others_while_many_never_read_their_answers)
{
    enum { DEAF = 100 };
    static rogue deaf[DEAF];
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);

    for (int i = 0; i < DEAF; i++) {
        rogue_connect(&deaf[i], "probe");
        rogue_send(&deaf[i], &hello, NULL, 0);
    }
    assert_witness_served();
    for (int i = 0; i < DEAF; i++)
        rogue_leave(&deaf[i]);
}
END_TEST

static Suite *handshakes_suite(void)
{
    Suite *suite = suite_create("hostile_handshakes");
    TCase *tests = tcase_create("handshakes");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, drops_those_who_send_random_bytes);
    tcase_add_test(tests, drops_those_who_send_huge_packets);
    tcase_add_test(tests, survives_mutilated_hellos);
    tcase_add_test(tests, keeps_nothing_of_those_who_connect_and_leave);
    tcase_add_test(tests, drops_those_who_say_nothing_at_the_handshake_s_deadline);
    tcase_add_test(tests, drops_those_who_say_hello_and_nothing_more);
    tcase_add_test(tests, drops_packets_that_are_out_of_order);
    tcase_add_test(tests, drops_those_who_send_packets_after_the_handshake);
    tcase_add_test(tests, refuses_a_protocol_that_it_does_not_speak);
    tcase_add_test(tests, gives_no_more_depth_and_blocks_than_its_limits);
    tcase_add_test(tests, escapes_what_a_peer_calls_itself_in_its_log);
    tcase_add_test(tests, takes_a_hello_with_as_many_methods_as_there_can_be);
    tcase_add_test(tests, refuses_memory_that_is_not_what_it_has_to_be);
    tcase_add_test(tests, refuses_memory_that_may_only_be_read);
    tcase_add_test(tests, serves_others_whatever_a_doorbell_is);
    tcase_add_test(tests, closes_descriptors_that_come_with_any_packet);
    tcase_add_test(tests, drops_those_who_send_too_many_descriptors);
    tcase_add_test(tests, serves_others_while_many_say_nothing);
    tcase_add_test(tests, serves_others_while_many_never_read_their_answers);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(handshakes_suite)
