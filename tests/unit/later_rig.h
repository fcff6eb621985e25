/* SPDX-License-Identifier: Apache-2.0 */
/*
 * later_rig.h - a service whose handlers put their calls off, over a lane in one process, for one thread to move step by
 * step. The client's part is done by hand, by the shared format.
 */
#ifndef SHMRPC_TEST_LATER_RIG_H
#define SHMRPC_TEST_LATER_RIG_H

#include "lane_pair.h"

#include "runtime/later.h"
#include "runtime/service.h"

#include <shmrpc/server.h>

#define INBOX 4u /* entries */

typedef struct large {
    uint64_t number; /* 13 does not validate */
    uint8_t rest[192];
} large;

/* Requests are a number of 8 bytes; so are replies, but for GROW's, a large, and those of NOTE (oneway) and DONE. */
enum { METHOD_ECHO, METHOD_GROW, METHOD_NOTE, METHOD_FAIL, METHOD_DONE, METHODS };

typedef struct later_rig {
    lane_pair pair;
    uint64_t sent; /* position of the last request */

    int returned;           /* what handlers return */
    unsigned defers;        /* how often they put their call off */
    bool answers_at_once;   /* and answer it before they return */
    bool is_withdrawn;      /* their caller marks the call, while they run */
    unsigned invoked;       /* how often they ran */
    shmrpc_later given;     /* what they got for it the last time */
    shmrpc_later all[4096]; /* all that they got */
    unsigned all_count;

    char logged[256]; /* the last line of the log, and how many there were */
    unsigned lines;

    shmrpc_server server;
    service *offered;
    service_scratch scratch;
    method_terms terms[METHODS];
    bool is_closed;
} later_rig;

extern later_rig rig;

/* Fixtures: an inbox of INBOX entries, of so many, and the end, by which all has been answered and nothing is kept. */
void rig_begin(void);
void rig_begin_with(uint32_t inbox_depth);
void rig_end(void);

/* The lane ends, before the fixture's end. */
void rig_close_lane(void);

/* Publishes a request without looking for room: the test knows. */
void send_request(uint16_t method, uint32_t budget_us, uint8_t reply_block);

/* Has the service handle the next request. What handle() returned; 1: the lane has none to take. */
int serve(void);

/* Makes a call that is put off, and returns its number. */
shmrpc_later put_off(uint16_t method, uint8_t reply_block);

/* As many as there are tickets. */
void put_off_all(shmrpc_later laters[INBOX]);

/* The ticket in a slot that says MOVED. */
uint32_t ticket_of(uint64_t position);

bool has_entry(uint64_t number);

/* An entry that has to be there, and, where ret_value is not NULL, the first number of its payload. */
slot_header entry(uint64_t number, uint64_t *ret_value);
int status_of(uint64_t number);

#endif
