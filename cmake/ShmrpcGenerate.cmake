# SPDX-License-Identifier: Apache-2.0
#
# C from `.shm` files, compiled into a target:
#
#   shmrpc_generate(TARGET target FILES a.shm [b.shm …]
#                   [INCLUDE_DIRS dir …] [OUTPUT_DIR dir] [OUT_VAR variable] [MAX_MESSAGE bytes] [STATIC])
#
#   TARGET        an executable or a library that was made in this folder
#   FILES         the `.shm` files to compile; those that they import are found, not named
#   INCLUDE_DIRS  where imports are looked for, in this order; the current source folder where none is given.
#                 A file keeps its path below the first of them that holds it: demo/health.shm becomes
#                 demo/health.shm.h and is included as such. A file in none of them is named without a path.
#   OUTPUT_DIR    where the C is written; a folder of the target's own in the build tree where it is not given
#   OUT_VAR       receives the list of the files that are written
#   MAX_MESSAGE   the largest message that is accepted (shmc --max-message), where that is not 64 KiB
#   STATIC        link shmrpc::shmrpc_static in place of shmrpc::shmrpc
#
# The target gets the generated sources, their folder as a PUBLIC include folder, and the runtime library. A file
# that changes, and a file that it imports, however far away, cause a new run.
#
# The compiler is SHMRPC_SHMC where that is set (a shmc of the build machine, needed when cross-compiling), else
# the one of this build or of the installed package.
cmake_policy(PUSH)
cmake_policy(VERSION 3.22)

function(_shmrpc_find_shmc ret_command ret_depends)
    if(SHMRPC_SHMC)
        if(NOT EXISTS "${SHMRPC_SHMC}" OR IS_DIRECTORY "${SHMRPC_SHMC}")
            message(FATAL_ERROR "shmrpc_generate: SHMRPC_SHMC is not a program: ${SHMRPC_SHMC}")
        endif()
        set(${ret_command} "${SHMRPC_SHMC}" PARENT_SCOPE)
        set(${ret_depends} "${SHMRPC_SHMC}" PARENT_SCOPE)
        return()
    endif()

    if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
        message(FATAL_ERROR "shmrpc_generate: cross-compiling needs a shmc that runs on this machine: "
            "set SHMRPC_SHMC to its path")
    endif()
    foreach(candidate IN ITEMS shmc shmrpc::shmc)
        if(TARGET ${candidate})
            set(${ret_command} ${candidate} PARENT_SCOPE)
            set(${ret_depends} ${candidate} PARENT_SCOPE)
            return()
        endif()
    endforeach()
    message(FATAL_ERROR "shmrpc_generate: there is no shmc: this build or package has none; "
        "set SHMRPC_SHMC to the path of one")
endfunction()

# The path of `file` below the first of `include_dirs` that holds it, and that folder; the plain name and the
# file's own folder where none does.
function(_shmrpc_name_file file include_dirs ret_name ret_root)
    foreach(dir IN LISTS include_dirs)
        cmake_path(IS_PREFIX dir "${file}" NORMALIZE holds)
        if(holds)
            cmake_path(RELATIVE_PATH file BASE_DIRECTORY "${dir}" OUTPUT_VARIABLE name)
            set(${ret_name} "${name}" PARENT_SCOPE)
            set(${ret_root} "${dir}" PARENT_SCOPE)
            return()
        endif()
    endforeach()
    cmake_path(GET file FILENAME name)
    cmake_path(GET file PARENT_PATH root)
    set(${ret_name} "${name}" PARENT_SCOPE)
    set(${ret_root} "${root}" PARENT_SCOPE)
endfunction()

function(_shmrpc_check_target target)
    if(NOT TARGET ${target})
        message(FATAL_ERROR "shmrpc_generate: there is no target ${target}; call it after add_executable() or "
            "add_library()")
    endif()
    get_target_property(type ${target} TYPE)
    if(NOT type MATCHES "^(EXECUTABLE|(STATIC|SHARED|MODULE|OBJECT)_LIBRARY)$")
        message(FATAL_ERROR "shmrpc_generate: the target ${target} compiles nothing (${type})")
    endif()
    get_target_property(source_dir ${target} SOURCE_DIR)
    if(NOT source_dir STREQUAL CMAKE_CURRENT_SOURCE_DIR)
        message(FATAL_ERROR "shmrpc_generate: the target ${target} was made in ${source_dir}; call it there")
    endif()
    if(NOT CMAKE_C_COMPILER_LOADED)
        message(FATAL_ERROR "shmrpc_generate: the generated code is C: project(… LANGUAGES C) or "
            "enable_language(C) is needed")
    endif()
endfunction()

function(shmrpc_generate)
    cmake_parse_arguments(PARSE_ARGV 0 arg "STATIC" "TARGET;OUTPUT_DIR;OUT_VAR;MAX_MESSAGE" "FILES;INCLUDE_DIRS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "shmrpc_generate: unknown arguments: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_TARGET)
        message(FATAL_ERROR "shmrpc_generate: TARGET is missing")
    endif()
    if(NOT arg_FILES)
        message(FATAL_ERROR "shmrpc_generate: FILES names no .shm file")
    endif()
    _shmrpc_check_target(${arg_TARGET})
    _shmrpc_find_shmc(shmc shmc_depends)

    set(library shmrpc::shmrpc)
    if(arg_STATIC)
        set(library shmrpc::shmrpc_static)
    endif()
    if(NOT TARGET ${library})
        message(FATAL_ERROR "shmrpc_generate: the library ${library} is not there")
    endif()

    set(include_dirs)
    if(NOT arg_INCLUDE_DIRS)
        set(arg_INCLUDE_DIRS "${CMAKE_CURRENT_SOURCE_DIR}")
    endif()
    foreach(dir IN LISTS arg_INCLUDE_DIRS)
        cmake_path(ABSOLUTE_PATH dir BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
        if(NOT IS_DIRECTORY "${dir}")
            message(FATAL_ERROR "shmrpc_generate: there is no include folder ${dir}")
        endif()
        string(REGEX REPLACE "(.)/$" "\\1" dir "${dir}")
        list(APPEND include_dirs "${dir}")
    endforeach()

    if(NOT arg_OUTPUT_DIR)
        set(arg_OUTPUT_DIR "shmrpc/${arg_TARGET}")
    endif()
    cmake_path(ABSOLUTE_PATH arg_OUTPUT_DIR BASE_DIRECTORY "${CMAKE_CURRENT_BINARY_DIR}" NORMALIZE)
    file(MAKE_DIRECTORY "${arg_OUTPUT_DIR}")

    set(limit)
    if(arg_MAX_MESSAGE)
        set(limit --max-message "${arg_MAX_MESSAGE}")
    endif()
    set(outputs)
    foreach(file IN LISTS arg_FILES)
        cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}" NORMALIZE)
        get_source_file_property(generated "${file}" GENERATED)
        if(NOT generated AND (NOT EXISTS "${file}" OR IS_DIRECTORY "${file}"))
            message(FATAL_ERROR "shmrpc_generate: there is no file ${file}")
        endif()
        if(NOT file MATCHES "\\.shm$")
            message(FATAL_ERROR "shmrpc_generate: not a .shm file: ${file}")
        endif()

        _shmrpc_name_file("${file}" "${include_dirs}" name root)
        set(search)
        foreach(dir IN LISTS include_dirs)
            list(APPEND search -I "${dir}")
        endforeach()
        if(NOT root IN_LIST include_dirs)
            list(APPEND search -I "${root}")
        endif()

        set(base "${arg_OUTPUT_DIR}/${name}")
        cmake_path(GET base PARENT_PATH base_dir)
        file(MAKE_DIRECTORY "${base_dir}")
        # shmc leaves a file alone whose contents are as they were. Ninja knows that case; make would run it
        # again at each build.
        set(touch)
        if(NOT CMAKE_GENERATOR MATCHES "Ninja")
            set(touch COMMAND "${CMAKE_COMMAND}" -E touch_nocreate "${base}.h" "${base}.c")
        endif()
        # In the order of the dependency file: ninja looks for the first.
        add_custom_command(
            OUTPUT "${base}.h" "${base}.c"
            COMMAND ${shmc} generate --emit c --out "${arg_OUTPUT_DIR}" ${limit} ${search} --depfile "${base}.d" "${file}"
            ${touch}
            DEPENDS "${file}" ${shmc_depends}
            DEPFILE "${base}.d"
            COMMENT "Generating ${name}.h, ${name}.c"
            VERBATIM)
        list(APPEND outputs "${base}.h" "${base}.c")
    endforeach()

    target_sources(${arg_TARGET} PRIVATE ${outputs})
    target_include_directories(${arg_TARGET} PUBLIC "$<BUILD_INTERFACE:${arg_OUTPUT_DIR}>")
    # By property, so that the target's other libraries may be linked with or without keywords.
    set_property(TARGET ${arg_TARGET} APPEND PROPERTY LINK_LIBRARIES ${library})
    set_property(TARGET ${arg_TARGET} APPEND PROPERTY INTERFACE_LINK_LIBRARIES ${library})
    if(arg_OUT_VAR)
        set(${arg_OUT_VAR} ${outputs} PARENT_SCOPE)
    endif()
endfunction()

cmake_policy(POP)
