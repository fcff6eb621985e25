/* SPDX-License-Identifier: Apache-2.0 */
/* large_pair.h - a server of large.shm, and a client in the process of the test. */
#ifndef TESTS_IPC_LARGE_PAIR_H
#define TESTS_IPC_LARGE_PAIR_H

#include "large_service.h"

#define assert_status(call, wanted)                                                                       \
    do {                                                                                                  \
        int assert_status_got = (call);                                                                   \
        ck_assert_msg(assert_status_got == (wanted), "%s: %d (%s: %s), not %d", #call, assert_status_got, \
                      shmrpc_status_text(assert_status_got), shmrpc_last_error(), (int)(wanted));         \
    } while (0)

/* Bytes of an arena that one call with the largest messages takes. */
#define CALL_SIZE (2 * ((sizeof(large_frame) + 4095) / 4096 * 4096))

extern child process; /* the server */
extern large_client *client;
extern large_frame *request, *reply;

/* With options, which stay the caller's; NULL: the defaults. */
void start_server(shmrpc_server_options *options);
void end_server(void);

/* With so large an arena. */
large_client *connect_with(uint64_t arena_size);

/* Fixtures. */
void setup(void);
void teardown(void);

/* `count` bytes that the seed tells. */
uint8_t byte_of(uint32_t seed, uint32_t i);
void make_request(large_frame *frame, uint32_t seed, uint32_t count);

/* Is it the reply to that? */
void expect_turned(const large_frame *got, uint32_t seed, uint32_t count);
int turn_with(large_client *by, uint32_t seed, uint32_t count, shmrpc_deadline deadline);
void start_turn(large_client *by, large_turn_call *call, uint32_t seed, uint32_t count);
void expect_turn(large_turn_call *call, uint32_t seed, uint32_t count);

/* All of an arena for so many calls is free. */
void expect_room(large_client *by, uint32_t room);

/* Calls that are put off; those that were sent before have begun; answers of so many. */
void start_put_off(large_client *by, large_put_off_call *call, uint32_t seed, uint32_t count);
void let_all_begin(large_client *by);
void release_all(large_client *by, uint32_t count);

#endif
