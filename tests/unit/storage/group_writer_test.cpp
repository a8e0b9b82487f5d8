// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <future>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/storage/sqlite.hpp>

#include "support/backends.hpp"
#include "support/probe.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
namespace sql = storage::sql;

/// Counts the commits of a real connection; also shows what an OEM's driver has to bring.
class CountingConnection final : public sql::Connection {
 public:
  CountingConnection(std::unique_ptr<sql::Connection> real, std::atomic<int>& commits)
      : real_(std::move(real)), commits_(commits) {}
  Result<sql::Statement*> prepare(std::string_view text) override { return real_->prepare(text); }
  Result<void> execute(std::string_view script) override { return real_->execute(script); }
  Result<void> begin(bool writes) override { return real_->begin(writes); }
  Result<void> commit() override {
    ++commits_;
    return real_->commit();
  }
  void rollback() noexcept override { real_->rollback(); }
  Result<void> savepoint() override { return real_->savepoint(); }
  Result<void> release_savepoint() override { return real_->release_savepoint(); }
  void rollback_to_savepoint() noexcept override { real_->rollback_to_savepoint(); }
  Result<Time> database_time() override { return real_->database_time(); }
  [[nodiscard]] bool is_broken() const noexcept override { return real_->is_broken(); }

 private:
  std::unique_ptr<sql::Connection> real_;
  std::atomic<int>& commits_;
};

class CountingDriver final : public sql::Driver {
 public:
  CountingDriver(std::unique_ptr<sql::Driver> real, std::atomic<int>& commits)
      : real_(std::move(real)), commits_(commits) {}
  Result<std::unique_ptr<sql::Connection>> connect() override {
    auto connection = real_->connect();
    if (!connection) return std::move(connection).error();
    return std::make_unique<CountingConnection>(std::move(*connection), commits_);
  }
  [[nodiscard]] sql::WriteModel write_model() const noexcept override {
    return real_->write_model();
  }
  [[nodiscard]] std::string_view name() const noexcept override { return "counting"; }

 private:
  std::unique_ptr<sql::Driver> real_;
  std::atomic<int>& commits_;
};

/// Queue units behind one that waits until all are queued; return the commits that they took.
/// `each` runs in every unit.
int commits_of(int units, const std::function<void(ManualClock&)>& each) {
  ManualEnv still;
  MemoryLog log;
  RealEnv threads(log, 1);
  const auto real = threads.env();
  const Env env{still.clock,  real.random, real.ids,   real.executor,
                real.workers, real.log,    real.limits};
  std::atomic<int> commits = 0;
  storage::SqliteOptions options;
  options.path = SqliteBackend::new_path();
  auto driver = std::make_unique<CountingDriver>(must(storage::sqlite_driver(options)), commits);
  auto store = must(storage::open_store(std::move(driver), probe_modules, env));
  commits = 0;
  std::promise<void> queued;
  std::atomic<int> good = 0;
  for (int number = 0; number < units; ++number) {
    store->async_write(
        [&, number](Transaction& t) -> Result<void> {
          if (number == 0) queued.get_future().wait();
          each(still.clock);
          return put(t, std::to_string(number), number);
        },
        [&](const Result<void>& outcome) { good += outcome ? 1 : 0; });
  }
  queued.set_value();
  store->close();
  threads.stop();
  CHECK(good == units);
  return commits;
}

TEST_SUITE("storage.GroupWriter") {
  TEST_CASE("Units that wait together share a commit, at most 200 of them") {
    CHECK(commits_of(200, [](ManualClock&) {}) == 1);
    CHECK(commits_of(201, [](ManualClock&) {}) == 2);
  }

  TEST_CASE("A group ends after 5 ms of work") {
    CHECK(commits_of(10, [](ManualClock& clock) { clock.advance(Milliseconds(5)); }) == 10);
    CHECK(commits_of(10, [](ManualClock& clock) { clock.advance(Milliseconds(3)); }) == 5);
  }

  TEST_CASE("In the simulation async_write runs on the manual workers, not before") {
    ManualEnv world;
    auto store = must(MemoryBackend::open(probe_modules, world.env()));
    bool done = false;
    store->async_write([](Transaction& t) { return put(t, "x", 1); },
                       [&](const Result<void>& outcome) {
                         must(outcome);
                         done = true;
                       });
    CHECK_FALSE(done);
    CHECK(count(*store) == 0);
    world.executor.run_ready();
    CHECK(done);
    CHECK(count(*store) == 1);
  }
}

}  // namespace
}  // namespace ecp_test
