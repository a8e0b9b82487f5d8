// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The single writer of a database that has room for one: groups units into one commit.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/sql/driver.hpp>

namespace ecp::inline v0::storage {

using Wakes = std::vector<std::function<void()>>;
/// Runs one unit on a connection and hands out what it wants woken after its commit.
using UnitBody = std::function<Result<void>(sql::Connection&, Wakes&)>;

/// One thread that runs queued units in one transaction, each in a savepoint: at most 200 units or
/// 5 ms of work, never waiting for more. Outcomes are told after the commit.
///
/// Thread safety: any thread.
class GroupWriter {
 public:
  using Done = std::function<void(Result<void>)>;

  GroupWriter(sql::Driver& driver, std::unique_ptr<sql::Connection> connection, const Clock& clock);
  ~GroupWriter();
  GroupWriter(const GroupWriter&) = delete;
  GroupWriter& operator=(const GroupWriter&) = delete;

  /// `done` is called once, on the writer's thread, or here with `cancelled` after close.
  void submit(UnitBody unit, Done done);
  /// Run what is queued, then stop the thread.
  void close() noexcept;

 private:
  struct Job {
    UnitBody unit;
    Done done;
    Wakes wakes = {};
    Result<void> outcome = {};
  };
  void work();
  std::optional<Job> take();
  Result<void> begin();
  Result<void> run_group(std::vector<Job>& group);
  void run_alone(Job job);
  Result<void> run_in_savepoint(Job& job);
  void answer(std::vector<Job>& group, const Result<void>& committed);
  void refuse_all(const Error& why);

  sql::Driver& driver_;
  std::unique_ptr<sql::Connection> connection_;
  const Clock& clock_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Job> queue_;
  bool closed_ = false;
  std::thread thread_;
};

}  // namespace ecp::inline v0::storage
