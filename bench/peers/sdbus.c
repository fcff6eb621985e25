/* SPDX-License-Identifier: Apache-2.0 */
/* sdbus.c - D-Bus by sd-bus, peer to peer: the two are connected to each other, without a daemon between them. */
#include "peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define PATH "/bench"
#define INTERFACE "shmrpc.Bench"
#define IN_FLIGHT_MAX 256

enum { END_OF_SERVER, END_OF_CLIENT, ENDS };

static int ends[ENDS];
static sd_bus *bus;

/* What was answered, in order. */
static int64_t sums[IN_FLIGHT_MAX];
static uint32_t answered, finished;

static int fail(const char *what, int r)
{
    return peer_say("sdbus", what, strerror(-r));
}

static int sdbus_begin(const peer_place *place)
{
    (void)place;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) ? -errno : 0;
}

static void sdbus_end(const peer_place *place)
{
    (void)place;
    close(ends[END_OF_SERVER]);
    close(ends[END_OF_CLIENT]);
}

static int handle_add(sd_bus_message *request, void *data, sd_bus_error *error)
{
    int32_t left, right;
    int r;

    (void)data;
    (void)error;
    r = sd_bus_message_read(request, "ii", &left, &right);
    return r < 0 ? r : sd_bus_reply_method_return(request, "x", (int64_t)left + right);
}

static int handle_echo(sd_bus_message *request, void *data, sd_bus_error *error)
{
    sd_bus_message *reply = NULL;
    const void *bytes;
    size_t length;
    int r;

    (void)data;
    (void)error;
    r = sd_bus_message_read_array(request, 'y', &bytes, &length);
    if (r >= 0) {
        r = sd_bus_message_new_method_return(request, &reply);
    }
    if (r >= 0) {
        r = sd_bus_message_append_array(reply, 'y', bytes, length);
    }
    if (r >= 0) {
        r = sd_bus_send(NULL, reply, NULL);
    }
    sd_bus_message_unref(reply);
    return r;
}

static const sd_bus_vtable methods[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_METHOD("Add", "ii", "x", handle_add, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_METHOD("Echo", "ay", "ay", handle_echo, SD_BUS_VTABLE_UNPRIVILEGED),
    SD_BUS_VTABLE_END,
};

/* Handles what there is, or waits for more. Returns 0 or -errno. */
static int go_on(void)
{
    int r = sd_bus_process(bus, NULL);

    if (r == 0) {
        r = sd_bus_wait(bus, UINT64_MAX);
        if (r == -EINTR) {
            r = 0;
        }
    }
    return r < 0 ? r : 0;
}

static int sdbus_serve(const peer_place *place)
{
    sd_id128_t id = SD_ID128_NULL;
    int r;

    close(ends[END_OF_CLIENT]);
    r = sd_bus_new(&bus);
    if (r >= 0) {
        r = sd_bus_set_fd(bus, ends[END_OF_SERVER], ends[END_OF_SERVER]);
    }
    if (r >= 0) {
        r = sd_bus_set_server(bus, 1, id);
    }
    if (r >= 0) {
        r = sd_bus_set_anonymous(bus, 1);
    }
    if (r >= 0) {
        r = sd_bus_add_object_vtable(bus, NULL, PATH, INTERFACE, methods, NULL);
    }
    if (r >= 0) {
        r = sd_bus_start(bus);
    }
    if (r < 0) {
        return fail("no server", r);
    }
    if (peer_tell_ready(place)) {
        return -1;
    }
    do {
        r = go_on();
    } while (r == 0);
    return r == -ECONNRESET ? 0 : fail("the server failed", r);
}

static int sdbus_connect(const peer_place *place)
{
    int r;

    (void)place;
    close(ends[END_OF_SERVER]);
    answered = finished = 0;
    r = sd_bus_new(&bus);
    if (r >= 0) {
        r = sd_bus_set_fd(bus, ends[END_OF_CLIENT], ends[END_OF_CLIENT]);
    }
    if (r >= 0) {
        r = sd_bus_start(bus);
    }
    return r < 0 ? fail("no connection", r) : 0;
}

static void sdbus_disconnect(void)
{
    sd_bus_flush_close_unref(bus);
}

static int sdbus_add(int32_t left, int32_t right, int64_t *ret_sum)
{
    sd_bus_message *reply = NULL;
    int r;

    r = sd_bus_call_method(bus, NULL, PATH, INTERFACE, "Add", NULL, &reply, "ii", left, right);
    if (r >= 0) {
        r = sd_bus_message_read(reply, "x", ret_sum);
    }
    sd_bus_message_unref(reply);
    return r < 0 ? fail("no answer", r) : 0;
}

static int sdbus_echo(const void *bytes, size_t length, void *ret_bytes)
{
    sd_bus_message *request = NULL, *reply = NULL;
    const void *returned;
    size_t returned_length = 0;
    int r;

    r = sd_bus_message_new_method_call(bus, &request, NULL, PATH, INTERFACE, "Echo");
    if (r >= 0) {
        r = sd_bus_message_append_array(request, 'y', bytes, length);
    }
    if (r >= 0) {
        r = sd_bus_call(bus, request, 0, NULL, &reply);
    }
    if (r >= 0) {
        r = sd_bus_message_read_array(reply, 'y', &returned, &returned_length);
    }
    if (r >= 0) {
        r = returned_length == length ? 0 : -EBADMSG;
    }
    if (r >= 0) {
        memcpy(ret_bytes, returned, length);
    }
    sd_bus_message_unref(request);
    sd_bus_message_unref(reply);
    return r < 0 ? fail("no answer", r) : 0;
}

static int on_answer(sd_bus_message *reply, void *data, sd_bus_error *error)
{
    int r;

    (void)data;
    (void)error;
    r = sd_bus_message_read(reply, "x", &sums[answered % IN_FLIGHT_MAX]);
    answered++;
    return r < 0 ? r : 0;
}

static int sdbus_start(int32_t left, int32_t right)
{
    const int r = sd_bus_call_method_async(bus, NULL, NULL, PATH, INTERFACE, "Add", on_answer, NULL, "ii", left, right);

    return r < 0 ? fail("cannot send", r) : 0;
}

static int sdbus_finish(int64_t *ret_sum)
{
    while (answered == finished) {
        const int r = go_on();

        if (r < 0) {
            return fail("no answer", r);
        }
    }
    *ret_sum = sums[finished++ % IN_FLIGHT_MAX];
    return 0;
}

const peer peer_sdbus = {
    .name = "sdbus",
    .summary = "D-Bus by sd-bus, peer to peer",
    .packages = "libsystemd-dev",
    .slowness = 20,
    .begin = sdbus_begin,
    .end = sdbus_end,
    .serve = sdbus_serve,
    .connect = sdbus_connect,
    .disconnect = sdbus_disconnect,
    .add = sdbus_add,
    .echo = sdbus_echo,
    .start = sdbus_start,
    .finish = sdbus_finish,
};
