# SPDX-License-Identifier: Apache-2.0
#
# bench_peers: the mechanisms of the kernel always, and with SHMRPC_BENCH_PEERS each library whose package is found.
add_executable(bench_peers
    peers.c
    contestants/futex.c
    contestants/limit.c
    contestants/line.c
    contestants/stream.c
    contestants/typed.c
    contestants/typed_flight.c
    contestants/typed_payload.c
    contestants/unix.c
    contestants/unix_payload.c
    peers/contestants.c
    peers/eventfd.c
    peers/seqpacket.c
    ${trial_sources})
set(c_flags ${SHMRPC_WARNING_FLAGS} $<$<BOOL:${SHMRPC_WERROR}>:-Werror>)
target_compile_options(bench_peers PRIVATE "$<$<COMPILE_LANGUAGE:C>:${c_flags}>")
shmrpc_generate(TARGET bench_peers FILES bench.shm payload.shm MAX_MESSAGE 67108864)

# bench_add_peer(NAME source… LIBS library… [INCLUDES dir…])
function(bench_add_peer name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LIBS;INCLUDES")
    string(TOUPPER "${name}" upper)
    target_sources(bench_peers PRIVATE ${arg_UNPARSED_ARGUMENTS})
    target_compile_definitions(bench_peers PRIVATE "BENCH_HAS_${upper}=1")
    target_include_directories(bench_peers SYSTEM PRIVATE ${arg_INCLUDES})
    target_link_libraries(bench_peers PRIVATE ${arg_LIBS})
    set_property(GLOBAL APPEND PROPERTY bench_peers_found "${name}")
endfunction()

# bench_add_cxx_peer(NAME source LIBS library… [GENERATED file…]): with the project's warnings for C++; what is generated
# is taken as it is.
function(bench_add_cxx_peer name source)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LIBS;GENERATED")
    set_source_files_properties(${source} PROPERTIES
        COMPILE_OPTIONS "-std=c++17;-Wall;-Wextra;-Wno-unused-parameter"
        OBJECT_DEPENDS "${arg_GENERATED}")
    set_source_files_properties(${arg_GENERATED} PROPERTIES COMPILE_OPTIONS "-std=c++17;-w")
    bench_add_peer(${name} ${source} ${arg_GENERATED} LIBS ${arg_LIBS} INCLUDES "${CMAKE_CURRENT_BINARY_DIR}/peers")
endfunction()

if(SHMRPC_BENCH_PEERS)
    pkg_check_modules(BENCH_ZEROMQ IMPORTED_TARGET libzmq)
    if(BENCH_ZEROMQ_FOUND)
        bench_add_peer(zeromq peers/zeromq.c LIBS PkgConfig::BENCH_ZEROMQ)
    endif()

    find_path(BENCH_NNG_INCLUDE nng/nng.h)
    find_library(BENCH_NNG_LIBRARY nng)
    if(BENCH_NNG_INCLUDE AND BENCH_NNG_LIBRARY)
        bench_add_peer(nng peers/nng.c LIBS ${BENCH_NNG_LIBRARY} INCLUDES ${BENCH_NNG_INCLUDE})
    endif()

    pkg_check_modules(BENCH_SDBUS IMPORTED_TARGET libsystemd)
    if(BENCH_SDBUS_FOUND)
        bench_add_peer(sdbus peers/sdbus.c LIBS PkgConfig::BENCH_SDBUS)
    endif()

    find_path(BENCH_ICEORYX_INCLUDE iceoryx_binding_c/client.h PATH_SUFFIXES iceoryx/v2.0.3 iceoryx/v2.0.2)
    find_library(BENCH_ICEORYX_LIBRARY iceoryx_binding_c)
    find_program(BENCH_ICEORYX_DAEMON iox-roudi)
    if(BENCH_ICEORYX_INCLUDE AND BENCH_ICEORYX_LIBRARY AND BENCH_ICEORYX_DAEMON)
        bench_add_peer(iceoryx peers/iceoryx.c LIBS ${BENCH_ICEORYX_LIBRARY} INCLUDES ${BENCH_ICEORYX_INCLUDE})
    endif()

    include(CheckLanguage)
    check_language(CXX)
    if(CMAKE_CXX_COMPILER)
        enable_language(CXX)
    endif()

    pkg_check_modules(BENCH_CAPNP IMPORTED_TARGET capnp-rpc)
    find_program(BENCH_CAPNP_COMPILER capnp)
    if(CMAKE_CXX_COMPILER AND BENCH_CAPNP_FOUND AND BENCH_CAPNP_COMPILER)
        set(made "${CMAKE_CURRENT_BINARY_DIR}/peers/bench.capnp.c++")
        add_custom_command(OUTPUT ${made} "${CMAKE_CURRENT_BINARY_DIR}/peers/bench.capnp.h"
            COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_CURRENT_BINARY_DIR}/peers"
            COMMAND ${BENCH_CAPNP_COMPILER} compile "--src-prefix=${CMAKE_CURRENT_SOURCE_DIR}/peers"
                    "-oc++:${CMAKE_CURRENT_BINARY_DIR}/peers" "${CMAKE_CURRENT_SOURCE_DIR}/peers/bench.capnp"
            DEPENDS peers/bench.capnp
            VERBATIM)
        bench_add_cxx_peer(capnp peers/capnp.cpp GENERATED ${made} LIBS PkgConfig::BENCH_CAPNP)
    endif()

    pkg_check_modules(BENCH_GRPC IMPORTED_TARGET grpc++ protobuf)
    find_program(BENCH_PROTOC protoc)
    find_program(BENCH_GRPC_PLUGIN grpc_cpp_plugin)
    if(CMAKE_CXX_COMPILER AND BENCH_GRPC_FOUND AND BENCH_PROTOC AND BENCH_GRPC_PLUGIN)
        set(made "${CMAKE_CURRENT_BINARY_DIR}/peers/bench.pb.cc" "${CMAKE_CURRENT_BINARY_DIR}/peers/bench.grpc.pb.cc")
        add_custom_command(OUTPUT ${made} "${CMAKE_CURRENT_BINARY_DIR}/peers/bench.grpc.pb.h"
            COMMAND ${CMAKE_COMMAND} -E make_directory "${CMAKE_CURRENT_BINARY_DIR}/peers"
            COMMAND ${BENCH_PROTOC} "--proto_path=${CMAKE_CURRENT_SOURCE_DIR}/peers"
                    "--cpp_out=${CMAKE_CURRENT_BINARY_DIR}/peers" "--grpc_out=${CMAKE_CURRENT_BINARY_DIR}/peers"
                    "--plugin=protoc-gen-grpc=${BENCH_GRPC_PLUGIN}" "${CMAKE_CURRENT_SOURCE_DIR}/peers/bench.proto"
            DEPENDS peers/bench.proto
            VERBATIM)
        bench_add_cxx_peer(grpc peers/grpc.cpp GENERATED ${made} LIBS PkgConfig::BENCH_GRPC)
    endif()

    get_property(found GLOBAL PROPERTY bench_peers_found)
    message(STATUS "Peers found for bench_peers: ${found}")
endif()
