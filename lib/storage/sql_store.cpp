// SPDX-License-Identifier: Apache-2.0
#include "storage/sql_store.hpp"

#include <cassert>
#include <future>

#include <ecp/storage/reasons.hpp>

#include "storage/unit_scope.hpp"

namespace ecp::inline v0::storage {
namespace {

constexpr int most_attempts = 20;
/// How long a unit waits for a database that went away.
constexpr auto reconnect_patience = std::chrono::seconds(5);

void run_wakes(const Wakes& wakes) {
  const UnitScope scope;
  for (const auto& wake : wakes) wake();
}

}  // namespace

/// What came of running a unit once.
struct SqlStore::Attempt {
  Result<void> outcome;
  enum class Next { stop, after_conflict, after_reconnect } next = Next::stop;
};

/// Units of async_write that wait for a worker, where there is no writer thread.
class SqlStore::AsyncQueue {
 public:
  struct Job {
    ErasedUnit unit;
    std::function<void(Result<void>)> handler;
  };
  explicit AsyncQueue(SqlStore& store) : store_(store) {}

  bool push(Job job) {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    jobs_.push_back(std::move(job));
    return true;
  }

  /// Run the oldest unit, if any is left, and give its outcome to `tell`.
  template <class Tell>
  bool run_one(Tell tell) {
    std::unique_lock lock(mutex_);
    if (jobs_.empty()) return false;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    ++running_;
    lock.unlock();
    auto outcome = store_.write_now(job.unit);
    lock.lock();
    --running_;
    changed_.notify_all();
    lock.unlock();
    tell(std::move(job.handler), std::move(outcome));
    return true;
  }

  /// Refuse new units, run the queued ones here and wait for those that run elsewhere.
  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    const auto tell = [this](auto handler, auto outcome) {
      store_.env_.workers.post([handler = std::move(handler), outcome] { handler(outcome); });
    };
    while (run_one(tell)) {
    }
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return running_ == 0; });
  }

 private:
  SqlStore& store_;  ///< Not touched after close.
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> jobs_;
  int running_ = 0;
  bool closed_ = false;
};

SqlStore::SqlStore(std::unique_ptr<sql::Driver> driver, std::unique_ptr<sql::Connection> connection,
                   std::span<const StoreModule* const> modules, const Env& env)
    : env_(env),
      driver_(std::move(driver)),
      pool_(*driver_, driver_->pool_size()),
      async_(std::make_shared<AsyncQueue>(*this)) {
  for (const auto* module : modules) {
    for (const auto& factory : module->factories) {
      [[maybe_unused]] const bool added = factories_.emplace(factory.store_name, factory).second;
      assert(added && "two modules have a store of the same name");
    }
  }
  switch (driver_->write_model()) {
    case sql::WriteModel::single_writer:
      writer_ = std::make_unique<GroupWriter>(*driver_, std::move(connection), env_.clock);
      break;
    case sql::WriteModel::in_caller:
      caller_connection_ = std::move(connection);
      break;
    case sql::WriteModel::concurrent:
      pool_.add(std::move(connection));
      break;
  }
}

SqlStore::~SqlStore() { close(); }

void SqlStore::close() noexcept {
  closed_ = true;
  std::call_once(close_once_, [this] {
    async_->close();
    if (writer_) writer_->close();
    pool_.close();
    const std::lock_guard lock(caller_mutex_);
    caller_connection_.reset();
  });
}

Result<void> SqlStore::run_write(const ErasedUnit& unit) {
  assert(!UnitScope::active() && "a unit never calls a store");
  if (UnitScope::active()) return reasons::nested_unit;
  if (closed_) return reasons::closed;
  return write_now(unit);
}

Result<void> SqlStore::run_read(const ErasedUnit& unit) {
  assert(!UnitScope::active() && "a unit never calls a store");
  if (UnitScope::active()) return reasons::nested_unit;
  if (closed_) return reasons::closed;
  return run_pooled(unit, false);
}

void SqlStore::async_write(std::function<Result<void>(Transaction&)> unit,
                           std::function<void(Result<void>)> handler) {
  if (writer_) {
    writer_->submit(
        [this, unit = std::move(unit)](sql::Connection& connection, Wakes& wakes) {
          return run_unit(connection, unit, true, wakes);
        },
        [workers = &env_.workers, handler = std::move(handler)](Result<void> outcome) {
          workers->post([handler, outcome = std::move(outcome)] { handler(outcome); });
        });
    return;
  }
  if (!async_->push({std::move(unit), handler})) {
    env_.workers.post([handler = std::move(handler)] { handler(reasons::closed); });
    return;
  }
  env_.workers.post([queue = async_] {
    queue->run_one([](auto tell, auto outcome) { tell(std::move(outcome)); });
  });
}

Result<void> SqlStore::write_now(const ErasedUnit& unit) {
  switch (driver_->write_model()) {
    case sql::WriteModel::single_writer:
      return write_grouped(unit);
    case sql::WriteModel::in_caller:
      return write_in_caller(unit);
    case sql::WriteModel::concurrent:
      break;
  }
  return run_pooled(unit, true);
}

Result<void> SqlStore::write_grouped(const ErasedUnit& unit) {
  // Shared: the writer may still be inside set_value when the outcome has arrived here.
  auto promise = std::make_shared<std::promise<Result<void>>>();
  auto outcome = promise->get_future();
  writer_->submit([this, &unit](sql::Connection& connection,
                                Wakes& wakes) { return run_unit(connection, unit, true, wakes); },
                  [promise](Result<void> result) { promise->set_value(std::move(result)); });
  return outcome.get();
}

Result<void> SqlStore::write_in_caller(const ErasedUnit& unit) {
  const std::lock_guard lock(caller_mutex_);
  if (!caller_connection_) return reasons::closed;
  return run_once(*caller_connection_, unit, true).outcome;
}

Result<void> SqlStore::run_pooled(const ErasedUnit& unit, bool writes) {
  const auto give_up = env_.clock.steady() + reconnect_patience;
  for (int number = 1;; ++number) {
    auto tried = attempt(unit, writes);
    if (tried.next == Attempt::Next::stop || number == most_attempts) return tried.outcome;
    if (env_.clock.steady() >= give_up) return tried.outcome;
    // The longest pause doubles from 2 ms to 256 ms; the first reconnect does not wait.
    const auto bound = std::uint64_t{2} << std::min(number - 1, 7);
    auto pause = Milliseconds(static_cast<std::int64_t>(env_.random.below(bound)));
    if (tried.next == Attempt::Next::after_reconnect) {
      pool_.drop_idle();
      if (number > 1) pause += Milliseconds(250);
    }
    if (!pool_.pause(pause)) return reasons::closed;
  }
}

SqlStore::Attempt SqlStore::attempt(const ErasedUnit& unit, bool writes) {
  auto connection = pool_.acquire();
  if (!connection) {
    const bool away = connection.error().is(reasons::unavailable);
    return {std::move(connection).error(),
            away ? Attempt::Next::after_reconnect : Attempt::Next::stop};
  }
  return run_once(**connection, unit, writes);
}

SqlStore::Attempt SqlStore::run_once(sql::Connection& connection, const ErasedUnit& unit,
                                     bool writes) {
  Wakes wakes;
  auto outcome = connection.begin(writes);
  if (outcome) outcome = run_unit(connection, unit, writes, wakes);
  if (outcome) outcome = connection.commit();
  if (outcome) {
    run_wakes(wakes);
    return {};
  }
  auto next = Attempt::Next::stop;
  if (outcome.error().is(reasons::commit_unknown)) {
    // Running it again could make the change twice.
  } else if (connection.needs_retry()) {
    next = Attempt::Next::after_conflict;
  } else if (connection.is_broken()) {
    next = Attempt::Next::after_reconnect;
  }
  connection.rollback();
  return {std::move(outcome), next};
}

Result<void> SqlStore::run_unit(sql::Connection& connection, const ErasedUnit& unit, bool writes,
                                Wakes& wakes) {
  const UnitScope scope;
  Transaction transaction(connection, factories_, writes);
  auto outcome = unit(transaction);
  wakes = std::move(transaction.after_commit_);
  return outcome;
}

}  // namespace ecp::inline v0::storage
