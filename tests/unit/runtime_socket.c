/* SPDX-License-Identifier: Apache-2.0 */
#include "test_support.h"

#include "runtime/platform/clock.h"
#include "runtime/platform/process.h"
#include "runtime/platform/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

#define LONG_NS INT64_C(20000000000)

/* One connection, both ends in this process. */
static char *path;
static int listener = -1;
static int near_end = -1;
static int far_end = -1;
static counts before;

static void setup_folder(void)
{
    runtime_dir_make();
    ck_assert_int_ge(asprintf(&path, "%s/socket", runtime_dir_path()), 0);
    counts_take(&before);
}

static void teardown_folder(void)
{
    unlink(path);
    counts_expect_same(&before);
    free(path);
    runtime_dir_remove();
}

static void setup_pair(void)
{
    setup_folder();
    listener = socket_listen(path, 0600, 4);
    ck_assert_int_ge(listener, 0);
    near_end = socket_connect(path);
    ck_assert_int_ge(near_end, 0);
    far_end = socket_accept(listener);
    ck_assert_int_ge(far_end, 0);
}

static void close_if_open(int descriptor)
{
    if (descriptor >= 0)
        close(descriptor);
}

static void teardown_pair(void)
{
    close_if_open(near_end);
    close_if_open(far_end);
    close_if_open(listener);
    teardown_folder();
}

static void expect_flags(int descriptor)
{
    ck_assert_int_ne(fcntl(descriptor, F_GETFL) & O_NONBLOCK, 0);
    ck_assert_int_ne(fcntl(descriptor, F_GETFD) & FD_CLOEXEC, 0);
}

/* Sends with sendmsg() itself what socket_send() would not: `count` copies of a descriptor, perhaps no byte. */
static void send_raw(int descriptor, size_t length, size_t count)
{
    char bytes[1] = {'x'};
    struct iovec part = {.iov_base = bytes, .iov_len = length};
    size_t space = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *control = calloc(1, space);
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control,
                             .msg_controllen = count > 0 ? space : 0};

    ck_assert_ptr_nonnull(control);
    control->cmsg_level = SOL_SOCKET;
    control->cmsg_type = SCM_RIGHTS;
    control->cmsg_len = CMSG_LEN(count * sizeof(int));
    for (size_t i = 0; i < count; i++)
        memcpy(CMSG_DATA(control) + i * sizeof(int), &descriptor, sizeof(int));
    ck_assert_int_eq(sendmsg(descriptor, &message, 0), (ssize_t)length);
    free(control);
}

static void expect_receive_error(int expected)
{
    counts now;
    socket_packet packet;
    char bytes[8];

    counts_take(&now);
    memset(&packet, 0x11, sizeof(packet));
    ck_assert_int_eq(socket_receive(far_end, bytes, sizeof(bytes), &packet), expected);
    ck_assert_uint_eq(packet.length, (size_t)0x1111111111111111u);
    counts_expect_same(&now);
}

/* ---- connecting ---- */

START_TEST(a_socket_has_exactly_the_mode_asked_for)
{
    static const mode_t modes[] = {0600, 0660, 0666, 0777};
    static const mode_t masks[] = {0, 022, 077, 0777};
    struct stat status;

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        for (size_t j = 0; j < sizeof(masks) / sizeof(masks[0]); j++) {
            mode_t usual = umask(masks[j]);
            int descriptor = socket_listen(path, modes[i], 4);

            umask(usual);
            ck_assert_int_ge(descriptor, 0);
            expect_flags(descriptor);
            ck_assert_int_eq(lstat(path, &status), 0);
            ck_assert_uint_eq(status.st_mode, S_IFSOCK | modes[i]);
            close(descriptor);
            ck_assert_int_eq(unlink(path), 0);
        }
    }
}
END_TEST

START_TEST(says_why_it_cannot_listen)
{
    char long_path[SOCKET_PATH_MAX + 2];
    int descriptor;

    memset(long_path, 'a', sizeof(long_path));
    long_path[0] = '/';
    long_path[sizeof(long_path) - 1] = '\0';
    ck_assert_uint_eq(strlen(long_path), SOCKET_PATH_MAX + 1);
    ck_assert_int_eq(socket_listen(long_path, 0600, 4), -ENAMETOOLONG);
    ck_assert_int_eq(socket_listen("", 0600, 4), -ENOENT);
    ck_assert_int_eq(socket_listen("/nonexistent/socket", 0600, 4), -ENOENT);

    descriptor = socket_listen(path, 0600, 4);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(socket_listen(path, 0600, 4), -EADDRINUSE);
    ck_assert_uint_eq(runtime_dir_entries(), 1);
    close(descriptor);
}
END_TEST

START_TEST(says_why_it_cannot_connect)
{
    char long_path[SOCKET_PATH_MAX + 2];
    int descriptor;

    memset(long_path, 'a', sizeof(long_path));
    long_path[sizeof(long_path) - 1] = '\0';
    ck_assert_int_eq(socket_connect(long_path), -ENAMETOOLONG);
    ck_assert_int_eq(socket_connect(""), -ENOENT);
    ck_assert_int_eq(socket_connect(path), -ENOENT);

    descriptor = socket_listen(path, 0600, 4);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
    ck_assert_int_eq(socket_connect(path), -ECONNREFUSED);
}
END_TEST

START_TEST(a_full_backlog_does_not_block)
{
    int descriptors[8];
    int count = 0;
    int r = 0;

    listener = socket_listen(path, 0600, 2);
    while (count < 8) {
        r = socket_connect(path);
        if (r < 0)
            break;
        descriptors[count++] = r;
    }
    ck_assert_int_eq(r, -EAGAIN);
    ck_assert_int_ge(count, 2);
    for (int i = 0; i < count; i++)
        close(descriptors[i]);
    close(listener);
}
END_TEST

START_TEST(nobody_waits_to_be_accepted)
{
    listener = socket_listen(path, 0600, 2);
    ck_assert_int_eq(socket_accept(listener), -EAGAIN);
    close(listener);
}
END_TEST

/* ---- senders ---- */

static int connect_and_send(child_link *link, void *data)
{
    int descriptor = socket_connect(data);

    child_check(descriptor >= 0, "socket_connect");
    child_check(socket_send(descriptor, "hello", 5, NULL, 0) == 0, "socket_send");
    link_signal(link, 's');
    link_await(link, 'e');
    return 0;
}

START_TEST(a_packet_from_before_the_accept_tells_who_sent_it)
{
    socket_packet packet;
    char bytes[8];
    child process;

    listener = socket_listen(path, 0600, 4);
    child_spawn(&process, connect_and_send, path);
    link_await(&process.link, 's');
    far_end = socket_accept(listener);
    ck_assert_int_ge(far_end, 0);
    expect_flags(far_end);
    ck_assert_int_eq(socket_receive(far_end, bytes, sizeof(bytes), &packet), 0);
    ck_assert_uint_eq(packet.length, 5);
    ck_assert_mem_eq(bytes, "hello", 5);
    ck_assert_uint_eq(packet.descriptor_count, 0);
    ck_assert_int_eq(packet.descriptors[0], -1);
    ck_assert_int_eq(packet.sender.pid, process.pid);
    ck_assert_uint_eq(packet.sender.uid, getuid());
    ck_assert_uint_eq(packet.sender.gid, getgid());
    ck_assert_int_ge(packet.sender.pidfd, 0);
    ck_assert_int_ne(fcntl(packet.sender.pidfd, F_GETFD) & FD_CLOEXEC, 0);

    ck_assert(!process_has_ended(packet.sender.pidfd));
    link_signal(&process.link, 'e');
    child_expect_exit(&process, 0);
    ck_assert(process_has_ended(packet.sender.pidfd));
    socket_packet_deinit(&packet);
    ck_assert_int_eq(packet.sender.pidfd, -1);
    close(far_end);
    close(listener);
}
END_TEST

static int accept_and_send(child_link *link, void *data)
{
    int descriptor = socket_accept(*(int *)data);

    child_check(descriptor >= 0, "socket_accept");
    child_check(socket_send(descriptor, "welcome", 7, NULL, 0) == 0, "socket_send");
    link_signal(link, 's');
    link_await(link, 'e');
    return 0;
}

START_TEST(a_packet_names_its_sender_and_not_who_listened)
{
    socket_packet packet;
    char bytes[8];
    child process;

    listener = socket_listen(path, 0600, 4);
    near_end = socket_connect(path);
    ck_assert_int_ge(near_end, 0);
    child_spawn(&process, accept_and_send, &listener);
    link_await(&process.link, 's');
    ck_assert_int_eq(socket_receive(near_end, bytes, sizeof(bytes), &packet), 0);
    ck_assert_int_eq(packet.sender.pid, process.pid);
    ck_assert(!process_has_ended(packet.sender.pidfd));
    link_signal(&process.link, 'e');
    child_expect_exit(&process, 0);
    ck_assert(process_has_ended(packet.sender.pidfd));
    socket_packet_deinit(&packet);
    close(near_end);
    close(listener);
}
END_TEST

START_TEST(opens_a_pidfd_itself_where_the_kernel_sends_none)
{
    const int off = 0;
    socket_packet packet;
    char bytes[8];
    child process;

    listener = socket_listen(path, 0600, 4);
    child_spawn(&process, connect_and_send, path);
    link_await(&process.link, 's');
    far_end = socket_accept(listener);
    if (setsockopt(far_end, SOL_SOCKET, SO_PASSPIDFD, &off, sizeof(off)) < 0)
        ck_assert_int_eq(errno, ENOPROTOOPT);
    ck_assert_int_eq(socket_receive(far_end, bytes, sizeof(bytes), &packet), 0);
    ck_assert_int_eq(packet.sender.pid, process.pid);
    ck_assert_int_ge(packet.sender.pidfd, 0);
    ck_assert(!process_has_ended(packet.sender.pidfd));
    link_signal(&process.link, 'e');
    child_expect_exit(&process, 0);
    ck_assert(process_has_ended(packet.sender.pidfd));
    socket_packet_deinit(&packet);
    close(far_end);
    close(listener);
}
END_TEST

START_TEST(a_sender_that_is_gone_does_not_spoil_its_packet)
{
    socket_packet packet;
    char bytes[8];
    child process;

    listener = socket_listen(path, 0600, 4);
    child_spawn(&process, connect_and_send, path);
    link_await(&process.link, 's');
    link_signal(&process.link, 'e');
    pid_t pid = process.pid;
    child_expect_exit(&process, 0);
    far_end = socket_accept(listener);
    ck_assert_int_eq(socket_receive(far_end, bytes, sizeof(bytes), &packet), 0);
    ck_assert_uint_eq(packet.length, 5);
    ck_assert_int_eq(packet.sender.pid, pid);
    ck_assert(packet.sender.pidfd == -1 || process_has_ended(packet.sender.pidfd));
    socket_packet_deinit(&packet);
    close(far_end);
    close(listener);
}
END_TEST

/* ---- packets ---- */

START_TEST(packets_arrive_whole_in_order_and_in_both_directions)
{
    socket_packet packet;
    char bytes[8];

    expect_flags(near_end);
    ck_assert_int_eq(socket_send(near_end, "one", 3, NULL, 0), 0);
    ck_assert_int_eq(socket_send(near_end, "three", 5, NULL, 0), 0);
    ck_assert_int_eq(socket_receive(far_end, bytes, sizeof(bytes), &packet), 0);
    ck_assert_uint_eq(packet.length, 3);
    ck_assert_mem_eq(bytes, "one", 3);
    socket_packet_deinit(&packet);
    ck_assert_int_eq(socket_receive(far_end, bytes, sizeof(bytes), &packet), 0);
    ck_assert_uint_eq(packet.length, 5);
    ck_assert_mem_eq(bytes, "three", 5);
    socket_packet_deinit(&packet);
    expect_receive_error(-EAGAIN);

    ck_assert_int_eq(socket_send(far_end, "back", 4, NULL, 0), 0);
    ck_assert_int_eq(socket_receive(near_end, bytes, sizeof(bytes), &packet), 0);
    ck_assert_uint_eq(packet.length, 4);
    ck_assert_int_eq(packet.sender.pid, getpid());
    socket_packet_deinit(&packet);
}
END_TEST

START_TEST(a_packet_of_the_largest_size_arrives)
{
    char *sent = malloc(SOCKET_PACKET_MAX);
    char *received = malloc(SOCKET_PACKET_MAX);
    socket_packet packet;

    ck_assert(sent != NULL && received != NULL);
    for (size_t i = 0; i < SOCKET_PACKET_MAX; i++)
        sent[i] = (char)(i * 7 + i / 251);
    ck_assert_int_eq(socket_send(near_end, sent, SOCKET_PACKET_MAX, NULL, 0), 0);
    ck_assert_int_eq(socket_receive(far_end, received, SOCKET_PACKET_MAX, &packet), 0);
    ck_assert_uint_eq(packet.length, SOCKET_PACKET_MAX);
    ck_assert_mem_eq(received, sent, SOCKET_PACKET_MAX);
    socket_packet_deinit(&packet);
    ck_assert_int_eq(socket_send(near_end, sent, SOCKET_PACKET_MAX + 1u, NULL, 0), -EMSGSIZE);
    free(sent);
    free(received);
}
END_TEST

START_TEST(descriptors_travel_with_a_packet)
{
    socket_packet packet;
    char bytes[8];
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(socket_send(near_end, "two", 3, ends, 2), 0);
    ck_assert_int_eq(socket_receive(far_end, bytes, sizeof(bytes), &packet), 0);
    ck_assert_uint_eq(packet.descriptor_count, 2);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_ne(packet.descriptors[i], ends[i]);
        ck_assert_int_ne(fcntl(packet.descriptors[i], F_GETFD) & FD_CLOEXEC, 0);
    }
    ck_assert_int_eq(write(packet.descriptors[1], "p", 1), 1);
    ck_assert_int_eq(read(ends[0], bytes, 1), 1);
    ck_assert_int_eq(bytes[0], 'p');
    socket_packet_deinit(&packet);
    ck_assert_uint_eq(packet.descriptor_count, 0);
    ck_assert_int_eq(packet.descriptors[0], -1);

    ck_assert_int_eq(socket_send(near_end, "one", 3, ends, 1), 0);
    ck_assert_int_eq(socket_receive(far_end, bytes, sizeof(bytes), &packet), 0);
    ck_assert_uint_eq(packet.descriptor_count, 1);
    ck_assert_int_eq(packet.descriptors[1], -1);
    socket_packet_deinit(&packet);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(too_many_descriptors_are_refused_and_closed)
{
    const size_t many[] = {SOCKET_DESCRIPTORS_MAX + 1, 8, 9, 50, 253};

    for (size_t i = 0; i < sizeof(many) / sizeof(many[0]); i++) {
        send_raw(near_end, 1, many[i]);
        expect_receive_error(-EMSGSIZE);
    }
    /* The connection goes on. */
    send_raw(near_end, 1, 0);
    ck_assert_int_eq(socket_wait(far_end, -1, 0), SOCKET_READABLE);
}
END_TEST

START_TEST(a_packet_beyond_the_capacity_is_refused_and_its_descriptors_closed)
{
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    ck_assert_int_eq(socket_send(near_end, "123456789", 9, ends, 2), 0);
    expect_receive_error(-EMSGSIZE);
    expect_receive_error(-EAGAIN);
    close(ends[0]);
    close(ends[1]);
}
END_TEST

START_TEST(an_empty_packet_ends_the_stream_and_its_descriptors_are_closed)
{
    send_raw(near_end, 0, 2);
    expect_receive_error(-EPIPE);
    send_raw(near_end, 0, 0);
    expect_receive_error(-EPIPE);
}
END_TEST

/* Room for so many (at most 3) more descriptors; the limit is put back before anything is asserted. NULL: bytes alone. */
typedef int receive_whole(int descriptor, void *bytes, size_t capacity, socket_packet *ret_packet);

static int receive_by(receive_whole *whole, unsigned room, socket_packet *ret_packet)
{
    struct rlimit usual;
    char bytes[8];
    int free_numbers[4];
    size_t length = 0;
    int r;

    for (int i = 0; i < 4; i++)
        free_numbers[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
    for (int i = 0; i < 4; i++)
        close(free_numbers[i]);
    limit_lower(RLIMIT_NOFILE, (rlim_t)free_numbers[room], &usual);
    if (ret_packet != NULL)
        r = whole(far_end, bytes, sizeof(bytes), ret_packet);
    else
        r = socket_receive_bytes(far_end, bytes, sizeof(bytes), &length);
    limit_restore(RLIMIT_NOFILE, &usual);
    ck_assert(ret_packet != NULL || r < 0 || (length == 3 && memcmp(bytes, "two", 3) == 0));
    return r;
}

static int receive_with_room_for(unsigned room, socket_packet *ret_packet)
{
    return receive_by(socket_receive, room, ret_packet);
}

START_TEST(who_sent_it_needs_no_room_where_nobody_asks)
{
    socket_packet packet;

    ck_assert_int_eq(socket_send(near_end, "none", 4, NULL, 0), 0);
    ck_assert_int_eq(receive_by(socket_receive_rights, 0, &packet), 0);
    ck_assert(packet.length == 4 && packet.descriptor_count == 0 && packet.sender.pidfd == -1);
    ck_assert_int_eq(socket_send(near_end, "two", 3, (int[]){near_end, near_end}, 2), 0);
    ck_assert_int_eq(receive_by(socket_receive_rights, 1, &packet), -EMFILE);
}
END_TEST

START_TEST(says_when_the_process_has_no_room_for_descriptors)
{
    socket_packet packet;
    counts now;

    counts_take(&now);
    for (unsigned room = 0; room < 3; room++) {
        ck_assert_int_eq(socket_send(near_end, "two", 3, (int[]){near_end, near_end}, 2), 0);
        ck_assert_int_eq(receive_with_room_for(room, &packet), -EMFILE);
        counts_expect_same(&now);
    }
    ck_assert_int_eq(socket_send(near_end, "two", 3, (int[]){near_end, near_end}, 2), 0);
    ck_assert_int_eq(receive_with_room_for(3, &packet), 0);
    ck_assert_uint_eq(packet.descriptor_count, 2);
    socket_packet_deinit(&packet);
    counts_expect_same(&now); /* sockets are closed by a thread, and until then have the numbers that are counted on */

    ck_assert_int_eq(socket_send(near_end, "none", 4, NULL, 0), 0);
    ck_assert_int_eq(receive_with_room_for(0, &packet), -EMFILE);
    counts_expect_same(&now);

    /* Bytes alone need none. */
    ck_assert_int_eq(socket_send(near_end, "two", 3, (int[]){near_end, near_end}, 2), 0);
    ck_assert_int_eq(receive_with_room_for(0, NULL), 0);
    counts_expect_same(&now);
    ck_assert_int_eq(socket_send(near_end, "two", 3, (int[]){near_end, near_end}, 2), 0);
    ck_assert_int_eq(receive_with_room_for(3, NULL), 0);
    counts_expect_same(&now);
}
END_TEST

START_TEST(what_was_sent_before_the_end_can_still_be_read)
{
    socket_packet packet;
    char bytes[8];

    ck_assert_int_eq(socket_send(near_end, "last", 4, NULL, 0), 0);
    close(near_end);
    near_end = -1;
    ck_assert_int_eq(socket_wait(far_end, -1, 0), SOCKET_READABLE | SOCKET_CLOSED);
    ck_assert_int_eq(socket_receive(far_end, bytes, sizeof(bytes), &packet), 0);
    ck_assert_mem_eq(bytes, "last", 4);
    socket_packet_deinit(&packet);
    expect_receive_error(-EPIPE);
    expect_receive_error(-EPIPE);
}
END_TEST

START_TEST(sending_to_a_closed_peer_is_an_error_and_no_signal)
{
    close(far_end);
    far_end = -1;
    ck_assert_int_eq(socket_send(near_end, "x", 1, NULL, 0), -EPIPE);
    ck_assert_int_eq(socket_send(near_end, "x", 1, NULL, 0), -EPIPE);
}
END_TEST

START_TEST(a_peer_that_closed_with_unread_packets_has_closed)
{
    socket_packet packet;
    char bytes[8];

    ck_assert_int_eq(socket_send(near_end, "x", 1, NULL, 0), 0);
    close(far_end);
    far_end = -1;
    ck_assert_int_eq(socket_receive(near_end, bytes, sizeof(bytes), &packet), -EPIPE);
    ck_assert_int_eq(socket_send(near_end, "x", 1, NULL, 0), -EPIPE);
}
END_TEST

START_TEST(a_peer_that_never_reads_does_not_block_the_sender)
{
    char bytes[4096] = {0};
    int sent = 0;
    int r;

    while ((r = socket_send(near_end, bytes, sizeof(bytes), NULL, 0)) == 0)
        ck_assert_int_lt(++sent, 100000);
    ck_assert_int_eq(r, -EAGAIN);
    ck_assert_int_gt(sent, 0);
}
END_TEST

/* ---- waiting ---- */

START_TEST(a_wait_ends_with_its_time)
{
    int64_t until = clock_after_ns(3000000);

    ck_assert_int_eq(socket_wait(far_end, -1, 3000000), 0);
    ck_assert(clock_left_ns(until) == 0);
    ck_assert_int_eq(socket_wait(far_end, -1, 0), 0);
}
END_TEST

static void on_alarm(int number)
{
    (void)number;
}

START_TEST(signals_do_not_end_a_wait)
{
    struct sigaction action = {.sa_handler = on_alarm};
    struct itimerval often = {.it_value = {.tv_usec = 2000}, .it_interval = {.tv_usec = 2000}};
    const struct itimerval never = {.it_value = {0}};
    int64_t until = clock_after_ns(30000000);

    ck_assert_int_eq(sigaction(SIGALRM, &action, NULL), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
    ck_assert_int_eq(socket_wait(far_end, -1, 30000000), 0);
    ck_assert(clock_left_ns(until) == 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &never, NULL), 0);
}
END_TEST

START_TEST(a_wait_ends_when_the_peer_closes)
{
    ck_assert_int_eq(socket_send(near_end, "x", 1, NULL, 0), 0);
    ck_assert_int_eq(socket_wait(far_end, -1, CLOCK_NEVER), SOCKET_READABLE);
    close(near_end);
    near_end = -1;
    ck_assert_int_eq(socket_wait(far_end, -1, CLOCK_NEVER), SOCKET_READABLE | SOCKET_CLOSED);
}
END_TEST

static int send_and_await(child_link *link, void *data)
{
    int descriptor = *(int *)data;

    child_check(socket_send(descriptor, "x", 1, NULL, 0) == 0, "socket_send");
    link_await(link, 'e');
    return 0;
}

START_TEST(a_wait_ends_with_the_peers_process_though_others_have_its_socket)
{
    socket_packet packet;
    char bytes[8];
    child process;

    child_spawn(&process, send_and_await, &near_end);
    ck_assert_int_eq(socket_wait(far_end, -1, LONG_NS), SOCKET_READABLE);
    ck_assert_int_eq(socket_receive(far_end, bytes, sizeof(bytes), &packet), 0);
    ck_assert_int_eq(packet.sender.pid, process.pid);
    ck_assert_int_eq(socket_wait(far_end, packet.sender.pidfd, 0), 0);
    link_signal(&process.link, 'e');
    ck_assert_int_eq(socket_wait(far_end, packet.sender.pidfd, LONG_NS), SOCKET_CLOSED);
    child_expect_exit(&process, 0);
    socket_packet_deinit(&packet);
}
END_TEST

static void add_connecting(Suite *suite)
{
    TCase *tests = tcase_create("connect");

    tcase_add_checked_fixture(tests, setup_folder, teardown_folder);
    tcase_add_test(tests, a_socket_has_exactly_the_mode_asked_for);
    tcase_add_test(tests, says_why_it_cannot_listen);
    tcase_add_test(tests, says_why_it_cannot_connect);
    tcase_add_test(tests, a_full_backlog_does_not_block);
    tcase_add_test(tests, nobody_waits_to_be_accepted);
    tcase_add_test(tests, a_packet_from_before_the_accept_tells_who_sent_it);
    tcase_add_test(tests, a_packet_names_its_sender_and_not_who_listened);
    tcase_add_test(tests, opens_a_pidfd_itself_where_the_kernel_sends_none);
    tcase_add_test(tests, a_sender_that_is_gone_does_not_spoil_its_packet);
    suite_add_tcase(suite, tests);
}

static void add_packets(Suite *suite)
{
    TCase *tests = tcase_create("packets");

    tcase_add_checked_fixture(tests, setup_pair, teardown_pair);
    tcase_add_test(tests, packets_arrive_whole_in_order_and_in_both_directions);
    tcase_add_test(tests, a_packet_of_the_largest_size_arrives);
    tcase_add_test(tests, descriptors_travel_with_a_packet);
    tcase_add_test(tests, too_many_descriptors_are_refused_and_closed);
    tcase_add_test(tests, a_packet_beyond_the_capacity_is_refused_and_its_descriptors_closed);
    tcase_add_test(tests, an_empty_packet_ends_the_stream_and_its_descriptors_are_closed);
    tcase_add_test(tests, who_sent_it_needs_no_room_where_nobody_asks);
    tcase_add_test(tests, says_when_the_process_has_no_room_for_descriptors);
    tcase_add_test(tests, what_was_sent_before_the_end_can_still_be_read);
    tcase_add_test(tests, sending_to_a_closed_peer_is_an_error_and_no_signal);
    tcase_add_test(tests, a_peer_that_closed_with_unread_packets_has_closed);
    tcase_add_test(tests, a_peer_that_never_reads_does_not_block_the_sender);
    tcase_add_test(tests, a_wait_ends_with_its_time);
    tcase_add_test(tests, signals_do_not_end_a_wait);
    tcase_add_test(tests, a_wait_ends_when_the_peer_closes);
    tcase_add_test(tests, a_wait_ends_with_the_peers_process_though_others_have_its_socket);
    suite_add_tcase(suite, tests);
}

static Suite *socket_suite(void)
{
    Suite *suite = suite_create("runtime_socket");

    add_connecting(suite);
    add_packets(suite);
    return suite;
}

TEST_MAIN(socket_suite)
