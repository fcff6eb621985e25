#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# test_architecture.sh SOURCE_DIR OBJECTS: what docs/architecture.md says is nowhere, is nowhere. OBJECTS are those of
# the runtime, separated by semicolons; what they call is read from them by nm.
set -uo pipefail

readonly source_dir=$1
IFS=';' read -r -a objects <<<"$2"
readonly objects
# shellcheck source=tests/support/cases.sh
. "$source_dir/tests/support/cases.sh"

# Names that enter the kernel, or may. What is only arithmetic on memory is not among them.
readonly system_calls='accept|accept4|access|bind|clock_[a-z]+|clone|close|connect|dup|dup2|dup3|epoll_[a-z0-9]+|eventfd[a-z_]*|faccessat|fallocate|fchmod|fchown|fcntl|flock|fork|fstat|fstatat|fstatfs|ftruncate|futex|getegid|geteuid|getgid|getpid|gettid|getuid|ioctl|kill|link|listen|lseek|lstat|madvise|memfd_create|mkdir|mkdirat|mlock|mmap|mprotect|mremap|munmap|nanosleep|open|openat|pidfd_[a-z_]+|pipe|pipe2|poll|ppoll|prctl|pread|pwrite|read|readv|recv|recvfrom|recvmsg|rename|renameat|rmdir|sched_[a-z]+|select|send|sendmsg|sendto|setsockopt|getsockopt|shutdown|sleep|socket|socketpair|stat|statfs|syscall|sysconf|time|umask|unlink|unlinkat|usleep|wait|waitpid|write|writev'

# list_includes FILE…: a line per header that they include by name: the file, a space, the header.
list_includes() {
    awk '/^#include "/ { split($0, parts, "\""); print FILENAME " " parts[2] }' "$@"
}

# only PATTERN FILE…: each include of these files matches.
only() {
    local found
    found=$(list_includes "${@:2}" | grep -vE " ($1)\$" || true)
    [ -z "$found" ] || fail "includes:"$'\n'"$found"
}

# never PATTERN FILE…: no include of these files matches.
never() {
    local found
    found=$(list_includes "${@:2}" | grep -E " ($1)\$" || true)
    [ -z "$found" ] || fail "includes:"$'\n'"$found"
}

# calls OBJECT: the names that it leaves to others.
calls() {
    nm -u "$1" | awk '{ print $NF }' | sed 's/@.*//; s/^__\(.*\)_chk$/\1/; s/64$//'
}

# calls_none NAMES OBJECT…: none of these names (a pattern) is left to others.
calls_none() {
    local names=$1 object found faults=0
    shift
    for object in "$@"; do
        found=$(calls "$object" | grep -xE "$names" | tr '\n' ' ' || true)
        if [ -n "$found" ]; then
            echo "${object##*/} calls $found"
            faults=1
        fi
    done
    return "$faults"
}

# object NAME: that of runtime/NAME.
object() {
    local each
    for each in "${objects[@]}"; do
        case $each in */"$1".o) printf '%s\n' "$each" && return ;; esac
    done
    fail "there is no object of $1"
}

runtime_includes_nothing_of_the_compiler() {
    cd "$source_dir"
    never 'compiler/.*|.*backend.*|model\.h' runtime/*.[ch] runtime/platform/*.[ch]
    never 'compiler/.*|runtime/.*' include/shmrpc/*.h
}

platform_includes_nothing_above_it() {
    cd "$source_dir"
    only '(barrier|clock|closer|cpu|event|feature|futex|memory|pages|poller|process|random|sealed|semaphore|socket|thread|timer)\.h' runtime/platform/*.[ch]
    ! grep -n '#include <shmrpc/' runtime/platform/*.[ch] || fail "platform knows a public header"
}

lanes_know_neither_sockets_nor_schemas() {
    cd "$source_dir"
    only '(alarm|arena|block|error|first_look|inbox_writer|lane_caller|lane_client|lane_client_core|lane_client_loan|lane_server|region|shared|slot|spin)\.h|platform/(barrier|clock|compiler|cpu|event|futex|memory|semaphore|thread)\.h' \
        runtime/{arena,inbox_writer,lane_client,lane_server,region}.[ch] runtime/lane_client_*.[ch] runtime/{alarm,block,first_look,lane_caller,shared,slot,spin}.h
}

calling_side_and_serving_side_do_not_know_each_other() {
    cd "$source_dir"
    never '(lane_server|server_.*|service|session)\.h' runtime/{client,client_calls,client_direct,connection,flight,handle,handle_join,handle_lanes}.c runtime/lane_client*.[ch] \
        runtime/{connection,flight,handle,handle_lanes}.h
    never '(connection|flight|handle|lane_client)\.h' runtime/{lane_server,session}.[ch] \
        runtime/ser{ver,vice}*.[ch]
}

only_platform_makes_system_calls_but_for_files() {
    command -v nm >/dev/null || skip "nm is not installed"
    local each name allowed
    for each in "${objects[@]}"; do
        name=${each##*/}
        name=${name%.c.o}
        case $each in */platform/*) continue ;; esac
        case $name in
        directory) allowed='close|flock|getpid|lstat|open|unlink' ;;
        place) allowed='close|faccessat|fstat|geteuid|lstat|mkdir|open|stat' ;;
        log) allowed='writev' ;;
        connection | loop | monitor | server | server_* | session) allowed='close' ;;
        *) allowed= ;;
        esac
        for name in $(calls "$each" | grep -xE "$system_calls" || true); do
            [[ $name =~ ^($allowed)$ ]] || fail "${each##*/} calls $name"
        done
    done
}

a_lane_allocates_nothing_after_it_was_made() {
    command -v nm >/dev/null || skip "nm is not installed"
    calls_none 'malloc|calloc|realloc|reallocarray|aligned_alloc|posix_memalign|strdup|strndup|asprintf' \
        "$(object lane_server.c)" "$(object message.c)" "$(object status.c)" "$(object text.c)"
}

library_starts_few_threads_and_no_process_and_takes_no_signal() {
    command -v nm >/dev/null || skip "nm is not installed"
    local each others=()
    for each in "${objects[@]}"; do
        case $each in */platform/thread.c.o) ;; *) others+=("$each") ;; esac
    done
    calls_none 'pthread_create|pthread_sigmask|thread_start|thrd_create' "${others[@]}" ||
        [ "$(calls_none 'pthread_create|pthread_sigmask|thread_start|thrd_create' "${others[@]}")" = \
            $'closer.c.o calls thread_start \nmonitor.c.o calls thread_start \nringer.c.o calls thread_start \nserver_loop.c.o calls thread_start ' ] || fail "somebody else starts a thread"
    calls_none 'fork|vfork|posix_spawnp?|execv.*|system|sigaction|signal|sigprocmask|raise|exit|_exit' \
        "${objects[@]}"
}

nothing_gets_a_name_in_shared_memory() {
    command -v nm >/dev/null || skip "nm is not installed"
    calls_none 'shm_open|shm_unlink|sem_open|sem_unlink|mq_open|shmget|semget|msgget' "${objects[@]}"
}

only_shared_h_reads_what_a_peer_can_write() {
    cd "$source_dir"
    local found
    # Fields of a slot, and the words of the header; region.c formats them before the peer may call.
    found=$(grep -nE '\b(at|slot)->(word|method|request_block|reply_block|length|budget_us)\b' runtime/*.[ch] |
        grep -vE '^runtime/shared\.h:' || true)
    [ -z "$found" ] || fail "$found"
    found=$(grep -nE 'header->(wish|started|closed)' runtime/*.[ch] |
        grep -vE '^runtime/(shared\.h|region\.c):|futex_(wait|wake)[a-z_]*\(' || true)
    [ -z "$found" ] || fail "$found"
    found=$(grep -lE '\b(atomic_[a-z_]+|__atomic_[a-z_]+)\(' runtime/*.[ch] |
        grep -vE '^runtime/(shared\.h|alarm\.h|current\.[ch]|region\.c|seat\.[ch]|session\.c|server[a-z_]*\.[ch]|log\.c)$' || true)
    [ -z "$found" ] || fail "atomics of their own: $found"
    found=$(grep -nw volatile runtime/*.[ch] runtime/platform/*.[ch] include/shmrpc/*.h | grep -v __volatile__ || true)
    [ -z "$found" ] || fail "$found"
}

readonly front='annotate|ast|check|rules|compile|constant|declare|filter|fingerprint|front|layout|load|members|mistakes|parse|parser|lexer|records|resolve|service|syntax|token|types|value'

compiler_includes_nothing_of_the_runtime() {
    cd "$source_dir"
    local found
    never 'runtime/.*' compiler/*.[chly] compiler/support/*.[ch] compiler/backends/*.c compiler/backends/*/*.[ch]
    found=$(grep -rn '^#include <shmrpc/' compiler | grep -vE '<shmrpc/(wire|base)\.h>' || true)
    [ -z "$found" ] || fail "$found"
}

front_end_knows_no_backend() {
    cd "$source_dir"
    local name file files=()
    for name in ${front//|/ } diag diag_render source model; do
        for file in "compiler/$name".[chly]; do
            [ ! -e "$file" ] || files+=("$file")
        done
    done
    never '(backend|emit|output|options|depfile|spell)\.h|backends/.*' "${files[@]}"
}

backends_know_the_model_and_nothing_of_the_front_end() {
    cd "$source_dir"
    only '(backend|diag|emit|model|output|source|spell)\.h|support/[a-z]+\.h|backends/[a-z/]+\.h' compiler/backends/*.c \
        compiler/backends/*/*.[ch] compiler/{emit,output,spell}.[ch] compiler/backend.h
    local product
    for product in compiler/backends/*/; do
        product=$(basename "$product")
        only "backends/$product/[a-z]+\.h|[a-z]+\.h|support/[a-z]+\.h" compiler/backends/"$product"/*.[ch]
    done
}

only_main_and_the_renderer_print_and_only_output_writes() {
    cd "$source_dir"
    local found
    found=$(grep -nE '\b(FILE|fopen|fprintf|fputs|fwrite|putchar|puts|perror)\b' compiler/*.[ch] compiler/*/*.[ch] \
        compiler/backends/*/*.[ch] |
        grep -vE '^compiler/(main|diag_render|breaking|output|report)\.c:|^compiler/(diag|breaking|report)\.h:' |
        grep -vE '^[^:]+:[0-9]+: +(\*|")|^[^:]+:[0-9]+: \*' | grep -vE '^compiler/support/memory\.c:' |
        grep -vE '^compiler/backends/c/reserved\.c:' || true)
    [ -z "$found" ] || fail "$found"
    found=$(grep -nE '\b_?exit\(' compiler/*.[chly] compiler/*/*.[ch] compiler/backends/*/*.[ch] |
        grep -vE '^compiler/support/memory\.c:' || true)
    [ -z "$found" ] || fail "$found"
}

only_layout_and_types_compute_sizes() {
    cd "$source_dir"
    local found
    found=$(grep -nE '(->|\.)(size|align|offset|has_offset|tail_padding|body_offset|body_size) = ' \
        compiler/*.c compiler/backends/*/*.c | grep -vE '^compiler/(layout|types|source)\.c:' |
        grep -vE ' = [a-z]+->(size|align);' || true)
    [ -z "$found" ] || fail "$found"
}

map_has_every_file() {
    cd "$source_dir"
    local file stem known faults=0
    # shellcheck disable=SC2016
    known=$(grep -oE '`[^`]+`' docs/architecture.md | grep -oE '[A-Za-z0-9_]+' | sort -u | tr '\n' ' ')
    for file in runtime/*.[ch] runtime/*.proto runtime/*.map runtime/platform/*.[ch] compiler/*.[chly] \
        compiler/support/*.[ch] compiler/backends/*/*.[ch] include/shmrpc/*.h cmake/* tools/*; do
        stem=${file##*/}
        stem=${stem%%.*}
        case " $known" in
        *" $stem "*) ;;
        *)
            echo "docs/architecture.md does not say what $file is"
            faults=1
            ;;
        esac
    done
    return "$faults"
}

map_names_nothing_that_is_not_there() {
    cd "$source_dir"
    [ -s docs/architecture.md ] || fail "there is no docs/architecture.md"
    local path faults=0
    # shellcheck disable=SC2016
    while IFS= read -r path; do
        [ -e "$path" ] || {
            echo "docs/architecture.md: there is no $path"
            faults=1
        }
    done < <(grep -oE '`(runtime|compiler|include|tests|bench|cmake|tools|docs|idl-examples)/[^` ]*`' docs/architecture.md |
        tr -d '`')
    return "$faults"
}

run_case runtime_includes_nothing_of_the_compiler
run_case platform_includes_nothing_above_it
run_case lanes_know_neither_sockets_nor_schemas
run_case calling_side_and_serving_side_do_not_know_each_other
run_case only_platform_makes_system_calls_but_for_files
run_case a_lane_allocates_nothing_after_it_was_made
run_case library_starts_few_threads_and_no_process_and_takes_no_signal
run_case nothing_gets_a_name_in_shared_memory
run_case only_shared_h_reads_what_a_peer_can_write
run_case compiler_includes_nothing_of_the_runtime
run_case front_end_knows_no_backend
run_case backends_know_the_model_and_nothing_of_the_front_end
run_case only_main_and_the_renderer_print_and_only_output_writes
run_case only_layout_and_types_compute_sizes
run_case map_has_every_file
run_case map_names_nothing_that_is_not_there
end_cases
