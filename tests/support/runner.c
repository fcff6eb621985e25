/* SPDX-License-Identifier: Apache-2.0 */
#include "runner.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sys/mman.h>

#include "runtime_dir.h"

/* Shared with the processes that Check forks: a case skips in a child, the runner counts. */
static _Atomic int *skipped_count;

int test_support_run(suite_new_fn *const suites[], size_t suite_count)
{
    if (suite_count == 0) {
        fprintf(stderr, "test runner: no suites\n");
        return EXIT_FAILURE;
    }

    void *shared = mmap(NULL, sizeof(*skipped_count), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        perror("test runner: mmap");
        return EXIT_FAILURE;
    }
    skipped_count = shared;
    int rc = runtime_dir_base_make();
    if (rc < 0) {
        fprintf(stderr, "test runner: no folder under /tmp: %s\n", strerror(-rc));
        return EXIT_FAILURE;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);

    SRunner *runner = srunner_create(suites[0]());
    for (size_t i = 1; i < suite_count; i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_ENV);
    int run = srunner_ntests_run(runner);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);

    int skipped = atomic_load(skipped_count);
    rc = runtime_dir_base_remove();
    if (rc < 0)
        fprintf(stderr, "test runner: what the cases left cannot be removed: %s\n", strerror(-rc));
    skipped_count = NULL;
    munmap(shared, sizeof(*skipped_count));

    printf("%d passed, %d failed", run - failed - skipped, failed);
    if (skipped > 0)
        printf(", %d skipped", skipped);
    printf("\n");
    if (fflush(stdout) != 0)
        return EXIT_FAILURE;
    return run > 0 && failed == 0 && rc == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

void test_skip(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    printf("skipped: ");
    vprintf(format, arguments);
    printf("\n");
    va_end(arguments);
    fflush(stdout);
    if (skipped_count != NULL)
        atomic_fetch_add(skipped_count, 1);
}

bool test_is_built_with(const char *sanitizer)
{
    return strcmp(SHMRPC_TEST_SANITIZER, sanitizer) == 0;
}
