/* SPDX-License-Identifier: Apache-2.0 */
/*
 * runner.h - runs suites of Check and counts.
 *
 * The last line that is printed is `N passed, N failed`, followed by `, N skipped`
 * where a case could not run on this machine. tools/dev adds these lines up.
 */
#ifndef SHMRPC_TEST_RUNNER_H
#define SHMRPC_TEST_RUNNER_H

#include <stdbool.h>
#include <stddef.h>

#include <check.h>

typedef Suite *suite_new_fn(void);

/*
 * Runs all suites in one runner. CK_FORK, CK_RUN_SUITE, CK_RUN_CASE and
 * CK_VERBOSITY work as Check documents them. Returns the exit status of main():
 * 0 where at least one case ran and none failed.
 */
int test_support_run(suite_new_fn *const suites[], size_t suite_count);

/* The main() of a test program: TEST_MAIN(lexer_suite, parser_suite). */
#define TEST_MAIN(...)                                                                                     \
    int main(void)                                                                                         \
    {                                                                                                      \
        suite_new_fn *const test_main_suites[] = {__VA_ARGS__};                                            \
        return test_support_run(test_main_suites, sizeof(test_main_suites) / sizeof(test_main_suites[0])); \
    }

/*
 * Says why the running case cannot run here, and counts it as skipped and not as
 * passed. At most once per case; the case returns right after, without a failure.
 */
void test_skip(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Whether this build has that sanitizer: "asan", "ubsan" or "tsan". Their runtimes map memory, make calls, start threads. */
bool test_is_built_with(const char *sanitizer);

#endif
