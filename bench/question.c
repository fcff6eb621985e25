/* SPDX-License-Identifier: Apache-2.0 */
#include "question.h"

#include "directory.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static volatile sig_atomic_t interrupted; /* by which signal */

static void on_signal(int number)
{
    interrupted = number;
}

bool question_interrupted(void)
{
    return interrupted != 0;
}

bool question_number(const char *program, const char *option, const char *text, uint32_t least, uint32_t most,
                     uint32_t *ret_number)
{
    unsigned long value;
    char *end;

    errno = 0;
    value = strtoul(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end || errno || value < least || value > most) {
        fprintf(stderr, "%s: %s takes a number from %u to %u, not '%s'\n", program, option, least, most, text);
        return false;
    }
    *ret_number = (uint32_t)value;
    return true;
}

int question_run(const char *program, question_answer_fn *answer, const void *given)
{
    const struct sigaction action = {.sa_handler = on_signal};
    conditions found;
    char *directory;
    int r;

    r = conditions_init(&found);
    if (r < 0) {
        fprintf(stderr, "%s: cannot tell what machine this is: %s\n", program, strerror(-r));
        return EXIT_UNUSABLE;
    }
    directory = bench_directory_new();
    if (!directory) {
        fprintf(stderr, "%s: cannot make a directory for the servers: %s\n", program, strerror(errno));
        conditions_deinit(&found);
        return EXIT_UNUSABLE;
    }
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGHUP, &action, NULL);

    r = answer(given, &found);

    bench_directory_free(directory);
    conditions_deinit(&found);
    if (interrupted) {
        signal(interrupted, SIG_DFL);
        raise(interrupted);
    }
    return r < 0 ? EXIT_UNUSABLE : EXIT_SUCCESS;
}
