/* SPDX-License-Identifier: Apache-2.0 */
#include "later_rig.h"

#include "test_support.h"

#include "runtime/server_core.h"

#include <shmrpc/log.h>

#include <stdio.h>
#include <string.h>

#define RING 8u

static bool large_validate(const void *message, shmrpc_fault *ret_fault)
{
    *ret_fault = (shmrpc_fault){"number", "is 13", 13, 0};
    return ((const large *)message)->number != 13;
}

static int invoke(shmrpc_server *server, shmrpc_context *context, const void *request, void *reply)
{
    (void)server;
    (void)request;
    (void)reply;
    rig.invoked++;
    if (rig.is_withdrawn) {
        (void)atomic_fetch_or(&region_slot(&rig.pair.memory, rig.sent)->word, WORD_CANCEL);
    }
    for (unsigned i = 0; i < rig.defers; i++) {
        rig.given = shmrpc_context_defer(context);
        ck_assert_uint_lt(rig.all_count, sizeof(rig.all) / sizeof(rig.all[0]));
        rig.all[rig.all_count++] = rig.given;
    }
    if (rig.answers_at_once) {
        ck_assert_int_eq(shmrpc_later_reply(rig.given, &(uint64_t){55}), 0);
    }
    return rig.returned;
}

static const shmrpc_type_info small_type = {"test.Small", 1, 8, 8, NULL, NULL, NULL, NULL, NULL, NULL};
static const shmrpc_type_info large_type = {"test.Large",   2,    sizeof(large), sizeof(large), NULL, NULL,
                                            large_validate, NULL, NULL,          NULL};
static const shmrpc_error_info error_items[] = {{"PLAIN", 1, NULL}, {"LARGE", 2, &large_type}};
static const shmrpc_errors_info errors = {"test.Error", 3, error_items, 2};
static const shmrpc_method_info methods[METHODS] = {
    [METHOD_ECHO] = {"echo", 10, 0, 0, 0, &small_type, &small_type, NULL, invoke, NULL, NULL},
    [METHOD_GROW] = {"grow", 11, 0, 0, 0, &small_type, &large_type, NULL, invoke, NULL, NULL},
    [METHOD_NOTE] = {"note", 12, SHMRPC_METHOD_ONEWAY, 0, 0, &small_type, NULL, NULL, invoke, NULL, NULL},
    [METHOD_FAIL] = {"fail", 13, 0, 0, 0, &small_type, &small_type, &errors, invoke, NULL, NULL},
    [METHOD_DONE] = {"done", 14, 0, 0, 0, &small_type, NULL, NULL, invoke, NULL, NULL},
};
static const shmrpc_service_info info = {
    .abi = &shmrpc_generated_abi_3, .name = "test.Service", .version = 1, .method_count = METHODS, .methods = methods};
static const shmrpc_server_binding binding = {.service = &info};

later_rig rig;

static void keep_line(const shmrpc_log_entry *entry)
{
    rig.lines++;
    snprintf(rig.logged, sizeof(rig.logged), "%s", entry->line);
}

void rig_begin_with(uint32_t inbox_depth)
{
    runtime_dir_make();
    ck_assert_int_eq(shmrpc_server_init(&rig.server, &binding, "service", NULL), 0);
    rig.offered = server_core_service(&rig.server);
    for (unsigned i = 0; i < METHODS; i++) {
        rig.terms[i] = revision_terms(&methods[i], 0);
    }
    ck_assert_int_eq(service_scratch_init(&rig.scratch, rig.offered), 0);
    lane_pair_init_with_inbox(&rig.pair, RING, 4, inbox_depth);
    shmrpc_log_set(keep_line, SHMRPC_LOG_WARNING);
    rig.returned = SHMRPC_DEFERRED;
    rig.defers = 1;
}

void rig_begin(void)
{
    rig_begin_with(INBOX);
}

void rig_close_lane(void)
{
    if (!rig.is_closed) {
        lane_server_close(&rig.pair.server);
    }
    rig.is_closed = true;
}

void rig_end(void)
{
    rig_close_lane();
    shmrpc_log_set(NULL, SHMRPC_LOG_WARNING);
    /* What is not answered is kept for ever, and nothing else is. */
    for (unsigned i = 0; i < rig.all_count; i++) {
        (void)shmrpc_later_fail(rig.all[i], SHMRPC_E_AGAIN);
    }
    ck_assert_uint_eq(later_lanes(), 0);
    lane_pair_deinit(&rig.pair);
    service_scratch_deinit(&rig.scratch);
    shmrpc_server_deinit(&rig.server);
    runtime_dir_remove();
}

/* ---- the client's part ---- */

void send_request(uint16_t method, uint32_t budget_us, uint8_t reply_block)
{
    uint64_t position = ++rig.sent;
    slot *at = region_slot(&rig.pair.memory, position);

    shared_store_header(at, (slot_header){method, BLOCK_NONE, reply_block, 8, budget_us});
    memcpy(at->payload, &position, sizeof(position));
    ck_assert((shared_publish_request(at, word_request(position, rig.pair.memory.shift)) & 3u) != WORD_REQUEST);
}

int serve(void)
{
    const service_visit visit = {.server = &rig.server,
                                 .lane = &rig.pair.server,
                                 .scratch = &rig.scratch,
                                 .methods = rig.terms};
    lane_request taken;

    if (lane_server_take(&rig.pair.server, &taken) == 0) {
        return 1;
    }
    return rig.offered->handle(rig.offered, &visit, &taken);
}

shmrpc_later put_off(uint16_t method, uint8_t reply_block)
{
    send_request(method, BUDGET_NONE, reply_block);
    ck_assert_int_eq(serve(), 0);
    ck_assert_uint_ne(rig.given.id, 0);
    return rig.given;
}

void put_off_all(shmrpc_later laters[INBOX])
{
    for (unsigned i = 0; i < INBOX; i++) {
        laters[i] = put_off(METHOD_ECHO, BLOCK_NONE);
    }
}

uint32_t ticket_of(uint64_t position)
{
    const slot *at = region_slot(&rig.pair.memory, position);

    ck_assert_uint_eq(lane_pair_word(&rig.pair, position), word_of(position, rig.pair.memory.shift, WORD_MOVED));
    return shared_load_header(at).budget_us;
}

bool has_entry(uint64_t number)
{
    return shared_load_word(region_entry(&rig.pair.memory, number)) == word_reply(number, rig.pair.memory.inbox_shift);
}

slot_header entry(uint64_t number, uint64_t *ret_value)
{
    const slot *at = region_entry(&rig.pair.memory, number);
    slot_header header;

    ck_assert_msg(has_entry(number), "there is no entry %u", (unsigned)number);
    header = shared_load_header(at);
    ck_assert_uint_eq(header.request_block, INBOX_REPLY);
    if (ret_value != NULL) {
        const void *from = at->payload;

        if (header.reply_block != BLOCK_NONE) {
            from = region_reply_block(&rig.pair.memory, header.reply_block);
        }
        memcpy(ret_value, from, sizeof(*ret_value));
    }
    return header;
}

int status_of(uint64_t number)
{
    return (int16_t)entry(number, NULL).method;
}
