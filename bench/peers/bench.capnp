# SPDX-License-Identifier: Apache-2.0
# What bench/bench.shm is, for Cap'n Proto.
@0xb2a7c4d1e8f05936;

interface Bench {
  add @0 (left :Int32, right :Int32) -> (sum :Int64);
  echo @1 (bytes :Data) -> (bytes :Data);
}
