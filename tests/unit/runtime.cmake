# SPDX-License-Identifier: Apache-2.0
#
# The modules of the runtime, from the bottom up: runtime_<noun>.c tests runtime/<noun>.c or runtime/platform/<noun>.c.
if(NOT TARGET shmrpc_objects)
    return()
endif()

foreach(noun IN ITEMS
        barrier
        clock
        current
        event
        feature
        futex
        memory
        pages
        process
        sealed
        semaphore
        socket
        error
        log
        status
        text
        control
        control_bytes)
    shmrpc_add_check_test(NAME runtime_${noun} SOURCES runtime_${noun}.c LIBS shmrpc_objects LABELS unit)
endforeach()

# These two share servers in children.
foreach(noun IN ITEMS place directory)
    shmrpc_add_check_test(NAME runtime_${noun} SOURCES runtime_${noun}.c name_service.c LIBS shmrpc_objects LABELS unit)
endforeach()

# The upper half: one end of a lane or both over private memory, in one thread.
foreach(noun IN ITEMS
        arena
        backoff
        closer
        envelope
        first_look
        message
        mismatch
        options
        poller
        random
        region
        sealed_box
        seat
        server
        server_clients
        spin
        thread_map
        timer)
    shmrpc_add_check_test(NAME runtime_${noun} SOURCES runtime_${noun}.c LIBS shmrpc_objects LABELS unit)
endforeach()
foreach(noun IN ITEMS lane_server lane_client lane_waiters lane_inbox lane_race lane_stress revisions service)
    shmrpc_add_check_test(NAME runtime_${noun} SOURCES runtime_${noun}.c lane_pair.c LIBS shmrpc_objects TIMEOUT 120
                          LABELS unit)
endforeach()
target_link_options(test_runtime_lane_client PRIVATE LINKER:--wrap=futex_wait,--wrap=futex_wait_either)
target_link_options(test_runtime_lane_stress PRIVATE LINKER:--wrap=futex_wait_either)
target_link_options(test_runtime_lane_race PRIVATE LINKER:--wrap=futex_wake,--wrap=event_ring)
foreach(noun IN ITEMS connection handshake monitor session)
    shmrpc_add_check_test(NAME runtime_${noun} SOURCES runtime_${noun}.c lane_pair.c socket_pair.c LIBS shmrpc_objects
                          LABELS unit)
endforeach()
foreach(noun IN ITEMS later later_ends)
    shmrpc_add_check_test(NAME runtime_${noun} SOURCES runtime_${noun}.c later_rig.c lane_pair.c LIBS shmrpc_objects
                          TIMEOUT 120 LABELS unit)
endforeach()
