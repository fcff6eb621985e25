/* SPDX-License-Identifier: Apache-2.0 */
#include "thread.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

int thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *data), void *data)
{
    sigset_t all;
    sigset_t before;
    int error;

    assert(strlen(name) <= THREAD_NAME_MAX);
    (void)sigfillset(&all);
    error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error != 0) {
        return -error;
    }
    error = pthread_create(ret_thread, NULL, run, data);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error == 0) {
        (void)pthread_setname_np(*ret_thread, name);
    }
    return -error;
}

int thread_hold(void)
{
    int before = PTHREAD_CANCEL_ENABLE;

    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
    return before;
}

void thread_release(int held)
{
    (void)pthread_setcancelstate(held, NULL);
}
