// SPDX-License-Identifier: Apache-2.0
/// The simulation as a program: runs seeds until they are all run, or one fails.
///
///     ecp-sim [SEEDS] [FIRST]
#define DOCTEST_CONFIG_IMPLEMENT
#include <sys/resource.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>

#include "sim/sim_world.hpp"

#include <doctest/doctest.h>

namespace {

using Met = std::map<std::string, int>;

std::uint64_t number(const char* text) { return std::strtoull(text, nullptr, 10); }

double cpu_seconds() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
         static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
}

ecp_test::SimOutcome run(std::uint64_t seed) {
  try {
    return ecp_test::run_simulation(seed);
  } catch (const std::exception& broken) {
    return {{std::string("broken off: ") + broken.what()}, {}, {}, {}};
  } catch (...) {  // What a failed REQUIRE throws; doctest has told it.
    return {{"broken off, see above"}, {}, {}, {}};
  }
}

/// True when the seed had nothing wrong, or has the same wrong again.
void tell(std::uint64_t seed, const ecp_test::SimOutcome& outcome) {
  std::printf("seed %llu FAILED:\n", static_cast<unsigned long long>(seed));
  std::printf("  %s\n", outcome.history.substr(0, outcome.history.find('\n')).c_str());
  for (const auto& fault : outcome.faults) std::printf("  %s\n", fault.c_str());
  const bool is_same = run(seed).history == outcome.history;
  std::printf("  run again, its history is %s\n", is_same ? "the same" : "ANOTHER ONE");
  std::printf("  again: make sim SEEDS=1 FIRST=%llu\n", static_cast<unsigned long long>(seed));
}

void tell(std::uint64_t seeds, int failed, const Met& met) {
  const auto seconds = cpu_seconds();
  std::printf("%llu seeds, %d failed, %.3f s of CPU each\n", static_cast<unsigned long long>(seeds),
              failed, seconds / static_cast<double>(seeds));
  for (const auto& [fault, times] : met) std::printf("%9d %s\n", times, fault.c_str());
}

int simulate(std::uint64_t seeds, std::uint64_t first, bool with_history) {
  constexpr std::uint64_t step = 100;
  Met met;
  int failed = 0;
  for (std::uint64_t done = 0; done < seeds; ++done) {
    const auto outcome = run(first + done);
    for (const auto& [fault, times] : outcome.met) met[fault] += times;
    if (with_history) std::printf("%s%s", outcome.history.c_str(), outcome.log.c_str());
    if (!outcome.faults.empty()) {
      ++failed;
      tell(first + done, outcome);
    }
    if ((done + 1) % step == 0) {
      std::printf("%llu of %llu\n", static_cast<unsigned long long>(done + 1),
                  static_cast<unsigned long long>(seeds));
    }
    std::fflush(stdout);
  }
  tell(seeds, failed, met);
  return failed == 0 ? 0 : 1;
}

}  // namespace

int main(int count, char** words) {
  doctest::Context context;
  context.setAsDefaultForAssertsOutOfTestCases();
  context.setAssertHandler([](const doctest::AssertData& data) {
    if (data.m_failed) std::printf("%s:%d: %s\n", data.m_file, data.m_line, data.m_expr);
  });
  const auto seeds = count > 1 ? number(words[1]) : 20;
  const auto first = count > 2 ? number(words[2]) : 1;
  if (seeds == 0 || first == 0) {
    std::printf("usage: %s [SEEDS] [FIRST]\n", words[0]);
    return 2;
  }
  return simulate(seeds, first, std::getenv("ECP_SIM_HISTORY") != nullptr);
}
