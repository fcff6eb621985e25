/* SPDX-License-Identifier: Apache-2.0 */
/*
 * iceoryx.c - iceoryx by its C binding, requests and responses: both sides poll, or both wait in a WaitSet.
 *
 * Its daemon iox-roudi owns the memory and its fixed names: /dev/shm/iceoryx_mgmt, a segment named for the group, and
 * /tmp/roudi*. So there can be one, begun for each run and ended after it; where another one runs, this one does not
 * begin. An orderly end removes all of these.
 *
 * By copy as the others: a request is copied into its chunk, out of it by the server, and likewise back.
 */
#include "peer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iceoryx_binding_c/client.h>
#include <iceoryx_binding_c/log.h>
#include <iceoryx_binding_c/notification_info.h>
#include <iceoryx_binding_c/runtime.h>
#include <iceoryx_binding_c/server.h>
#include <iceoryx_binding_c/wait_set.h>

/* Of the two processes, as the daemon knows them; each has a socket and a lock of its name in /tmp, which it leaves. */
#define SERVER_NAME "shmrpc-bench-server"
#define CLIENT_NAME "shmrpc-bench-client"

#define ROUDI_LIMIT_MS 10000 /* to be ready, and to end */

static pid_t roudi;
static int roudi_said = -1; /* what it says can be read here; it must not find that closed */
static char roudi_text[4096];
static bool waits; /* in a WaitSet */
static bool gives_up_core;

static iox_client_storage_t client_storage;
static iox_server_storage_t server_storage;
static iox_ws_storage_t waiting_storage;
static iox_client_t client;
static iox_ws_t waiting;

static int fail(const char *what, int code)
{
    char why[32];

    snprintf(why, sizeof(why), "code %d", code);
    return peer_say("iceoryx", what, why);
}

/* ---- the daemon ---- */

/* What a daemon locks as long as it lives, and what it removes when it ends in good order. */
#define ROUDI_LOCK "/tmp/iox-unique-roudi.lock"
#define ROUDI_READY "RouDi is ready for clients"

static int iceoryx_check(void)
{
    const int fd = open(ROUDI_LOCK, O_RDONLY | O_CLOEXEC);
    int r = 0;

    if (fd >= 0) {
        r = flock(fd, LOCK_SH | LOCK_NB) ? peer_say("iceoryx", "an iox-roudi runs that is not ours", ROUDI_LOCK) : 0;
        close(fd);
    }
    return r;
}

/* Room for what is measured, not for a vehicle. */
static const char configuration[] = "[general]\nversion = 1\n\n[[segment]]\n\n"
                                    "[[segment.mempool]]\nsize = 256\ncount = 512\n\n"
                                    "[[segment.mempool]]\nsize = 65792\ncount = 32\n\n"
                                    "[[segment.mempool]]\nsize = 1048832\ncount = 16\n";

static int write_configuration(const char *path)
{
    FILE *out = fopen(path, "we");

    if (!out) {
        return -errno;
    }
    fputs(configuration, out);
    return fclose(out) ? -errno : 0;
}

/* Reads what the daemon says until it is ready. Returns 0 or -errno. */
static int await_roudi(void)
{
    size_t length = 0;

    while (length + 1 < sizeof(roudi_text)) {
        struct pollfd one = {.fd = roudi_said, .events = POLLIN};
        ssize_t n;

        if (poll(&one, 1, ROUDI_LIMIT_MS) <= 0) {
            return -ETIMEDOUT;
        }
        n = read(roudi_said, roudi_text + length, sizeof(roudi_text) - 1 - length);
        if (n <= 0) {
            peer_say("iceoryx", "iox-roudi ended at once", roudi_text);
            return -EIO;
        }
        length += (size_t)n;
        roudi_text[length] = '\0';
        if (strstr(roudi_text, ROUDI_READY)) {
            return 0;
        }
    }
    return -EBADMSG;
}

/*
 * What a daemon leaves that did not end in good order, as one does that has lost a client: the segments that it said it
 * made, its socket and its locks. Not where it was never ready: then they are another one's.
 */
static void roudi_remove_left(void)
{
    static const char made[] = "in the shared memory [";
    const char *at = roudi_text;

    if (!strstr(roudi_text, ROUDI_READY)) {
        return;
    }
    while ((at = strstr(at, made))) {
        char name[256];

        at += strlen(made);
        snprintf(name, sizeof(name), "/%.*s", (int)strcspn(at, "]/\n"), at);
        shm_unlink(name);
    }
    unlink("/tmp/roudi");
    unlink("/tmp/roudi.lock");
    unlink(ROUDI_LOCK);
}

static void roudi_run(pid_t parent, const char *path, const int said[2])
{
    const struct rlimit none = {0};
    sigset_t set;

    prctl(PR_SET_PDEATHSIG, SIGTERM);
    setrlimit(RLIMIT_CORE, &none);
    if (getppid() != parent) {
        _exit(EXIT_FAILURE);
    }
    sigemptyset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    setpgid(0, 0); /* Ctrl-C is for the parent, who ends it */
    dup2(said[1], STDOUT_FILENO);
    dup2(said[1], STDERR_FILENO);
    execlp("iox-roudi", "iox-roudi", "--config-file", path, (char *)NULL);
    _exit(EXIT_FAILURE);
}

/* Asks it to end; it then removes what it has made. */
static void roudi_end(void)
{
    bool is_ended = false;
    int status = 0;

    kill(roudi, SIGTERM);
    for (int waited_ms = 0; !is_ended && waited_ms < ROUDI_LIMIT_MS; waited_ms += 10) {
        is_ended = waitpid(roudi, &status, WNOHANG) == roudi;
        if (!is_ended) {
            poll(NULL, 0, 10);
        }
    }
    if (!is_ended) {
        kill(roudi, SIGKILL);
        while (waitpid(roudi, &status, 0) < 0 && errno == EINTR) {
        }
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS) {
        roudi_remove_left();
    }
    roudi = 0;
    close(roudi_said);
}

static int iceoryx_begin(const peer_place *place)
{
    const pid_t parent = getpid();
    char path[2 * PEER_PATH_MAX];
    int said[2], r;

    snprintf(path, sizeof(path), "%s/roudi.toml", place->directory);
    r = write_configuration(path);
    if (r < 0) {
        return r;
    }
    if (pipe2(said, O_CLOEXEC)) {
        return -errno;
    }
    roudi = fork();
    if (roudi == 0) {
        roudi_run(parent, path, said);
    }
    close(said[1]);
    if (roudi < 0) {
        close(said[0]);
        return -errno;
    }
    roudi_said = said[0];
    roudi_text[0] = '\0';
    r = await_roudi();
    if (r < 0) {
        roudi_end();
    }
    return r;
}

static void iceoryx_end(const peer_place *place)
{
    static const char *const left[] = {"/tmp/" SERVER_NAME, "/tmp/" SERVER_NAME ".lock", "/tmp/" CLIENT_NAME,
                                       "/tmp/" CLIENT_NAME ".lock"};
    char path[2 * PEER_PATH_MAX];

    roudi_end();
    for (size_t i = 0; i < sizeof(left) / sizeof(left[0]); i++) {
        unlink(left[i]);
    }
    snprintf(path, sizeof(path), "%s/roudi.toml", place->directory);
    unlink(path);
}

/* Ends this process as a program does that returns from main(): the runtime then says goodbye to the daemon. */
static _Noreturn void process_end(int r)
{
    exit(r ? EXIT_FAILURE : EXIT_SUCCESS);
}

/* Until something has come, or a signal. */
static void await_more(void)
{
    iox_notification_info_t what;
    uint64_t missed = 0;

    if (waits) {
        iox_ws_wait(waiting, &what, 1, &missed);
    } else if (gives_up_core) {
        sched_yield();
    }
}

/* ---- the server ---- */

static int answer(iox_server_t server, const void *request, char *bytes)
{
    const uint64_t *length_of = request;
    const uint64_t length = *length_of;
    peer_operands operands;
    void *response = NULL;
    int64_t sum;
    int r;

    memcpy(bytes, length_of + 1, length);
    r = iox_server_loan_response(server, (void *)(uintptr_t)request, &response, (uint32_t)(sizeof(length) + length));
    if (r != AllocationResult_SUCCESS) {
        return fail("no chunk for a response", r);
    }
    memcpy(response, &length, sizeof(length));
    if (length == sizeof(operands)) {
        memcpy(&operands, bytes, sizeof(operands));
        sum = (int64_t)operands.left + operands.right;
        memcpy((uint64_t *)response + 1, &sum, sizeof(sum));
    } else {
        memcpy((uint64_t *)response + 1, bytes, length);
    }
    r = iox_server_send(server, response);
    iox_server_release_request(server, request);
    return r == ServerSendResult_SUCCESS ? 0 : fail("cannot answer", r);
}

static volatile sig_atomic_t is_to_end;

/* A WaitSet sleeps on, whatever the signal: it is told. */
static void on_end(int number)
{
    (void)number;
    is_to_end = 1;
    if (waits) {
        iox_ws_mark_for_destruction(waiting);
    }
}

static int serve_as(const peer_place *place, bool waits_for_requests)
{
    char *bytes = malloc(PEER_ECHO_MAX);
    const struct sigaction action = {.sa_handler = on_end, .sa_flags = SA_RESTART};
    iox_server_options_t options;
    iox_server_t server;
    int r = 0;

    waits = waits_for_requests;
    gives_up_core = place->shares_core;
    iox_set_loglevel(Iceoryx_LogLevel_Off);
    iox_runtime_init(SERVER_NAME);
    iox_server_options_init(&options);
    server = iox_server_init(&server_storage, "shmrpc", "bench", "Bench", &options);
    if (waits) {
        waiting = iox_ws_init(&waiting_storage);
        iox_ws_attach_server_state(waiting, server, ServerState_HAS_REQUEST, 0, NULL);
    }
    sigaction(SIGTERM, &action, NULL);
    if (!bytes || peer_tell_ready(place)) {
        r = -1;
    }
    while (r == 0 && !is_to_end) {
        const void *request;

        if (iox_server_take_request(server, &request) == ServerRequestResult_SUCCESS) {
            r = answer(server, request, bytes);
        } else {
            await_more();
        }
    }
    if (waits) {
        iox_ws_deinit(waiting);
    }
    iox_server_deinit(server);
    free(bytes);
    process_end(r);
}

static int iceoryx_serve(const peer_place *place)
{
    return serve_as(place, false);
}

static int iceoryx_waitset_serve(const peer_place *place)
{
    return serve_as(place, true);
}

/* ---- the client ---- */

static int connect_as(const peer_place *place, bool waits_for_answers)
{
    iox_client_options_t options;

    waits = waits_for_answers;
    gives_up_core = place->shares_core;
    iox_set_loglevel(Iceoryx_LogLevel_Off);
    iox_runtime_init(CLIENT_NAME);
    iox_client_options_init(&options);
    client = iox_client_init(&client_storage, "shmrpc", "bench", "Bench", &options);
    while (iox_client_get_connection_state(client) != ConnectionState_CONNECTED) {
        sched_yield();
    }
    if (waits) {
        waiting = iox_ws_init(&waiting_storage);
        iox_ws_attach_client_state(waiting, client, ClientState_HAS_RESPONSE, 0, NULL);
    }
    return 0;
}

static int iceoryx_connect(const peer_place *place)
{
    return connect_as(place, false);
}

static int iceoryx_waitset_connect(const peer_place *place)
{
    return connect_as(place, true);
}

static void iceoryx_disconnect(void)
{
    if (waits) {
        iox_ws_deinit(waiting);
    }
    iox_client_deinit(client);
    process_end(0);
}

static int iceoryx_echo(const void *bytes, size_t length, void *ret_bytes)
{
    const void *response;
    uint64_t *request;
    void *chunk;
    int r;

    r = iox_client_loan_request(client, &chunk, (uint32_t)(sizeof(*request) + length));
    if (r != AllocationResult_SUCCESS) {
        return fail("no chunk for a request", r);
    }
    request = chunk;
    request[0] = length;
    memcpy(request + 1, bytes, length);
    r = iox_client_send(client, chunk);
    if (r != ClientSendResult_SUCCESS) {
        return fail("cannot send", r);
    }
    while ((r = iox_client_take_response(client, &response)) == ChunkReceiveResult_NO_CHUNK_AVAILABLE) {
        await_more();
    }
    if (r != ChunkReceiveResult_SUCCESS) {
        return fail("no answer", r);
    }
    memcpy(ret_bytes, (const uint64_t *)response + 1, length);
    iox_client_release_response(client, response);
    return 0;
}

static int iceoryx_add(int32_t left, int32_t right, int64_t *ret_sum)
{
    const peer_operands operands = {left, right};

    return iceoryx_echo(&operands, sizeof(operands), ret_sum);
}

const peer peer_iceoryx = {
    .name = "iceoryx",
    .summary = "iceoryx, both sides poll",
    .packages = "libiceoryx-binding-c-dev iceoryx",
    .slowness = 10,
    .polls = true,
    .check = iceoryx_check,
    .begin = iceoryx_begin,
    .end = iceoryx_end,
    .serve = iceoryx_serve,
    .connect = iceoryx_connect,
    .disconnect = iceoryx_disconnect,
    .add = iceoryx_add,
    .echo = iceoryx_echo,
};

const peer peer_iceoryx_waitset = {
    .name = "iceoryx_waitset",
    .summary = "iceoryx, both sides in a WaitSet",
    .packages = "libiceoryx-binding-c-dev iceoryx",
    .slowness = 10,
    .check = iceoryx_check,
    .begin = iceoryx_begin,
    .end = iceoryx_end,
    .serve = iceoryx_waitset_serve,
    .connect = iceoryx_waitset_connect,
    .disconnect = iceoryx_disconnect,
    .add = iceoryx_add,
    .echo = iceoryx_echo,
};
