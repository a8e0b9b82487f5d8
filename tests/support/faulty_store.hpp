// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A store that fails when told to, around a real one.

#include <atomic>
#include <functional>
#include <utility>

#include <ecp/storage/reasons.hpp>
#include <ecp/storage/store.hpp>

namespace ecp_test {

/// Runs everything on the real store but the faults asked for. Does not close the real store.
class FaultyStore final : public ecp::storage::Store {
 public:
  using Unit = std::function<ecp::Result<void>(ecp::storage::Transaction&)>;

  explicit FaultyStore(ecp::storage::Store& real) : real_(real) {}

  /// The next write that would commit is rolled back and fails with `unavailable`.
  void fail_next_commit() { fail_commit_ = true; }
  /// The write after the next one is rolled back likewise.
  void fail_second_commit() { skip_then_fail_ = true; }
  /// The next write commits, but its caller hears `unavailable` (storage.commit_unknown).
  void lose_next_answer() { lose_answer_ = true; }

  void async_write(Unit unit, std::function<void(ecp::Result<void>)> handler) override {
    real_.async_write(
        [this, unit = std::move(unit)](ecp::storage::Transaction& transaction) {
          return run(unit, transaction);
        },
        [this, handler = std::move(handler)](ecp::Result<void> outcome) {
          handler(answer(std::move(outcome)));
        });
  }
  void close() noexcept override {}

 protected:
  ecp::Result<void> run_write(const Unit& unit) override {
    return answer(real_.write(
        [&](ecp::storage::Transaction& transaction) { return run(unit, transaction); }));
  }
  ecp::Result<void> run_read(const Unit& unit) override {
    return real_.read([&](ecp::storage::Transaction& transaction) { return unit(transaction); });
  }

 private:
  ecp::Result<void> run(const Unit& unit, ecp::storage::Transaction& transaction) {
    auto outcome = unit(transaction);
    if (outcome && fail_commit_.exchange(false)) return fault("a commit failed by the test");
    if (outcome && skip_then_fail_.exchange(false)) fail_commit_ = true;
    return outcome;
  }
  ecp::Result<void> answer(ecp::Result<void> outcome) {
    if (outcome && lose_answer_.exchange(false)) {
      return ecp::storage::reasons::commit_unknown;
    }
    return outcome;
  }
  static ecp::Error fault(const char* problem) {
    return ecp::Error(ecp::storage::reasons::unavailable, {{"problem", problem}});
  }

  ecp::storage::Store& real_;
  std::atomic<bool> fail_commit_ = false;
  std::atomic<bool> skip_then_fail_ = false;
  std::atomic<bool> lose_answer_ = false;
};

}  // namespace ecp_test
