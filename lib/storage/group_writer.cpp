// SPDX-License-Identifier: Apache-2.0
#include "storage/group_writer.hpp"

#include <pthread.h>
#include <csignal>

#include <ecp/storage/reasons.hpp>

#include "storage/unit_scope.hpp"

namespace ecp::inline v0::storage {
namespace {

constexpr std::size_t most_units = 200;
constexpr auto most_work = Milliseconds(5);

/// Start a thread that blocks all signals: they belong to the program, not to us.
template <class Work>
std::thread start_quiet_thread(Work work) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  std::thread thread(std::move(work));
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_setname_np(thread.native_handle(), "ecp-store");
  return thread;
}

}  // namespace

GroupWriter::GroupWriter(sql::Driver& driver, std::unique_ptr<sql::Connection> connection,
                         const Clock& clock)
    : driver_(driver), connection_(std::move(connection)), clock_(clock) {
  thread_ = start_quiet_thread([this] { work(); });
}

GroupWriter::~GroupWriter() { close(); }

void GroupWriter::submit(UnitBody unit, Done done) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_) {
      queue_.push_back({std::move(unit), std::move(done)});
      changed_.notify_one();
      return;
    }
  }
  done(reasons::closed);
}

void GroupWriter::close() noexcept {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  connection_.reset();
}

void GroupWriter::work() {
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return closed_ || !queue_.empty(); });
      if (queue_.empty()) return;
    }
    if (auto begun = begin(); !begun) {
      refuse_all(begun.error());
      continue;
    }
    std::vector<Job> group;
    auto committed = run_group(group);
    if (!committed) connection_->rollback();
    if (committed || group.size() == 1) {
      answer(group, committed);
    } else {
      // One unit (that fills the disk, say) must not take the others along.
      for (auto& job : group) run_alone(std::move(job));
    }
  }
}

Result<void> GroupWriter::begin() {
  if (!connection_ || connection_->is_broken()) {
    ECP_TRY(connection_, driver_.connect());
  }
  return connection_->begin(true);
}

/// Run the units that are queued now and commit them; an error has undone all of them.
Result<void> GroupWriter::run_group(std::vector<Job>& group) {
  const auto until = clock_.steady() + most_work;
  while (group.size() < most_units && (group.empty() || clock_.steady() < until)) {
    auto job = take();
    if (!job) break;
    group.push_back(std::move(*job));
    ECP_TRY_VOID(run_in_savepoint(group.back()));
  }
  return connection_->commit();
}

void GroupWriter::run_alone(Job job) {
  job.outcome = {};
  std::vector<Job> group;
  group.push_back(std::move(job));
  auto committed = begin();
  if (committed) committed = run_in_savepoint(group.back());
  if (committed) committed = connection_->commit();
  if (!committed && connection_) connection_->rollback();
  answer(group, committed);
}

/// An error here is the end of the whole group, one of the unit is in its job's outcome.
Result<void> GroupWriter::run_in_savepoint(Job& job) {
  job.wakes.clear();
  job.outcome = {};
  ECP_TRY_VOID(connection_->savepoint());
  job.outcome = job.unit(*connection_, job.wakes);
  if (job.outcome) job.outcome = connection_->release_savepoint();
  if (!job.outcome) connection_->rollback_to_savepoint();
  return {};
}

void GroupWriter::answer(std::vector<Job>& group, const Result<void>& committed) {
  const UnitScope scope;
  for (auto& job : group) {
    if (!committed && job.outcome) job.outcome = committed;
    if (!job.outcome) continue;
    for (const auto& wake : job.wakes) wake();
  }
  for (auto& job : group) {
    job.unit = nullptr;
    job.done(std::move(job.outcome));
  }
}

std::optional<GroupWriter::Job> GroupWriter::take() {
  const std::lock_guard lock(mutex_);
  if (queue_.empty()) return std::nullopt;
  auto job = std::move(queue_.front());
  queue_.pop_front();
  return job;
}

void GroupWriter::refuse_all(const Error& why) {
  std::deque<Job> refused;
  {
    const std::lock_guard lock(mutex_);
    refused.swap(queue_);
  }
  for (auto& job : refused) job.done(why);
}

}  // namespace ecp::inline v0::storage
