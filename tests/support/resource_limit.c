/* SPDX-License-Identifier: Apache-2.0 */
#include "resource_limit.h"

#include "test_support.h"

void limit_lower(int resource, rlim_t to, struct rlimit *ret_usual)
{
    struct rlimit lowered;

    ck_assert_int_eq(getrlimit((__rlimit_resource_t)resource, ret_usual), 0);
    lowered = (struct rlimit){.rlim_cur = to, .rlim_max = ret_usual->rlim_max};
    ck_assert_int_eq(setrlimit((__rlimit_resource_t)resource, &lowered), 0);
}

void limit_restore(int resource, const struct rlimit *usual)
{
    ck_assert_int_eq(setrlimit((__rlimit_resource_t)resource, usual), 0);
}
