/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faults.c - system calls and allocations that fail when a test says so.
 *
 * Linked into a shmc of its own with --wrap for each of the calls below. SHMC_FAULT_CALL names one of them, or `memory`
 * for all that allocate; its SHMC_FAULT_AT-th call fails with the error that SHMC_FAULT_ERROR names, or, where that is
 * SHORT, moves one byte only. That it has happened is shown by the file SHMC_FAULT_MARK.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static unsigned long calls;
static bool is_over;

/* What comes after the handlers of shmc is not shmc's: where coverage is measured, figures are written then. */
static void end(void)
{
    is_over = true;
}

__attribute__((constructor)) static void begin(void)
{
    if (atexit(end) != 0)
        abort();
}

static const struct {
    const char *name;
    int error;
} errors[] = {
    {"SHORT", 0},       {"EACCES", EACCES}, {"EINTR", EINTR},   {"EINVAL", EINVAL}, {"EIO", EIO},
    {"EMFILE", EMFILE}, {"ENOMEM", ENOMEM}, {"ENOSPC", ENOSPC}, {"EXDEV", EXDEV},
};

static int error_wanted(void)
{
    const char *name = getenv("SHMC_FAULT_ERROR");

    for (size_t i = 0; name && i < sizeof(errors) / sizeof(errors[0]); i++)
        if (strcmp(name, errors[i].name) == 0)
            return errors[i].error;
    abort();
}

static unsigned long call_wanted(void)
{
    const char *text = getenv("SHMC_FAULT_AT");

    return text ? strtoul(text, NULL, 10) : 0;
}

int __real_open(const char *path, int flags, ...);
int __real_close(int fd);

/* Whether this call is the one; errno is then set, and *ret_short tells of a call that moves one byte. */
static bool is_due(const char *call, bool *ret_short)
{
    const char *wanted = getenv("SHMC_FAULT_CALL");
    const char *mark = getenv("SHMC_FAULT_MARK");

    *ret_short = false;
    if (is_over || !wanted || strcmp(wanted, call) != 0 || ++calls != call_wanted())
        return false;
    int fd = mark ? __real_open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (fd < 0)
        abort();
    (void)__real_close(fd);
    errno = error_wanted();
    *ret_short = errno == 0;
    return true;
}

static bool fails(const char *call)
{
    bool is_short;

    return is_due(call, &is_short);
}

/* A call with fixed parameters, all of which are passed on. */
#define WRAP(type, failure, name, word, parameters, arguments)    \
    type __real_##name parameters;                                \
    type __wrap_##name parameters;                                \
    type __wrap_##name parameters                                 \
    {                                                             \
        return fails(word) ? (failure) : __real_##name arguments; \
    }

/* One that moves `size` bytes. */
#define WRAP_MOVE(name, parameters, arguments, one) \
    ssize_t __real_##name parameters;               \
    ssize_t __wrap_##name parameters;               \
    ssize_t __wrap_##name parameters                \
    {                                               \
        bool is_short;                              \
        if (!is_due(#name, &is_short))              \
            return __real_##name arguments;         \
        return is_short ? __real_##name one : -1;   \
    }

WRAP(void *, NULL, malloc, "memory", (size_t size), (size))
WRAP(void *, NULL, calloc, "memory", (size_t count, size_t size), (count, size))
WRAP(void *, NULL, realloc, "memory", (void *memory, size_t size), (memory, size))
WRAP(char *, NULL, realpath, "realpath", (const char *path, char *resolved), (path, resolved))
WRAP(int, -1, stat, "stat", (const char *path, struct stat *status), (path, status))
WRAP(int, -1, fstat, "fstat", (int fd, struct stat *status), (fd, status))
WRAP(int, -1, mkdir, "mkdir", (const char *path, mode_t mode), (path, mode))
WRAP(int, -1, fchmod, "fchmod", (int fd, mode_t mode), (fd, mode))
WRAP(int, -1, rename, "rename", (const char *from, const char *to), (from, to))
WRAP(int, -1, renameat2, "renameat2", (int from_fd, const char *from, int to_fd, const char *to, unsigned flags),
     (from_fd, from, to_fd, to, flags))
WRAP_MOVE(read, (int fd, void *bytes, size_t size), (fd, bytes, size), (fd, bytes, size > 0))
WRAP_MOVE(write, (int fd, const void *bytes, size_t size), (fd, bytes, size), (fd, bytes, size > 0))

int __wrap_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...)
{
    va_list arguments;

    va_start(arguments, flags);
    mode_t mode = flags & O_CREAT ? va_arg(arguments, mode_t) : 0;
    va_end(arguments);
    return fails("open") ? -1 : __real_open(path, flags, mode);
}

int __wrap_close(int fd);
int __wrap_close(int fd)
{
    bool failed = fails("close");
    int error = errno;
    int rc = __real_close(fd);

    if (!failed)
        return rc;
    errno = error;
    return -1;
}

int __real_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...);
int __wrap_fcntl(int fd, int command, ...)
{
    va_list arguments;

    va_start(arguments, command);
    int argument = va_arg(arguments, int); /* NOLINT(clang-analyzer-valist.Uninitialized): it is, in the line above */
    va_end(arguments);
    return fails("fcntl") ? -1 : __real_fcntl(fd, command, argument);
}
