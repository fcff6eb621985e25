# SPDX-License-Identifier: Apache-2.0
#
# The one place where tests are registered with CTest.
#
#   shmrpc_add_check_test(NAME n SOURCES a.c … [LIBS target …] [INCLUDE_DIRS dir …] [DEFINITIONS def …]
#                         [ARGS arg …] [ENVIRONMENT VAR=value …] [TIMEOUT seconds] [LABELS label …]
#                         [NO_FORK] [SERIAL] [PORTABLE])
#
#   builds the executable test_<n>, linked with Check and test_support, and registers it as <n>. NO_FORK runs all
#   its cases in one process; SERIAL keeps other tests from running beside it. PORTABLE registers it a second time, as
#   portable_<n>, without anything that only newer kernels have, and a third time, as semaphores_<n>, with semaphores in
#   place of futexes (docs/portability.md).
#
#   shmrpc_add_script_test(NAME n COMMAND program arg … [ENVIRONMENT …] [TIMEOUT seconds] [LABELS …] [SERIAL])
#
#   registers a program that prints `N passed, N failed` (`, N skipped` may follow) as its last such line.
#
# Every test ends by printing such a line; test_support does it for Check suites. tools/dev sums them up and takes
# a test without one for a failure.
#
# The target tests_compiler builds what the tests with the label compiler run, and nothing else.
pkg_check_modules(SHMRPC_CHECK REQUIRED IMPORTED_TARGET check)

set(SHMRPC_TEST_PORTABLE "SHMRPC_WITHOUT=futex_waitv,membarrier,scm_pidfd")
set(SHMRPC_TEST_SEMAPHORES "SHMRPC_WITHOUT=futex")

# The limits in tests are those of a machine with nothing else to do; one that is busy takes longer, and sanitizers do.
set(SHMRPC_TEST_SLOWDOWN 3)
if(SHMRPC_SANITIZER)
    set(SHMRPC_TEST_SLOWDOWN 6)
endif()

# Tests of these labels name all that they need in their commands.
set(SHMRPC_TEST_LABEL_TARGETS compiler)

# Adds what a test's command runs to the targets of its labels.
function(_shmrpc_test_targets labels)
    foreach(label IN LISTS labels)
        if(label IN_LIST SHMRPC_TEST_LABEL_TARGETS)
            if(NOT TARGET tests_${label})
                add_custom_target(tests_${label})
            endif()
            foreach(word IN LISTS ARGN)
                if(word MATCHES "\\$<TARGET_FILE:([A-Za-z0-9_]+)>")
                    add_dependencies(tests_${label} ${CMAKE_MATCH_1})
                endif()
            endforeach()
        endif()
    endforeach()
endfunction()

function(_shmrpc_test_properties name timeout labels serial environment)
    if(NOT timeout)
        set(timeout 60)
    endif()
    math(EXPR timeout "${timeout} * ${SHMRPC_TEST_SLOWDOWN}")
    set_tests_properties(${name} PROPERTIES
        TIMEOUT ${timeout}
        LABELS "${labels}"
        RUN_SERIAL ${serial}
        ENVIRONMENT "${environment}")
endfunction()

function(shmrpc_add_check_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg "NO_FORK;SERIAL;PORTABLE" "NAME;TIMEOUT"
        "SOURCES;LIBS;INCLUDE_DIRS;DEFINITIONS;ARGS;ENVIRONMENT;LABELS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "shmrpc_add_check_test: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_NAME OR NOT arg_SOURCES)
        message(FATAL_ERROR "shmrpc_add_check_test: NAME and SOURCES are needed")
    endif()

    set(target test_${arg_NAME})
    add_executable(${target} ${arg_SOURCES})
    target_include_directories(${target} PRIVATE ${arg_INCLUDE_DIRS})
    target_compile_definitions(${target} PRIVATE ${arg_DEFINITIONS})
    target_link_libraries(${target} PRIVATE test_support ${arg_LIBS} shmrpc_warnings PkgConfig::SHMRPC_CHECK)

    set(fork yes)
    if(arg_NO_FORK)
        set(fork no)
    endif()
    add_test(NAME ${arg_NAME} COMMAND ${target} ${arg_ARGS})
    _shmrpc_test_targets("${arg_LABELS}" $<TARGET_FILE:${target}>)
    _shmrpc_test_properties("${arg_NAME}" "${arg_TIMEOUT}" "${arg_LABELS}" "${arg_SERIAL}"
        "CK_FORK=${fork};CK_TIMEOUT_MULTIPLIER=${SHMRPC_TEST_SLOWDOWN};${arg_ENVIRONMENT}")
    if(arg_PORTABLE)
        add_test(NAME portable_${arg_NAME} COMMAND ${target} ${arg_ARGS})
        _shmrpc_test_properties("portable_${arg_NAME}" "${arg_TIMEOUT}" "portable" "${arg_SERIAL}"
            "CK_FORK=${fork};CK_TIMEOUT_MULTIPLIER=${SHMRPC_TEST_SLOWDOWN};${arg_ENVIRONMENT};${SHMRPC_TEST_PORTABLE}")
        add_test(NAME semaphores_${arg_NAME} COMMAND ${target} ${arg_ARGS})
        _shmrpc_test_properties("semaphores_${arg_NAME}" "${arg_TIMEOUT}" "semaphores" "${arg_SERIAL}"
            "CK_FORK=${fork};CK_TIMEOUT_MULTIPLIER=${SHMRPC_TEST_SLOWDOWN};${arg_ENVIRONMENT};${SHMRPC_TEST_SEMAPHORES}")
    endif()
endfunction()

function(shmrpc_add_script_test)
    cmake_parse_arguments(PARSE_ARGV 0 arg "SERIAL" "NAME;TIMEOUT" "COMMAND;ENVIRONMENT;LABELS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "shmrpc_add_script_test: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_NAME OR NOT arg_COMMAND)
        message(FATAL_ERROR "shmrpc_add_script_test: NAME and COMMAND are needed")
    endif()
    add_test(NAME ${arg_NAME} COMMAND ${arg_COMMAND})
    _shmrpc_test_targets("${arg_LABELS}" ${arg_COMMAND})
    _shmrpc_test_properties("${arg_NAME}" "${arg_TIMEOUT}" "${arg_LABELS}" "${arg_SERIAL}" "${arg_ENVIRONMENT}")
endfunction()
