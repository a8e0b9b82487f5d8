// SPDX-License-Identifier: Apache-2.0
#include "storage/connection_pool.hpp"

#include <algorithm>

#include <ecp/storage/reasons.hpp>

namespace ecp::inline v0::storage {
namespace {

/// How long a caller waits for others to give a connection back.
constexpr auto longest_wait = std::chrono::seconds(30);

}  // namespace

PooledConnection::~PooledConnection() {
  if (connection_) pool_->give_back(std::move(connection_));
}

ConnectionPool::ConnectionPool(sql::Driver& driver, unsigned most)
    : driver_(driver), most_(std::max(most, 1U)) {
  idle_.reserve(most_);
}

Result<PooledConnection> ConnectionPool::acquire() {
  {
    std::unique_lock lock(mutex_);
    const auto free = [this] { return closed_ || in_use_ < most_; };
    if (!changed_.wait_for(lock, longest_wait, free)) return reasons::busy;
    if (closed_) return reasons::closed;
    ++in_use_;
    if (!idle_.empty()) {
      auto connection = std::move(idle_.back());
      idle_.pop_back();
      return PooledConnection(*this, std::move(connection));
    }
  }
  auto connection = driver_.connect();
  if (connection) return PooledConnection(*this, std::move(*connection));
  give_back(nullptr);
  return std::move(connection).error();
}

void ConnectionPool::give_back(std::unique_ptr<sql::Connection> connection) noexcept {
  if (connection && connection->is_broken()) connection.reset();
  const std::lock_guard lock(mutex_);
  --in_use_;
  if (connection) idle_.push_back(std::move(connection));
  changed_.notify_all();
}

void ConnectionPool::add(std::unique_ptr<sql::Connection> connection) {
  const std::lock_guard lock(mutex_);
  idle_.push_back(std::move(connection));
}

void ConnectionPool::drop_idle() {
  std::vector<std::unique_ptr<sql::Connection>> dropped;
  const std::lock_guard lock(mutex_);
  dropped.swap(idle_);
  idle_.reserve(most_);
}

bool ConnectionPool::pause(Milliseconds duration) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, duration, [this] { return closed_; });
}

void ConnectionPool::close() noexcept {
  std::unique_lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
  changed_.wait(lock, [this] { return in_use_ == 0; });
  idle_.clear();
}

}  // namespace ecp::inline v0::storage
