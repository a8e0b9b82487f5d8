// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>

#include "process/process.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  // Gateways are small: one heap for all threads, and freed memory goes back at once.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 64 * 1024);
  process::hold_signals();
  return ecp_edge::run({argv + 1, static_cast<std::size_t>(argc - 1)},
                       process::environment("ECP_EDGE_"), process::run_until_signal);
}
