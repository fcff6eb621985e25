/* SPDX-License-Identifier: Apache-2.0 */
#include "feature.h"

#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define UNKNOWN_MAX 40 /* bytes that are shown of a word that nobody knows */

static const char *const names[FEATURE_COUNT] = {
    [FEATURE_FUTEX_WAITV] = "futex_waitv",
    [FEATURE_MEMBARRIER] = "membarrier",
    [FEATURE_SCM_PIDFD] = "scm_pidfd",
    [FEATURE_FUTEX] = "futex",
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool is_off[FEATURE_COUNT];
static char unknown[UNKNOWN_MAX + 1];

static void take_word(const char *word, size_t length)
{
    for (int i = 0; i < FEATURE_COUNT; i++) {
        if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0) {
            is_off[i] = true;
            return;
        }
    }
    if (unknown[0] == '\0') {
        memcpy(unknown, word, length < UNKNOWN_MAX ? length : UNKNOWN_MAX);
    }
}

static void read_variable(void)
{
    const char *at = secure_getenv(FEATURE_VARIABLE);

    while (at != NULL && *at != '\0') {
        size_t length = strcspn(at, ",");

        if (length != 0)
            take_word(at, length);
        at += length + (at[length] == ',');
    }
}

bool feature_is_wanted(feature which)
{
    (void)pthread_once(&once, read_variable);
    return !is_off[which];
}

const char *feature_unknown(void)
{
    (void)pthread_once(&once, read_variable);
    return unknown[0] == '\0' ? NULL : unknown;
}

const char *feature_names(void)
{
    return "futex_waitv, membarrier, scm_pidfd, futex";
}
