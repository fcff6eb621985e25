/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reserved.c - the fixed list.
 *
 * Keywords of C11 to C23 and of C++20, but for C++'s contextual ones (import, module, final, override), which are
 * ordinary names where generated code uses them. Macros are those of the standard headers and of the compilers that are
 * not all in capitals or that schemas are likely to want; a macro that is defined would replace a field's or an arm's name.
 * Types are those that the generated code and the library's headers use, and those of <sys/types.h>.
 */
#include "backends/c/reserved.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef struct reserved_group {
    const char *what;
    const char *const *words; /* NULL-terminated */
} reserved_group;

static const char *const c_keywords[] = {
    "auto",        "break",    "case",       "char",      "const",          "continue",      "default",
    "do",          "double",   "else",       "enum",      "extern",         "float",         "for",
    "goto",        "if",       "inline",     "int",       "long",           "register",      "restrict",
    "return",      "short",    "signed",     "sizeof",    "static",         "struct",        "switch",
    "typedef",     "union",    "unsigned",   "void",      "volatile",       "while",         "_Alignas",
    "_Alignof",    "_Atomic",  "_BitInt",    "_Bool",     "_Complex",       "_Decimal32",    "_Decimal64",
    "_Decimal128", "_Generic", "_Imaginary", "_Noreturn", "_Static_assert", "_Thread_local", NULL,
};

static const char *const c23_keywords[] = {
    "alignas",       "alignof",      "bool", "constexpr", "false",         "nullptr",
    "static_assert", "thread_local", "true", "typeof",    "typeof_unqual", NULL,
};

static const char *const cpp_keywords[] = {
    "and",
    "and_eq",
    "asm",
    "bitand",
    "bitor",
    "catch",
    "char8_t",
    "char16_t",
    "char32_t",
    "class",
    "co_await",
    "co_return",
    "co_yield",
    "compl",
    "concept",
    "consteval",
    "constinit",
    "const_cast",
    "decltype",
    "delete",
    "dynamic_cast",
    "explicit",
    "export",
    "friend",
    "mutable",
    "namespace",
    "new",
    "noexcept",
    "not",
    "not_eq",
    "operator",
    "or",
    "or_eq",
    "private",
    "protected",
    "public",
    "reinterpret_cast",
    "requires",
    "static_cast",
    "template",
    "this",
    "throw",
    "try",
    "typeid",
    "typename",
    "using",
    "virtual",
    "wchar_t",
    "xor",
    "xor_eq",
    NULL,
};

static const char *const macros[] = {
    "assert",
    "errno",
    "stdin",
    "stdout",
    "stderr",
    "EOF",
    "NULL",
    "offsetof",
    "major",
    "minor",
    "makedev",
    "linux",
    "unix",
    "i386",
    "complex",
    "imaginary",
    "noreturn",
    "setjmp",
    "va_start",
    "va_arg",
    "va_end",
    "va_copy",
    "isnan",
    "isinf",
    "isfinite",
    "isnormal",
    "signbit",
    "fpclassify",
    "isgreater",
    "isless",
    "isunordered",
    "math_errhandling",
    "unreachable",
    "kill_dependency",
    "atomic_init",
    "alloca",
    "strdupa",
    "htons",
    "ntohs",
    "htonl",
    "ntohl",
    "putc",
    "getc",
    "sigmask",
    "BUFSIZ",
    "RAND_MAX",
    "INT_MAX",
    "INT_MIN",
    "SIZE_MAX",
    "PATH_MAX",
    "NAN",
    "INFINITY",
    "EXIT_SUCCESS",
    "EXIT_FAILURE",
    "TRUE",
    "FALSE",
    "I",
    NULL,
};

/* By these, headers of POSIX name members of their structs that are members of something else. */
static const char *const member_macros[] = {
    "d_fileno",
    "h_addr",
    "h_errno",
    "ifa_broadaddr",
    "ifa_dstaddr",
    "ifc_buf",
    "ifc_req",
    "ifr_addr",
    "ifr_bandwidth",
    "ifr_broadaddr",
    "ifr_data",
    "ifr_dstaddr",
    "ifr_flags",
    "ifr_hwaddr",
    "ifr_ifindex",
    "ifr_map",
    "ifr_metric",
    "ifr_mtu",
    "ifr_name",
    "ifr_netmask",
    "ifr_newname",
    "ifr_qlen",
    "ifr_slave",
    "msg_cbytes",
    "s6_addr",
    "s6_addr16",
    "s6_addr32",
    "s_addr",
    "sa_handler",
    "sa_sigaction",
    "si_addr",
    "si_addr_lsb",
    "si_arch",
    "si_band",
    "si_call_addr",
    "si_fd",
    "si_int",
    "si_lower",
    "si_overrun",
    "si_pid",
    "si_pkey",
    "si_ptr",
    "si_status",
    "si_stime",
    "si_syscall",
    "si_timerid",
    "si_uid",
    "si_upper",
    "si_utime",
    "si_value",
    "sigev_notify_attributes",
    "sigev_notify_function",
    "st_atime",
    "st_ctime",
    "st_mtime",
    NULL,
};

static const char *const types[] = {
    "int8_t",  "int16_t",   "int32_t",    "int64_t",     "uint8_t",   "uint16_t", "uint32_t",   "uint64_t",
    "size_t",  "ssize_t",   "ptrdiff_t",  "intptr_t",    "uintptr_t", "intmax_t", "uintmax_t",  "pid_t",
    "uid_t",   "gid_t",     "time_t",     "clock_t",     "timer_t",   "off_t",    "loff_t",     "mode_t",
    "dev_t",   "ino_t",     "nlink_t",    "id_t",        "key_t",     "quad_t",   "caddr_t",    "daddr_t",
    "fsid_t",  "u_char",    "u_short",    "u_int",       "u_long",    "u_quad_t", "sigset_t",   "fd_set",
    "fd_mask", "clockid_t", "useconds_t", "suseconds_t", "blksize_t", "blkcnt_t", "register_t", NULL,
};

static const reserved_group groups[] = {
    {"a keyword of C", c_keywords},
    {"a keyword of C from C23 on and of C++", c23_keywords},
    {"a keyword of C++", cpp_keywords},
    {"a macro of the C library or of the compiler", macros},
    {"a macro of the system's headers", member_macros},
    {"a type of the C library", types},
};

void reserved_enter(map *to, arena *memory)
{
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        for (const char *const *word = groups[i].words; *word; word++)
            map_add(to, memory, *word, (void *)(uintptr_t)&groups[i].what);
    }
}
