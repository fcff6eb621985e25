/* SPDX-License-Identifier: Apache-2.0 */
#include "rest.h"

#include <dirent.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <check.h>

#include "../../bench/activity.h"
#include "deadline.h"

bool rest_is_asleep(pid_t tid)
{
    activity now = {0};

    return activity_add_thread(&now, getpid(), tid) == 0 && now.asleep;
}

static activity others_activity(void)
{
    activity total = {.asleep = true};
    long self = syscall(SYS_gettid);
    DIR *folder = opendir("/proc/self/task");
    struct dirent *entry;

    ck_assert_ptr_nonnull(folder);
    while ((entry = readdir(folder)) != NULL) {
        long tid = strtol(entry->d_name, NULL, 10);
        if (tid != 0 && tid != self)
            ck_assert_int_eq(activity_add_thread(&total, getpid(), (pid_t)tid), 0);
    }
    closedir(folder);
    return total;
}

/*
 * The threads are looked at one after the other, and one that has been seen asleep may be woken by one that is looked
 * at later. But who is asleep in two rounds, and ran not once between, slept when the first round ended.
 */
void rest_await(void)
{
    uint64_t until_ns = test_deadline_ns(TEST_PATIENCE_MS);
    activity now = others_activity();
    activity before;

    do {
        ck_assert_msg(test_remaining_ms(until_ns) > 0, "it never came to rest");
        sched_yield();
        before = now;
        now = others_activity();
    } while (!before.asleep || !now.asleep || !activity_is_same(&before, &now));
}
