// SPDX-License-Identifier: Apache-2.0
#include "process/process.hpp"
#include "program.hpp"

int main(int argc, char** argv) {
  process::hold_signals();
  return ecpd::run({argv + 1, static_cast<std::size_t>(argc - 1)}, process::environment("ECPD_"),
                   process::run_until_signal);
}
