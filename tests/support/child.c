/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <check.h>

#include "deadline.h"
#include "runner.h"

/* There where coverage is measured: what a child reached would be lost with _exit(). */
extern void __gcov_dump(void) __attribute__((weak));

/* True in a child that child_spawn() forked: Check's assertions would jump back into the runner there. */
static bool is_child;

static void require(bool fine, const char *what)
{
    if (fine)
        return;
    if (is_child)
        child_check(false, what);
    ck_abort_msg("%s: %s", what, strerror(errno));
}

void child_check(bool fine, const char *what)
{
    if (fine)
        return;
    fprintf(stderr, "child %ld: %s (last error: %s)\n", (long)getpid(), what, strerror(errno));
    fflush(NULL);
    _exit(CHILD_BROKEN);
}

static void link_close(child_link *link)
{
    if (link->in >= 0)
        close(link->in);
    if (link->out >= 0)
        close(link->out);
    link->in = -1;
    link->out = -1;
}

/* Two pipes, crossed. */
static void link_make_pair(child_link *ret_parent, child_link *ret_child)
{
    int down[2], up[2];

    require(pipe2(down, O_CLOEXEC) == 0, "pipe2");
    require(pipe2(up, O_CLOEXEC) == 0, "pipe2");
    *ret_parent = (child_link){.in = up[0], .out = down[1]};
    *ret_child = (child_link){.in = down[0], .out = up[1]};
}

/*
 * ThreadSanitizer knows threads by their stacks' addresses. A forked child's threads would get the stacks of its parent's
 * other threads, which it still counts as alive; larger ones lie elsewhere.
 */
static void take_larger_stacks(void)
{
    pthread_attr_t defaults;
    size_t size;

    if (pthread_getattr_default_np(&defaults) != 0)
        return;
    if (pthread_attr_getstacksize(&defaults, &size) == 0 &&
        pthread_attr_setstacksize(&defaults, size + ((size_t)1 << 20)) == 0)
        pthread_setattr_default_np(&defaults);
    pthread_attr_destroy(&defaults);
}

/* Forks; in the child, arranges for it to die with the parent. Returns as fork() does. */
static pid_t fork_bound(void)
{
    pid_t parent = getpid();
    bool from_main_thread = gettid() == parent;

    fflush(NULL);
    pid_t pid = fork();
    require(pid >= 0, "fork");
    if (pid == 0) {
        is_child = true;
        if (test_is_built_with("tsan"))
            take_larger_stacks();
        /* The signal follows the thread that forked, and other threads come and go. */
        if (from_main_thread) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            if (getppid() != parent)
                _exit(CHILD_BROKEN);
        }
    }
    return pid;
}

void child_spawn(child *ret_child, child_main_fn *run, void *data)
{
    child_link mine, theirs;

    link_make_pair(&mine, &theirs);
    pid_t pid = fork_bound();
    if (pid == 0) {
        link_close(&mine);
        signal(SIGPIPE, SIG_IGN);
        int status = run(&theirs, data);
        fflush(NULL);
        if (__gcov_dump != NULL)
            __gcov_dump();
        _exit(status);
    }
    link_close(&theirs);
    *ret_child = (child){.pid = pid, .link = mine};
}

void child_start(child *ret_child, const char *const argv[])
{
    child_link mine, theirs;

    link_make_pair(&mine, &theirs);
    pid_t pid = fork_bound();
    if (pid == 0) {
        child_check(dup2(theirs.in, STDIN_FILENO) >= 0 && dup2(theirs.out, STDOUT_FILENO) >= 0, "dup2");
        /* execvp() takes char *const[] for history's sake; it does not write to the strings. */
        union {
            const char *const *ours;
            char *const *theirs;
        } arguments = {.ours = argv};
        execvp(argv[0], arguments.theirs);
        child_check(false, argv[0]);
    }
    link_close(&theirs);
    *ret_child = (child){.pid = pid, .link = mine};
}

/* Waits for the end; kills and fails the case where it does not come. Returns the status of waitpid(). */
static int child_reap(child *process)
{
    ck_assert_msg(process->pid > 0, "this child was reaped already");

    int status = 0;
    bool late = false;
    int fd = (int)syscall(SYS_pidfd_open, process->pid, 0U);
    if (fd >= 0) {
        uint64_t deadline_ns = test_deadline_ns(TEST_PATIENCE_MS);
        struct pollfd end = {.fd = fd, .events = POLLIN};
        int ready;
        do
            ready = poll(&end, 1, test_remaining_ms(deadline_ns));
        while (ready < 0 && errno == EINTR);
        late = ready == 0;
        close(fd);
    }
    if (late)
        kill(process->pid, SIGKILL);
    pid_t reaped;
    do
        reaped = waitpid(process->pid, &status, 0);
    while (reaped < 0 && errno == EINTR);
    ck_assert_msg(reaped == process->pid, "waitpid: %s", strerror(errno));
    process->pid = 0;
    link_close(&process->link);
    ck_assert_msg(!late, "the child did not end in time");
    return status;
}

static void expect(int status, bool fine, const char *wanted, int number)
{
    if (fine)
        return;
    if (WIFSIGNALED(status))
        ck_abort_msg("the child was ended by signal %d, not by %s %d", WTERMSIG(status), wanted, number);
    ck_abort_msg("the child ended with exit status %d, not with %s %d", WEXITSTATUS(status), wanted, number);
}

void child_expect_exit(child *process, int exit_status)
{
    int status = child_reap(process);

    expect(status, WIFEXITED(status) && WEXITSTATUS(status) == exit_status, "exit status", exit_status);
}

void child_expect_signal(child *process, int signal_number)
{
    int status = child_reap(process);

    expect(status, WIFSIGNALED(status) && WTERMSIG(status) == signal_number, "signal", signal_number);
}

void child_kill(child *process)
{
    if (process->pid <= 0)
        return;
    kill(process->pid, SIGKILL);
    child_reap(process);
}

void child_stop(child *process)
{
    siginfo_t info;

    require(kill(process->pid, SIGSTOP) == 0, "kill(SIGSTOP)");
    require(waitid(P_PID, (id_t)process->pid, &info, WSTOPPED) == 0, "waitid(WSTOPPED)");
    errno = 0;
    require(info.si_code == CLD_STOPPED, "the child ended where it was to stop");
}

void child_continue(child *process)
{
    require(kill(process->pid, SIGCONT) == 0, "kill(SIGCONT)");
}

void link_send(child_link *link, const void *bytes, size_t length)
{
    const char *from = bytes;

    while (length > 0) {
        ssize_t n = write(link->out, from, length);
        if (n < 0 && errno == EINTR)
            continue;
        require(n > 0, "the link cannot be written");
        from += n;
        length -= (size_t)n;
    }
}

/* Up to `length` bytes; 0 at the end. */
static size_t link_read(child_link *link, void *ret_bytes, size_t length)
{
    uint64_t deadline_ns = test_deadline_ns(TEST_PATIENCE_MS);

    for (;;) {
        struct pollfd pending = {.fd = link->in, .events = POLLIN};
        int ready = poll(&pending, 1, test_remaining_ms(deadline_ns));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            errno = ETIMEDOUT;
        require(ready > 0, "nothing came over the link");
        ssize_t n = read(link->in, ret_bytes, length);
        if (n < 0 && errno == EINTR)
            continue;
        require(n >= 0, "the link cannot be read");
        return (size_t)n;
    }
}

void link_receive(child_link *link, void *ret_bytes, size_t length)
{
    char *to = ret_bytes;

    while (length > 0) {
        size_t n = link_read(link, to, length);
        errno = EPIPE;
        require(n > 0, "the other side of the link is gone");
        to += n;
        length -= n;
    }
}

void link_signal(child_link *link, char step)
{
    link_send(link, &step, 1);
}

void link_await(child_link *link, char step)
{
    char came = 0;

    link_receive(link, &came, 1);
    if (came == step)
        return;
    errno = EPROTO;
    if (is_child)
        child_check(false, "another step came over the link");
    ck_abort_msg("awaited step '%c', '%c' came", step, came);
}

bool link_await_closed(child_link *link)
{
    char byte;

    return link_read(link, &byte, 1) == 0;
}

size_t link_read_line(child_link *link, char *ret_line, size_t size)
{
    size_t length = 0;

    for (;;) {
        char c;
        link_receive(link, &c, 1);
        if (c == '\n')
            break;
        errno = EMSGSIZE;
        require(length + 1 < size, "the line is too long");
        ret_line[length++] = c;
    }
    ret_line[length] = '\0';
    return length;
}
