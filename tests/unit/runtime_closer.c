/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that closes what a peer has sent: what lies unread in a socket goes with it, and fork() takes its lock last.
 */
#include "test_support.h"

#include "rest.h"
#include "tally.h"

#include "runtime/handle_lanes.h"
#include "runtime/platform/closer.h"
#include "runtime/platform/socket.h"

#include <shmrpc/client.h>

#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef SO_PASSPIDFD
#define SO_PASSPIDFD 76
#endif

#define PACKETS 20

static counts before;

static void begin(void)
{
    counts_take(&before);
}

static void end(void)
{
    counts_expect_same(&before);
}

/* `wanted`: what the receiver asks the kernel for; 0: nothing. */
static void socket_with_packets(int wanted, int *ret_near, int *ret_far)
{
    int ends[2], on = 1;

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    if (wanted != 0)
        (void)setsockopt(ends[1], SOL_SOCKET, wanted, &on, sizeof(on)); /* not known to kernels before 6.5 */
    for (int i = 0; i < PACKETS; i++)
        ck_assert_int_eq(socket_send(ends[0], "one", 3, (int[]){ends[0]}, 1), 0);
    *ret_near = ends[0];
    *ret_far = ends[1];
}

/* Whoever made the socket may have asked the kernel for a descriptor of its sender with each packet. */
START_TEST(what_lies_in_a_socket_goes_with_it)
{
    static const int wanted[] = {0, SO_PASSCRED, SO_PASSPIDFD};
    int near, far;

    socket_with_packets(wanted[_i], &near, &far);
    closer_leave(far, getuid());
    close(near);
    counts_expect_same(&before);
    ck_assert_uint_eq(closer_count(getuid()), 0);
}
END_TEST

static _Atomic(unsigned) locked;

static int child_end_at_once(child_link *link, void *data)
{
    (void)link;
    (void)data;
    return 0;
}

/* As who asks an idle lane for the state of its server, and finds that a socket was sent. */
static void *close_with_the_lock_held(void *data)
{
    const int *descriptor = data;

    handles_lock();
    tally_up(&locked);
    rest_await(); /* the one that forks waits for the lock, and has those that it takes before */
    closer_leave(*descriptor, getuid());
    handles_unlock();
    return NULL;
}

START_TEST(a_fork_waits_for_who_closes_with_the_lock_of_all_handles)
{
    static const uint32_t abi = SHMRPC_GENERATED_ABI;
    const shmrpc_service_info service = {.name = "test.Nothing", .abi = &abi};
    shmrpc_client *client = NULL;
    pthread_t closing;
    child process;
    int near, far;

    if (test_is_built_with("tsan")) {
        test_skip("ThreadSanitizer does not support a fork beside threads");
        return;
    }
    /* With the first handle its part in fork() begins; the closer's would begin with what it closes first. */
    ck_assert_int_eq(shmrpc_client_connect(&client, "nobody", &service, NULL), SHMRPC_E_UNAVAILABLE);
    socket_with_packets(0, &near, &far);
    closer_leave(far, getuid());
    close(near);
    counts_expect_same(&before);
    socket_with_packets(0, &near, &far);
    atomic_store(&locked, 0);
    ck_assert_int_eq(pthread_create(&closing, NULL, close_with_the_lock_held, &far), 0);
    tally_await(&locked, 1);
    child_spawn(&process, child_end_at_once, NULL);
    child_expect_exit(&process, 0);
    ck_assert_int_eq(pthread_join(closing, NULL), 0);
    close(near);
}
END_TEST

static Suite *closer_suite(void)
{
    Suite *suite = suite_create("runtime_closer");
    TCase *tests = tcase_create("closer");

    tcase_add_checked_fixture(tests, begin, end);
    tcase_set_timeout(tests, 30);
    tcase_add_loop_test(tests, what_lies_in_a_socket_goes_with_it, 0, 3);
    tcase_add_test(tests, a_fork_waits_for_who_closes_with_the_lock_of_all_handles);
    suite_add_tcase(suite, tests);
    return suite;
}

TEST_MAIN(closer_suite)
