/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hosts.c - several services of generated code behind one name, that come and go while the host runs.
 */
/* clang-format off */
#if 0 /* IDL: hosts.shm */
package rt.hosts;

struct Lamp { uint32 watts; }
errors Error { BROKEN(Lamp) = 1; }
message Number { uint32 value; }

@c_prefix("heat") @deadline(10s)
service Heat {
    rpc set(Number) -> (Number);
    oneway note(Number);
}

@c_prefix("light") @deadline(10s)
service Light {
    rpc set(Number) -> (Number) throws Error;
}
#endif /* IDL */
/* clang-format on */
#include "hosts.shm.h"

#include <poll.h>
#include <string.h>

#include "deadline.h"
#include "roundtrip.h"
#include "test_support.h"

typedef struct heat {
    heat_server base;
    uint32_t noted;
    unsigned connected;
    unsigned disconnected;
    int why;
} heat;

typedef struct light {
    light_server base;
    uint32_t watts;
} light;

static shmrpc_host home;
static heat heats;
static light lights;
static pthread_t runner;
static bool running;

static int heat_set_it(heat_server *server, heat_set_context *context, const rt_hosts_number *request,
                       rt_hosts_number *reply)
{
    (void)server, (void)context;
    reply->value = request->value + 1;
    return 0;
}

static void heat_note_it(heat_server *server, heat_note_context *context, const rt_hosts_number *request)
{
    (void)context;
    ((heat *)server)->noted += request->value;
}

static void heat_connected(heat_server *server, shmrpc_session *session)
{
    (void)session;
    ((heat *)server)->connected++;
}

static void heat_disconnected(heat_server *server, shmrpc_session *session, int why)
{
    (void)session;
    ((heat *)server)->disconnected++;
    ((heat *)server)->why = why;
}

static int light_set_it(light_server *server, light_set_context *context, const rt_hosts_number *request,
                        rt_hosts_number *reply)
{
    light *self = (light *)server;

    if (request->value > self->watts) {
        const rt_hosts_lamp lamp = {.watts = self->watts};
        return light_set_throw_broken(context, &lamp);
    }
    reply->value = request->value * 2;
    return 0;
}

static const heat_ops heat_operations = {.set = heat_set_it,
                                         .note = heat_note_it,
                                         .connected = heat_connected,
                                         .disconnected = heat_disconnected};
static const light_ops light_operations = {.set = light_set_it};

static void *run_host(void *argument)
{
    *(int *)argument = shmrpc_host_run(&home);
    return NULL;
}

static int run_rc;

static void host_start(void)
{
    run_rc = 1;
    ck_assert_int_eq(pthread_create(&runner, NULL, run_host, &run_rc), 0);
    running = true;
}

static void host_stop(void)
{
    if (!running)
        return;
    shmrpc_host_stop(&home);
    pthread_join(runner, NULL);
    running = false;
    ck_assert_int_eq(run_rc, 0);
}

static void make_host(void)
{
    runtime_dir_make();
    heats = (heat){0};
    lights = (light){.watts = 100};
    ck_assert_int_eq(shmrpc_host_init(&home, "home", NULL), 0);
    ck_assert_int_eq(heat_server_attach(&heats.base, &heat_operations, &home), 0);
    ck_assert_int_eq(light_server_attach(&lights.base, &light_operations, &home), 0);
}

static void remove_host(void)
{
    host_stop();
    shmrpc_host_deinit(&home);
    runtime_dir_remove();
}

static void expect_heat(heat_client *client, uint32_t value)
{
    rt_hosts_number number = {.value = value};

    ck_assert_int_eq(heat_set(client, &number, &number, shmrpc_default()), 0);
    ck_assert_uint_eq(number.value, value + 1);
}

static void expect_light(light_client *client, uint32_t value)
{
    rt_hosts_number number = {.value = value};

    ck_assert_int_eq(light_set(client, &number, &number, shmrpc_default()), 0);
    ck_assert_uint_eq(number.value, value * 2);
}

START_TEST(each_client_meets_the_service_that_it_names)
{
    heat_client *heat_caller;
    light_client *light_caller;
    rt_hosts_number number = {.value = 101};

    host_start();
    ck_assert_int_eq(heat_connect(&heat_caller, "home", NULL), 0);
    ck_assert_int_eq(light_connect(&light_caller, "home", NULL), 0);
    expect_heat(heat_caller, 20);
    expect_light(light_caller, 20);
    ck_assert_int_eq(light_set(light_caller, &number, &number, shmrpc_default()), RT_HOSTS_ERROR_BROKEN);
    ck_assert_ptr_nonnull(light_error_broken(light_caller));
    ck_assert_uint_eq(light_error_broken(light_caller)->watts, 100);
    light_client_free(light_caller);
    expect_heat(heat_caller, 30);
    heat_client_free(heat_caller);
    host_stop();
    ck_assert_uint_eq(heats.connected, 1);
    ck_assert_uint_eq(heats.disconnected, 1);
}
END_TEST

START_TEST(a_service_leaves_and_comes_while_the_host_runs)
{
    heat_client *heat_caller, *next;
    light_client *light_caller, *other;
    rt_hosts_number number = {.value = 1};

    host_start();
    ck_assert_int_eq(heat_connect(&heat_caller, "home", NULL), 0);
    ck_assert_int_eq(light_connect(&light_caller, "home", NULL), 0);
    expect_heat(heat_caller, 1);
    ck_assert_int_eq(heat_server_detach(&heats.base), 0);
    ck_assert_uint_eq(heats.disconnected, 1);
    ck_assert_int_eq(heats.why, SHMRPC_WHY_STOPPED);

    expect_light(light_caller, 2);
    int rc = heat_set(heat_caller, &number, &number, shmrpc_default());
    ck_assert_msg(rc == SHMRPC_E_NOT_SENT || rc == SHMRPC_E_NOT_EXECUTED, "%s", shmrpc_status_text(rc));
    heat_client_free(heat_caller);
    ck_assert_int_eq(heat_connect(&next, "home", NULL), SHMRPC_E_REFUSED);
    ck_assert_ptr_nonnull(strstr(shmrpc_last_error(), "rt.hosts.Light"));
    ck_assert_int_eq(light_connect(&other, "home", NULL), 0);
    light_client_free(other);

    ck_assert_int_eq(heat_server_attach(&heats.base, &heat_operations, &home), 0);
    ck_assert_int_eq(heat_connect(&next, "home", NULL), 0);
    expect_heat(next, 7);
    expect_light(light_caller, 3);
    heat_client_free(next);
    light_client_free(light_caller);
}
END_TEST

START_TEST(misuse_is_a_status)
{
    heat again = {0};

    ck_assert_int_eq(heat_server_attach(&again.base, &heat_operations, &home), SHMRPC_E_IN_USE);
    ck_assert_int_eq(heat_server_attach(NULL, &heat_operations, &home), SHMRPC_E_MISUSE);
    ck_assert_int_eq(heat_server_attach(&again.base, NULL, &home), SHMRPC_E_MISUSE);
    ck_assert_int_eq(heat_server_attach(&again.base, &heat_operations, NULL), SHMRPC_E_MISUSE);
    ck_assert_int_eq(heat_server_detach(&heats.base), 0);
    ck_assert_int_eq(heat_server_detach(&heats.base), SHMRPC_E_MISUSE);
    ck_assert_int_eq(heat_server_attach(&again.base, &heat_operations, &home), 0);
    ck_assert_int_eq(heat_server_detach(&again.base), 0);
    ck_assert_int_eq(heat_server_attach(&heats.base, &heat_operations, &home), 0);
}
END_TEST

/* Connects and sends one message to Heat; its rc. */
static void *notes(void *argument)
{
    heat_client *caller;
    rt_hosts_number number = {.value = 4};
    int *rc = argument;

    *rc = heat_connect(&caller, "home", NULL);
    if (*rc == 0) {
        *rc = heat_note(caller, &number, shmrpc_default());
        heat_client_free(caller);
    }
    return NULL;
}

START_TEST(a_host_is_dispatched_as_a_server_is)
{
    struct pollfd poller = {.fd = shmrpc_host_fd(&home), .events = POLLIN};
    uint64_t deadline_ns = test_deadline_ns(TEST_PATIENCE_MS);
    pthread_t caller;
    int rc_of_caller = 1;

    ck_assert_int_ge(poller.fd, 0);
    ck_assert_int_eq(pthread_create(&caller, NULL, notes, &rc_of_caller), 0);
    while (heats.noted == 0 || heats.disconnected == 0) {
        int rc = shmrpc_host_dispatch(&home, 16);
        ck_assert_int_ge(rc, 0);
        if (rc == 0 && (heats.noted == 0 || heats.disconnected == 0))
            ck_assert_int_eq(poll(&poller, 1, test_remaining_ms(deadline_ns)), 1);
    }
    pthread_join(caller, NULL);
    ck_assert_int_eq(rc_of_caller, 0);
    ck_assert_uint_eq(heats.noted, 4);
    ck_assert_uint_eq(heats.connected, 1);
}
END_TEST

static Suite *hosts_suite(void)
{
    Suite *suite = suite_create("roundtrip_hosts");
    TCase *calls = tcase_create("calls");

    tcase_add_checked_fixture(calls, make_host, remove_host);
    tcase_add_test(calls, each_client_meets_the_service_that_it_names);
    tcase_add_test(calls, a_service_leaves_and_comes_while_the_host_runs);
    tcase_add_test(calls, misuse_is_a_status);
    tcase_add_test(calls, a_host_is_dispatched_as_a_server_is);
    suite_add_tcase(suite, calls);
    return suite;
}

TEST_MAIN(hosts_suite)
