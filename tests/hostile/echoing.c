/* SPDX-License-Identifier: Apache-2.0 */
#include "echoing.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "runtime/platform/memory.h"

echo_server server;
const shmrpc_lane_limits limits = {LIMIT, LIMIT};

static shmrpc_lane *witness;
static probe_state *log_state;
static counts before, serving;

uint64_t sum_of(const unsigned char *bytes, size_t size)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = sum * 31 + bytes[i];
    return sum;
}

static int handle(shmrpc_lane_server *self, const shmrpc_lane_request *request, size_t *ret_size)
{
    echo_server *mine = (echo_server *)(void *)self;

    if (request->method == HOLD) {
        sem_post(&mine->holding);
        while (sem_wait(&mine->let_go) < 0)
            ;
        return 0;
    }
    atomic_store(&mine->last_size, request->size);
    atomic_store(&mine->last_sum, sum_of(request->data, request->size));
    atomic_fetch_add(&mine->calls, 1);
    memcpy(request->reply, request->data, request->size);
    *ret_size = request->size;
    return 0;
}

static void disconnected(shmrpc_lane_server *self, shmrpc_session *session, int why)
{
    (void)session;
    atomic_fetch_add(&((echo_server *)(void *)self)->dropped, why == SHMRPC_WHY_PROTOCOL);
}

static const shmrpc_lane_handlers handlers = {handle, NULL, disconnected};

static void *serve(void *data)
{
    echo_server *mine = data;

    mine->run_status = shmrpc_lane_server_run(&mine->base);
    return NULL;
}

static void assert_witness_served(void)
{
    static unsigned char request[LIMIT], reply[LIMIT];

    for (size_t size = 1; size <= LIMIT; size *= 32) {
        shmrpc_lane_reply how = {0};
        memset(request, (int)(size % 251), size);
        assert_status(shmrpc_lane_call(witness, 1, request, size, reply, sizeof(reply), &how, shmrpc_default()), 0);
        ck_assert_uint_eq(how.size, size);
        ck_assert(memcmp(request, reply, size) == 0);
    }
}

void echoing_setup_with(const shmrpc_lane_limits *of, const shmrpc_server_options *options)
{
    runtime_dir_make();
    log_state = probe_state_new();
    probe_log_to(log_state);
    counts_take(&before);
    memset(&server, 0, sizeof(server));
    ck_assert(sem_init(&server.holding, 0, 0) == 0 && sem_init(&server.let_go, 0, 0) == 0);
    assert_status(shmrpc_lane_server_init(&server.base, &handlers, "raw", of, options), 0);
    ck_assert_int_eq(pthread_create(&server.thread, NULL, serve, &server), 0);
}

void echoing_setup(void)
{
    echoing_setup_with(&limits, NULL);
    assert_status(shmrpc_lane_connect(&witness, "raw", &limits, NULL), 0);
    assert_witness_served();
    counts_take(&serving);
}

void echoing_stop(void)
{
    shmrpc_lane_server_stop(&server.base);
    ck_assert_int_eq(pthread_join(server.thread, NULL), 0);
    assert_status(server.run_status, 0);
    shmrpc_lane_server_deinit(&server.base);
    counts_expect_same(&before);
    probe_log_to(NULL);
    probe_state_free(log_state);
    runtime_dir_remove();
}

void echoing_teardown(void)
{
    counts_expect_same(&serving);
    assert_witness_served();
    shmrpc_lane_free(witness);
    echoing_stop();
}

control_packet raw_hello(const shmrpc_lane_limits *of)
{
    return (control_packet){.kind = CONTROL_HELLO,
                            .as.hello = {.protocol_least = CONTROL_PROTOCOL,
                                         .protocol_most = CONTROL_PROTOCOL,
                                         .service = "",
                                         .depth = 16,
                                         .blocks = 4,
                                         .request_size = of->request_size,
                                         .reply_size = of->reply_size,
                                         .runtime = "rogue"}};
}

static void send_attach(rogue *self, uint64_t arena_size, const int *descriptors, unsigned count)
{
    const control_packet packet = {.kind = CONTROL_ATTACH, .as.attach = {self->memory.size, arena_size, false}};

    rogue_send(self, &packet, descriptors, count);
}

bool attach(rogue *self, uint64_t arena_size, const int *descriptors, unsigned count)
{
    send_attach(self, arena_size, descriptors, count);
    control_packet *ready = rogue_receive(self, CONTROL_READY, CONTROL_READY);
    bool taken = ready != NULL && ready->as.ready.status == 0;
    control_packet_free(ready);
    return taken;
}

/* Until Ready is read, or has come. */
static void join_until(rogue *self, const shmrpc_lane_limits *of, bool is_read)
{
    const control_packet hello = raw_hello(of);
    void *base = NULL;
    int arena = -1;

    rogue_connect(self, "raw");
    ck_assert(rogue_greet_with(self, &hello));
    int memory = rogue_make_memory(self);
    size_t size = region_arena_size(&self->memory.geometry);
    if (size != 0)
        ck_assert_int_eq(memory_create(size, MEMORY_ON_DEMAND, MEMORY_ORDINARY_PAGES, MEMORY_ANY_NODE, &base, &arena),
                         0);
    const int descriptors[] = {memory, self->bell, arena};
    const unsigned count = size != 0 ? 3 : 2;
    if (is_read) {
        ck_assert(attach(self, size, descriptors, count));
    } else {
        send_attach(self, size, descriptors, count);
        ck_assert_int_eq(poll(&(struct pollfd){.fd = self->socket, .events = POLLIN}, 1, TEST_PATIENCE_MS), 1);
    }
    self->memory.arena = base;
    close(memory);
    if (size != 0)
        close(arena);
}

void join_with(rogue *self, const shmrpc_lane_limits *of)
{
    join_until(self, of, true);
}

void join(rogue *self)
{
    join_with(self, &limits);
    ck_assert_uint_eq(self->memory.geometry.arena_units, UNITS);
}

void join_deaf(rogue *self)
{
    join_until(self, &limits, false);
}

void leave(rogue *self)
{
    memory_unmap(self->memory.arena, region_arena_size(&self->memory.geometry));
    self->memory.arena = NULL;
    rogue_leave(self);
}

void hold(rogue *self)
{
    const slot request = rogue_slot(HOLD, 0, 0, 0);

    rogue_request(self, &request, 0);
    await_held();
}

void await_held(void)
{
    while (sem_wait(&server.holding) < 0)
        ;
}

void let_go(void)
{
    sem_post(&server.let_go);
}
