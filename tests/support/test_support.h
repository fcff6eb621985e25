/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_support.h - everything that a test of ours includes.
 *
 * A test file:
 *
 *     #include "test_support.h"
 *
 *     START_TEST(rejects_capacity_not_power_of_two) { ... } END_TEST
 *
 *     static Suite *ring_suite(void) { ... }
 *
 *     TEST_MAIN(ring_suite)
 *
 * and in CMake: shmrpc_add_check_test(NAME ring SOURCES test_ring.c LIBS ...).
 */
#ifndef SHMRPC_TEST_SUPPORT_H
#define SHMRPC_TEST_SUPPORT_H

#include <check.h>

#include "child.h"
#include "counts.h"
#include "deadline.h"
#include "maps.h"
#include "resource_limit.h"
#include "rest.h"
#include "runner.h"
#include "runtime_dir.h"
#include "tally.h"

#endif
