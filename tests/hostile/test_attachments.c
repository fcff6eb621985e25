/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_attachments.c - descriptors that rogues send: as memory, as doorbells, with packets that have none, too many.
 *
 * What is behind a descriptor is the sender's choice. A server looks at what it is before it maps or watches it, and
 * closes all others: the fixture counts what it holds in the end.
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
#include "witness.h"

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
    uint64_t before = witness_turned_away();
    rogue peer;

    rogue_connect(&peer, "probe");
    ck_assert(rogue_greet(&peer));
    uint64_t size = region_size(&peer.memory.geometry) + size_lie;
    ck_assert_msg(!rogue_attach(&peer, size, (const int[]){first, second}, count), "%s was taken", what);
    ck_assert_msg(rogue_is_dropped(&peer), "%s: still connected", what);
    rogue_leave(&peer);
    ck_assert_msg(witness_turned_away() > before, "%s was not counted", what);
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
    witness_expect_served();
    ck_assert_uint_eq(atomic_load(&witness_server.state->connected), 1);
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

START_TEST(refuses_a_doorbell_that_is_no_eventfd)
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
        ck_assert_msg(!rogue_attach(&peer, peer.memory.size, (const int[]){memory, bells[i]}, 2), "doorbell %zu", i);
        close(memory);
        ck_assert(rogue_is_dropped(&peer));
        witness_expect_served();
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

static Suite *attachments_suite(void)
{
    Suite *suite = suite_create("hostile_attachments");
    TCase *tests = tcase_create("attachments");

    tcase_add_checked_fixture(tests, witness_setup, witness_teardown);
    tcase_set_timeout(tests, 60);
    tcase_add_test(tests, refuses_memory_that_is_not_what_it_has_to_be);
    tcase_add_test(tests, refuses_memory_that_may_only_be_read);
    tcase_add_test(tests, refuses_a_doorbell_that_is_no_eventfd);
    tcase_add_test(tests, closes_descriptors_that_come_with_any_packet);
    tcase_add_test(tests, drops_those_who_send_too_many_descriptors);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(attachments_suite)
