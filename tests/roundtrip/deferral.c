/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deferral.c - operations that answer after they have returned, from another thread, by the generated functions.
 */
/* clang-format off */
#if 0 /* IDL: deferral.shm */
package rt.deferral;

struct Queue { uint32 length; string<12> name; }
errors Error { SHUT = 1; FULL(Queue) = 2; }
message Order { uint32 dish; }
message Meal { uint32 dish; string<300> recipe; }

@c_prefix("diner") @deadline(10s)
service Diner {
    rpc order(Order) -> (Meal) throws Error;
    rpc reserve() -> ();
    rpc plain(Order) -> (Order);
}
#endif /* IDL */
/* clang-format on */
#include "deferral.shm.h"

#include <semaphore.h>
#include <string.h>

#include "roundtrip.h"
#include "test_support.h"

#define PATIENCE_S 30

/* What an order's dish asks the operation for, beyond being deferred. */
enum { DISH_WITHOUT_DEFER = 900, DISH_NOT_DEFERRED = 901 };

typedef struct diner {
    diner_server base;
    sem_t deferred; /* an operation has put something in one of these */
    diner_order_later order;
    diner_reserve_later reserve;
} diner;

/* Calls in a thread of its own, with a client of its own. */
typedef struct guest {
    pthread_t thread;
    diner_client *client;
    int64_t timeout_ns;
    uint32_t dish;
    rt_deferral_meal meal;
    rt_deferral_queue queue;
    bool told; /* queue is there */
    int rc;
} guest;

static diner served;
static diner_client *client;
static roundtrip_host host;

static int order(diner_server *server, diner_order_context *context, const rt_deferral_order *request,
                 rt_deferral_meal *reply)
{
    diner *self = (diner *)server;

    reply->dish = 4711; /* not what is answered in the end */
    if (request->dish == DISH_WITHOUT_DEFER)
        return SHMRPC_DEFERRED;
    self->order = diner_order_defer(context);
    sem_post(&self->deferred);
    return request->dish == DISH_NOT_DEFERRED ? 0 : SHMRPC_DEFERRED;
}

static int reserve(diner_server *server, diner_reserve_context *context)
{
    ((diner *)server)->reserve = diner_reserve_defer(context);
    sem_post(&((diner *)server)->deferred);
    return SHMRPC_DEFERRED;
}

static int plain(diner_server *server, diner_plain_context *context, const rt_deferral_order *request,
                 rt_deferral_order *reply)
{
    (void)server, (void)context;
    reply->dish = request->dish + 1;
    return 0;
}

static const diner_ops ops = {.order = order, .reserve = reserve, .plain = plain};

static void connect_both(void)
{
    runtime_dir_make();
    served = (diner){0};
    ck_assert_int_eq(sem_init(&served.deferred, 0, 0), 0);
    ck_assert_int_eq(diner_server_init(&served.base, &ops, "diner", NULL), 0);
    roundtrip_start(&host, &served.base.base);
    ck_assert_int_eq(diner_connect(&client, "diner", NULL), 0);
}

static void disconnect_both(void)
{
    diner_client_free(client);
    roundtrip_stop(&host);
    diner_server_deinit(&served.base);
    sem_destroy(&served.deferred);
    runtime_dir_remove();
}

static void *dine(void *argument)
{
    guest *self = argument;
    rt_deferral_order request = {.dish = self->dish};
    const rt_deferral_queue *queue;

    self->rc = diner_connect(&self->client, "diner", NULL);
    if (self->rc != 0)
        return NULL;
    self->rc = diner_order(self->client, &request, &self->meal, shmrpc_in_ns(self->timeout_ns));
    queue = rt_deferral_error_full(self->client);
    self->told = queue != NULL;
    if (queue != NULL)
        self->queue = *queue;
    diner_client_free(self->client);
    return NULL;
}

static void guest_start(guest *self, uint32_t dish, int64_t timeout_ns)
{
    *self = (guest){.dish = dish, .timeout_ns = timeout_ns};
    ck_assert_int_eq(pthread_create(&self->thread, NULL, dine, self), 0);
}

/* The deferred call of the operation that ran last. */
static diner_order_later await_order(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    ck_assert_int_eq(sem_timedwait(&served.deferred, &until), 0);
    return served.order;
}

static void fill(rt_deferral_meal *meal, uint32_t dish, size_t length)
{
    static const char letters[300] = "a recipe";

    rt_deferral_meal_init(meal);
    meal->dish = dish;
    ck_assert(rt_deferral_meal_set_recipe(meal, letters, strlen(letters)));
    if (length > strlen(letters)) {
        memset(meal->recipe.text, 'x', length);
        meal->recipe.length = (uint16_t)length;
    }
}

START_TEST(answers_from_another_thread)
{
    guest one;
    rt_deferral_meal meal;

    guest_start(&one, 3, INT64_C(30000000000));
    diner_order_later later = await_order();
    ck_assert(!diner_order_later_is_cancelled(later));
    fill(&meal, 30, 0);
    ck_assert_int_eq(diner_order_later_reply(later, &meal), 0);
    pthread_join(one.thread, NULL);
    ck_assert_int_eq(one.rc, 0);
    ck_assert_uint_eq(one.meal.dish, 30);
    ck_assert_str_eq(one.meal.recipe.text, "a recipe");
}
END_TEST

START_TEST(answers_with_more_than_a_slot_holds)
{
    guest one;
    rt_deferral_meal meal;

    guest_start(&one, 3, INT64_C(30000000000));
    diner_order_later later = await_order();
    fill(&meal, 31, 300);
    ck_assert_int_eq(diner_order_later_reply(later, &meal), 0);
    pthread_join(one.thread, NULL);
    ck_assert_int_eq(one.rc, 0);
    ck_assert_uint_eq(one.meal.recipe.length, 300);
    ck_assert_int_eq(one.meal.recipe.text[299], 'x');
}
END_TEST

START_TEST(serves_others_meanwhile)
{
    guest first, second;
    rt_deferral_meal meal;
    rt_deferral_order request = {.dish = 1};

    guest_start(&first, 1, INT64_C(30000000000));
    diner_order_later later_first = await_order();
    guest_start(&second, 2, INT64_C(30000000000));
    diner_order_later later_second = await_order();
    ck_assert_int_eq(diner_plain(client, &request, &request, shmrpc_default()), 0);
    ck_assert_uint_eq(request.dish, 2);
    fill(&meal, 20, 0);
    ck_assert_int_eq(diner_order_later_reply(later_second, &meal), 0);
    pthread_join(second.thread, NULL);
    fill(&meal, 10, 0);
    ck_assert_int_eq(diner_order_later_reply(later_first, &meal), 0);
    pthread_join(first.thread, NULL);
    ck_assert_int_eq(first.rc, 0);
    ck_assert_uint_eq(first.meal.dish, 10);
    ck_assert_int_eq(second.rc, 0);
    ck_assert_uint_eq(second.meal.dish, 20);
}
END_TEST

START_TEST(fails_and_throws_later)
{
    guest one;
    rt_deferral_queue queue = {.length = 12};

    guest_start(&one, 1, INT64_C(30000000000));
    ck_assert_int_eq(diner_order_later_fail(await_order(), RT_DEFERRAL_ERROR_SHUT), 0);
    pthread_join(one.thread, NULL);
    ck_assert_int_eq(one.rc, RT_DEFERRAL_ERROR_SHUT);
    ck_assert(!one.told);

    guest_start(&one, 1, INT64_C(30000000000));
    ck_assert_int_eq(diner_order_later_fail(await_order(), SHMRPC_E_LIMIT), 0);
    pthread_join(one.thread, NULL);
    ck_assert_int_eq(one.rc, SHMRPC_E_LIMIT);

    guest_start(&one, 1, INT64_C(30000000000));
    ck_assert(rt_deferral_queue_set_name(&queue, "lunch", 5));
    ck_assert_int_eq(diner_order_later_throw_full(await_order(), &queue), 0);
    pthread_join(one.thread, NULL);
    ck_assert_int_eq(one.rc, RT_DEFERRAL_ERROR_FULL);
    ck_assert(one.told);
    ck_assert_uint_eq(one.queue.length, 12);
    ck_assert_str_eq(one.queue.name.text, "lunch");
    ck_assert_uint_eq(one.meal.dish, 0);
}
END_TEST

START_TEST(a_second_answer_is_a_misuse)
{
    guest one;
    rt_deferral_meal meal;

    guest_start(&one, 1, INT64_C(30000000000));
    diner_order_later later = await_order();
    fill(&meal, 10, 0);
    ck_assert_int_eq(diner_order_later_reply(later, &meal), 0);
    meal.dish = 11;
    ck_assert_int_eq(diner_order_later_reply(later, &meal), SHMRPC_E_MISUSE);
    ck_assert_int_eq(diner_order_later_fail(later, RT_DEFERRAL_ERROR_SHUT), SHMRPC_E_MISUSE);
    pthread_join(one.thread, NULL);
    ck_assert_int_eq(one.rc, 0);
    ck_assert_uint_eq(one.meal.dish, 10);

    const diner_order_later none = {{0}};
    ck_assert_int_eq(diner_order_later_reply(none, &meal), SHMRPC_E_MISUSE);

    /* The next call may have the place of the last one; the old token still means nothing. */
    guest_start(&one, 2, INT64_C(30000000000));
    diner_order_later next = await_order();
    ck_assert_int_eq(diner_order_later_reply(later, &meal), SHMRPC_E_MISUSE);
    meal.dish = 20;
    ck_assert_int_eq(diner_order_later_reply(next, &meal), 0);
    pthread_join(one.thread, NULL);
    ck_assert_int_eq(one.rc, 0);
    ck_assert_uint_eq(one.meal.dish, 20);
}
END_TEST

START_TEST(knows_that_the_caller_has_given_up)
{
    guest one;
    rt_deferral_meal meal;

    guest_start(&one, 1, INT64_C(20000000));
    diner_order_later later = await_order();
    pthread_join(one.thread, NULL); /* its client is gone */
    ck_assert_int_eq(one.rc, SHMRPC_E_TIMEOUT);
    rt_deferral_order request = {.dish = 1};
    ck_assert_int_eq(diner_plain(client, &request, &request, shmrpc_default()), 0);
    ck_assert(diner_order_later_is_cancelled(later));
    fill(&meal, 10, 0);
    ck_assert_int_eq(diner_order_later_reply(later, &meal), SHMRPC_E_CANCELLED);
    ck_assert_int_eq(diner_order_later_reply(later, &meal), SHMRPC_E_MISUSE);
}
END_TEST

START_TEST(an_operation_that_does_not_do_what_it_says_has_failed)
{
    guest one;
    rt_deferral_meal meal;

    guest_start(&one, DISH_WITHOUT_DEFER, INT64_C(30000000000));
    pthread_join(one.thread, NULL);
    ck_assert_int_eq(one.rc, SHMRPC_E_INTERNAL);

    guest_start(&one, DISH_NOT_DEFERRED, INT64_C(30000000000));
    diner_order_later later = await_order();
    pthread_join(one.thread, NULL);
    ck_assert_int_eq(one.rc, SHMRPC_E_INTERNAL);
    fill(&meal, 10, 0);
    ck_assert_int_eq(diner_order_later_reply(later, &meal), SHMRPC_E_MISUSE);
}
END_TEST

/* Answers the call that the main thread makes; *argument: how that went. */
static void *confirm(void *argument)
{
    int *rc = argument;
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    *rc = sem_timedwait(&served.deferred, &until) == 0 ? diner_reserve_later_reply(served.reserve) : SHMRPC_E_TIMEOUT;
    return NULL;
}

START_TEST(answers_a_method_without_reply)
{
    pthread_t thread;
    int rc = 1;

    ck_assert_int_eq(pthread_create(&thread, NULL, confirm, &rc), 0);
    ck_assert_int_eq(diner_reserve(client, shmrpc_default()), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(rc, 0);
}
END_TEST

static Suite *deferral_suite(void)
{
    Suite *suite = suite_create("roundtrip_deferral");
    TCase *calls = tcase_create("calls");

    tcase_add_checked_fixture(calls, connect_both, disconnect_both);
    tcase_add_test(calls, answers_from_another_thread);
    tcase_add_test(calls, answers_with_more_than_a_slot_holds);
    tcase_add_test(calls, serves_others_meanwhile);
    tcase_add_test(calls, fails_and_throws_later);
    tcase_add_test(calls, a_second_answer_is_a_misuse);
    tcase_add_test(calls, knows_that_the_caller_has_given_up);
    tcase_add_test(calls, an_operation_that_does_not_do_what_it_says_has_failed);
    tcase_add_test(calls, answers_a_method_without_reply);
    suite_add_tcase(suite, calls);
    return suite;
}

TEST_MAIN(deferral_suite)
