/* SPDX-License-Identifier: Apache-2.0 */
#include "large_service.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct put_off {
    large_put_off_later later;
    large_frame *frame;
} put_off;

static large_server server;
static child_link *server_link;
static put_off waiting[PUT_OFF_MAX];
static uint32_t waiting_count;
static uint64_t notes, note_sum;

/* The same for every kind of message with `sum` and `data`. */
#define TURN(request, reply)                                                                         \
    do {                                                                                             \
        (reply)->data.count = (request)->data.count;                                                 \
        for (uint32_t turn_i = 0; turn_i < (request)->data.count; turn_i++) {                        \
            (reply)->sum += (request)->data.items[turn_i];                                           \
            (reply)->data.items[turn_i] = (request)->data.items[(request)->data.count - 1 - turn_i]; \
        }                                                                                            \
    } while (0)

static int turn(large_server *self, large_turn_context *context, const large_frame *request, large_frame *reply)
{
    (void)self;
    if (request->sum == SPOILT) {
        large_remains remains = {{0}};

        for (uint32_t i = 0; i < 20000; i++)
            remains.parts[i] = i * UINT64_C(3);
        return large_turn_throw_spoilt(context, &remains);
    }
    if (request->data.count == 0)
        return LARGE_ERROR_EMPTY;
    TURN(request, reply);
    return 0;
}

static int turn_page(large_server *self, large_turn_page_context *context, const large_page *request, large_page *reply)
{
    (void)self;
    (void)context;
    TURN(request, reply);
    return 0;
}

static int turn_leaf(large_server *self, large_turn_leaf_context *context, const large_leaf *request, large_leaf *reply)
{
    (void)self;
    (void)context;
    TURN(request, reply);
    return 0;
}

static int fill(large_server *self, large_fill_context *context, const large_fill_request *request, large_frame *reply)
{
    (void)self;
    (void)context;
    for (uint32_t i = 0; i < request->count; i++)
        reply->data.items[i] = (uint8_t)i;
    reply->data.count = request->count;
    return 0;
}

static int spread(large_server *self, large_spread_context *context, const large_spread_request *request,
                  large_frame *reply)
{
    (void)self;
    (void)context;
    memcpy(reply->data.items, request->parts, sizeof(request->parts));
    reply->data.count = sizeof(request->parts);
    return 0;
}

static int spread_more(large_server *self, large_spread_more_context *context, const large_spread_more_request *request,
                       large_frame *reply)
{
    (void)self;
    (void)context;
    memcpy(reply->data.items, request->parts, sizeof(request->parts));
    reply->data.count = sizeof(request->parts);
    return 0;
}

uint64_t sum_of(const large_frame *frame)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < frame->data.count; i++)
        sum += frame->data.items[i];
    return sum;
}

static int add(large_server *self, large_add_context *context, const large_frame *request, large_add_reply *reply)
{
    const char *key = shmrpc_context_metadata(&context->base, "factor");

    (void)self;
    reply->sum = sum_of(request) * (key == NULL ? 1 : strtoull(key, NULL, 10));
    return 0;
}

/* Is this memory of a file that this process can only read, and shares with no writer? */
static bool is_sealed(const void *at)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    bool found = false;

    child_check(maps != NULL, "cannot read the maps");
    while (!found && fgets(line, sizeof(line), maps) != NULL) {
        uintptr_t begin, end;

        found = maps_range(line, &begin, &end) && (uintptr_t)at >= begin && (uintptr_t)at < end &&
                strstr(line, " r--p ") != NULL && strstr(line, "memfd:shmrpc") != NULL;
    }
    fclose(maps);
    return found;
}

static int look(large_server *self, large_look_context *context, const large_frame *request, large_look_reply *reply)
{
    (void)self;
    (void)context;
    reply->sum = sum_of(request);
    reply->is_sealed = is_sealed(request);
    return 0;
}

static void note(large_server *self, large_note_context *context, const large_frame *request)
{
    (void)self;
    (void)context;
    notes++;
    note_sum += sum_of(request);
}

static int noted(large_server *self, large_noted_context *context, large_noted_reply *reply)
{
    (void)self;
    (void)context;
    reply->count = notes;
    reply->sum = note_sum;
    return 0;
}

static int do_put_off(large_server *self, large_put_off_context *context, const large_frame *request,
                      large_frame *reply)
{
    (void)self;
    (void)reply;
    put_off *one = &waiting[waiting_count];

    if (waiting_count == PUT_OFF_MAX)
        return SHMRPC_E_LIMIT;
    one->later = large_put_off_defer(context);
    one->frame = malloc(sizeof(*one->frame));
    if (one->later.base.id == 0 || one->frame == NULL)
        return SHMRPC_E_INTERNAL;
    *one->frame = *request;
    waiting_count++;
    return SHMRPC_DEFERRED;
}

static int release(large_server *self, large_release_context *context, const large_release_request *request,
                   large_release_reply *reply)
{
    static large_frame turned;

    (void)self;
    (void)context;
    while (waiting_count > 0 && reply->count < request->count) {
        put_off *one = &waiting[--waiting_count];

        memset(&turned, 0, sizeof(turned));
        TURN(one->frame, &turned);
        if (one->frame->data.count == 0)
            (void)large_put_off_later_fail(one->later, LARGE_ERROR_EMPTY);
        else
            (void)large_put_off_later_reply(one->later, &turned);
        free(one->frame);
        reply->count++;
    }
    return 0;
}

static int hold(large_server *self, large_hold_context *context, const large_frame *request, large_frame *reply)
{
    (void)self;
    (void)context;
    link_signal(server_link, 'h');
    link_await(server_link, 'g');
    TURN(request, reply);
    return 0;
}

static int ping(large_server *self, large_ping_context *context, const large_ping_request *request,
                large_ping_reply *reply)
{
    (void)self;
    (void)context;
    reply->value = request->value + 1;
    return 0;
}

static const large_ops ops = {
    .turn = turn,
    .turn_page = turn_page,
    .turn_leaf = turn_leaf,
    .fill = fill,
    .spread = spread,
    .spread_more = spread_more,
    .add = add,
    .look = look,
    .note = note,
    .noted = noted,
    .put_off = do_put_off,
    .release = release,
    .hold = hold,
    .ping = ping,
};

static void on_terminate(int signal_number)
{
    (void)signal_number;
    large_server_stop(&server);
}

int large_service(child_link *link, void *data)
{
    const shmrpc_server_options *options = data;
    struct sigaction action = {.sa_handler = on_terminate};

    server_link = link;
    child_check(large_server_init(&server, &ops, "large", options) == 0, shmrpc_last_error());
    sigaction(SIGTERM, &action, NULL);
    link_signal(link, 's');
    int rc = large_server_run(&server);
    large_server_deinit(&server);
    while (waiting_count > 0)
        free(waiting[--waiting_count].frame);
    return rc == 0 ? 0 : 1;
}
