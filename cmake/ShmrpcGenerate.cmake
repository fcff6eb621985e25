# SPDX-License-Identifier: Apache-2.0
#
# shmrpc_generate(TARGET t FILES a.shm …): C from `.shm` files, compiled into a target.
