/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lingering.c - descriptors that take long to close.
 *
 * A file of FUSE is closed when whoever serves it says so: here a file for which close() in the server waits until the
 * case lets go. And the last one to close a TCP socket that lingers waits until its peer has read what was written,
 * which here never happens. A server that waited for either would not answer the witness before its calls have ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rogue.h"
#include "runtime/platform/closer.h"
#include "runtime/platform/socket.h"
#include "witness.h"

#define LINGER_S 3600

/* ---- a file that takes long to close ---- */

typedef struct sluggish {
    _Atomic(uint64_t) inode; /* 0: there is none */
    _Atomic(unsigned) waiting;
    sem_t let_go;
} sluggish;

static sluggish *file; /* shared with the server */
static pid_t test_pid;

int __real_close(int descriptor);
int __wrap_close(int descriptor);

int __wrap_close(int descriptor)
{
    struct stat status;

    if (file != NULL && getpid() != test_pid && atomic_load(&file->inode) != 0 && fstat(descriptor, &status) == 0 &&
        status.st_ino == atomic_load(&file->inode)) {
        atomic_fetch_add(&file->waiting, 1);
        while (sem_wait(&file->let_go) != 0) {
        }
        sem_post(&file->let_go);
    }
    return __real_close(descriptor);
}

static int make_file(void)
{
    struct stat status;
    char path[] = "/tmp/shmrpc-sluggish.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    atomic_store(&file->inode, status.st_ino);
    return fd;
}

/* ---- a socket that lingers ---- */

static int reader = -1;

static int make_lingerer(void)
{
    static const char bytes[65536];
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct linger lingers = {.l_onoff = 1, .l_linger = LINGER_S};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int writer = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct pollfd writable = {.fd = writer, .events = POLLOUT};

    ck_assert_int_eq(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &(int){2048}, sizeof(int)), 0);
    ck_assert_int_eq(bind(listener, (struct sockaddr *)(void *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)(void *)&address, &length), 0);
    ck_assert_int_eq(connect(writer, (struct sockaddr *)(void *)&address, sizeof(address)), 0);
    reader = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(reader, 0);
    close(listener);
    ck_assert_int_eq(fcntl(writer, F_SETFL, O_NONBLOCK), 0);
    /* Until there has been no room for a while: the reader's side is full, too. */
    do {
        while (write(writer, bytes, sizeof(bytes)) > 0) {
        }
    } while (poll(&writable, 1, 20) > 0);
    ck_assert_int_eq(setsockopt(writer, SOL_SOCKET, SO_LINGER, &lingers, sizeof(lingers)), 0);
    return writer;
}

/* ---- fixture ---- */

static void let_go(void)
{
    sem_post(&file->let_go);
    if (reader >= 0)
        close(reader);
    reader = -1;
}

static void setup(void)
{
    file = mmap(NULL, sizeof(*file), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(file, MAP_FAILED);
    ck_assert_int_eq(sem_init(&file->let_go, 1, 0), 0);
    test_pid = getpid();
    witness_setup();
}

static void teardown(void)
{
    let_go();
    witness_teardown();
}

/* Keeps the server in a handler; a signal would not do, since it ends what lingers. */
static shmrpc_call held;

static void hold_server(void)
{
    static uint64_t value = 1;

    assert_status(shmrpc_call_start(witness, &held, PROBE_HOLD, &(probe_value){++value}, shmrpc_forever(), NULL), 0);
    await_true(atomic_load(&witness_server.state->holding) == value);
}

static void let_server(void)
{
    probe_value reply;

    probe_gate_pass(&witness_server, 1);
    assert_status(shmrpc_call_wait(&held, &reply), 0);
}

static unsigned garbage_ahead; /* packets that come before it */

/* When the server comes to look, nobody else has them. */
static void send_and_forget(rogue *peer, const control_packet *packet, int first, int second)
{
    const int descriptors[] = {first, second};

    hold_server();
    for (unsigned i = 0; i < garbage_ahead; i++)
        rogue_send_bytes(peer, "garbage", 7, NULL, 0);
    rogue_send(peer, packet, descriptors, second < 0 ? 1 : 2);
    close(first);
    if (second >= 0)
        close(second);
    let_server();
}

static int bell(void)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    return fd;
}

/* ---- what rogues do with one ---- */

static void as_memory(rogue *peer, int slow)
{
    ck_assert(rogue_greet(peer));
    const control_packet attach = {.kind = CONTROL_ATTACH, .as.attach.size = region_size(&peer->memory.geometry)};
    send_and_forget(peer, &attach, slow, bell());
}

static void as_doorbell(rogue *peer, int slow)
{
    ck_assert(rogue_greet(peer));
    int memory = rogue_make_memory(peer);
    const control_packet attach = {.kind = CONTROL_ATTACH, .as.attach.size = peer->memory.size};
    send_and_forget(peer, &attach, memory, slow);
}

static void with_hello(rogue *peer, int slow)
{
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);

    send_and_forget(peer, &hello, slow, -1);
}

static void with_a_cancel(rogue *peer, int slow)
{
    const control_packet cancel = {.kind = CONTROL_CANCEL, .as.cancel = 1};

    rogue_leave(peer);
    rogue_join(peer, "probe");
    send_and_forget(peer, &cancel, slow, -1);
}

static void behind_two_others(rogue *peer, int slow)
{
    int sent[] = {bell(), bell(), slow};
    union {
        char bytes[CMSG_SPACE(sizeof(sent))];
        struct cmsghdr align;
    } control = {{0}};
    char byte = 1;
    struct iovec part = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(sent));
    memcpy(CMSG_DATA(header), sent, sizeof(sent));
    hold_server();
    ck_assert_int_eq(sendmsg(peer->socket, &message, MSG_NOSIGNAL), 1);
    for (int i = 0; i < 3; i++)
        close(sent[i]);
    let_server();
}

/* In a socket that is sent: it is closed with what was not read of it. */
static void within_another(rogue *peer, int slow)
{
    int pair[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    ck_assert_int_eq(socket_send(pair[0], "x", 1, &slow, 1), 0);
    close(slow);
    close(pair[0]);
    with_hello(peer, pair[1]);
}

/* The first packet ends the session, what comes behind it is never read. */
static void behind_garbage(rogue *peer, int slow)
{
    garbage_ahead = 1;
    with_hello(peer, slow);
}

static void behind_much_garbage(rogue *peer, int slow)
{
    garbage_ahead = 6;
    with_hello(peer, slow);
}

static void (*const ways[])(rogue *, int) = {as_memory,         as_doorbell,    with_hello,     with_a_cancel,
                                             behind_two_others, within_another, behind_garbage, behind_much_garbage};

#define WAYS ((int)(sizeof(ways) / sizeof(ways[0])))

START_TEST(nobody_waits_for_a_descriptor_that_takes_long_to_close)
{
    rogue peer;

    garbage_ahead = 0;
    rogue_connect(&peer, "probe");
    ways[_i % WAYS](&peer, _i < WAYS ? make_lingerer() : make_file());
    /* What is not asked for does not end a session that is open. */
    ck_assert(ways[_i % WAYS] == with_a_cancel || rogue_is_dropped(&peer));
    rogue_leave(&peer);
    for (int i = 0; i < 20; i++)
        witness_expect_served();
    if (_i >= WAYS)
        await_true(atomic_load(&file->waiting) == 1);
    /* And who comes is taken in. */
    rogue_join(&peer, "probe");
    rogue_leave(&peer);
}
END_TEST

/* Of a user whose descriptors take long, no further ones are taken: they would use up the server's. */
START_TEST(a_user_has_a_limited_number_of_descriptors_closed_at_a_time)
{
    size_t before = counts_fds_of(witness_server.child.pid);
    control_method methods[PROBE_METHODS];
    const control_packet hello = rogue_hello(methods);
    shmrpc_client *late = NULL;
    int slow = make_file();
    rogue peer;

    /* Two are to be closed. What comes with further packets stays where it is, in their sockets. */
    for (unsigned i = 0; i < CLOSER_MANY - 1; i++) {
        rogue_connect(&peer, "probe");
        send_and_forget(&peer, &hello, dup(slow), dup(slow));
        ck_assert(rogue_is_dropped(&peer));
        rogue_leave(&peer);
        await_true(counts_fds_of(witness_server.child.pid) == before + 2 + i);
    }
    await_true(atomic_load(&file->waiting) == 1);
    assert_status(probe_connect(&late, "probe", NULL), SHMRPC_E_UNAVAILABLE);
    witness_expect_served();
    sem_post(&file->let_go);
    await_true(counts_fds_of(witness_server.child.pid) == before);
    assert_status(probe_connect(&late, "probe", NULL), 0);
    shmrpc_client_free(late);
    close(slow);
}
END_TEST

static Suite *lingering_suite(void)
{
    Suite *suite = suite_create("hostile_lingering");
    TCase *tests = tcase_create("lingering");

    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, nobody_waits_for_a_descriptor_that_takes_long_to_close, 0, 2 * WAYS);
    tcase_add_test(tests, a_user_has_a_limited_number_of_descriptors_closed_at_a_time);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(lingering_suite)
