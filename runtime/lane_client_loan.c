/* SPDX-License-Identifier: Apache-2.0 */
#include "lane_client_loan.h"

#include "error.h"
#include "lane_client_core.h"

/* Takes what has come. What has been written is published before a status says that there is no room. */
static int collect(lane_client *lane)
{
    int rc = lane_client_flush(lane);

    if (rc == 0) {
        rc = lane_client_reap(lane);
    }
    return rc != 0 ? rc : lane_client_take_entries(lane);
}

int lane_client_lend(lane_client *lane, uint32_t size, lane_loan *ret_loan)
{
    uint16_t number = BLOCK_NONE;
    int rc = lane_client_take_request(lane, size, &number);

    if (rc == SHMRPC_E_AGAIN) {
        rc = collect(lane);
        if (rc == 0) {
            rc = lane_client_take_request(lane, size, &number);
        }
    }
    if (rc != 0) {
        return rc;
    }
    ret_loan->hold = (lane_hold){number, BLOCK_NONE};
    ret_loan->room = lane_client_request_room(lane, number, &ret_loan->size);
    return 0;
}

void lane_client_take_back(lane_client *lane, lane_loan *loan)
{
    lane_client_give_hold(lane, &loan->hold);
    loan->room = NULL;
}

int lane_client_begin_lent(lane_client *lane, const lane_loan *loan, uint32_t reply_size, int64_t *timeout_ns,
                           lane_call *ret_call)
{
    int rc = lane_client_begin(lane, 0, reply_size, timeout_ns, ret_call);

    if (rc == 0) {
        ret_call->hold.request_block = loan->hold.request_block;
        lane_client_place(lane, ret_call);
    }
    return rc;
}

int lane_client_begin_sealed(lane_client *lane, uint32_t reply_size, int64_t *timeout_ns, lane_call *ret_call)
{
    int rc = lane->sealed == SEALED_MAX ? collect(lane) : 0;

    if (rc == 0 && lane->sealed == SEALED_MAX) {
        rc = error_set(SHMRPC_E_AGAIN, "there are as many requests in memory of their own as may be in flight");
    }
    if (rc == 0) {
        rc = lane_client_begin(lane, 0, reply_size, timeout_ns, ret_call);
    }
    if (rc == 0) {
        lane->sealed++;
        ret_call->hold.request_block = ARENA_SEALED;
        lane_client_place(lane, ret_call);
    }
    return rc;
}

void lane_client_unbegin(lane_client *lane, lane_call *call)
{
    lane_client_give_hold(lane, &call->hold);
}

void lane_client_unbegin_lent(lane_client *lane, const lane_call *call)
{
    lane_client_hold(lane, call->position)->request_block = BLOCK_NONE;
}

void lane_client_keep_in_place(lane_client *lane, lane_waiter *waiter, const lane_reply *reply, lane_loan *ret_loan)
{
    if (waiter->state == WAITER_SENT) {
        lane_client_keep_answer(lane, waiter, reply);
        *lane_client_hold(lane, waiter->position) = (lane_hold){BLOCK_NONE, BLOCK_NONE};
        *lane_client_waiter(lane, waiter->position) = NULL;
        lane_client_pass(lane, waiter->position);
    }
    ret_loan->hold = waiter->hold;
    ret_loan->room = lane_client_reply_room(lane, waiter->hold.reply_block, &ret_loan->size);
}
