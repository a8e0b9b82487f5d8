// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>
#include <vector>

#include <ecp/core/executor.hpp>

#include "core/thread.hpp"

namespace ecp::inline v0 {

Workers::~Workers() = default;

struct WorkerPool::State {
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Task> queue;
  bool stopping = false;
  std::vector<std::unique_ptr<Thread>> threads;

  void run() {
    while (true) {
      Task task;
      {
        std::unique_lock lock(mutex);
        wake.wait(lock, [this] { return stopping || !queue.empty(); });
        if (queue.empty()) return;
        task = std::move(queue.front());
        queue.pop_front();
      }
      task();
    }
  }
};

WorkerPool::WorkerPool(unsigned count, const char* thread_name)
    : state_(std::make_unique<State>()) {
  for (unsigned i = 0; i < std::max(count, 1U); ++i) {
    state_->threads.push_back(
        std::make_unique<Thread>(thread_name, [state = state_.get()] { state->run(); }));
  }
}

WorkerPool::~WorkerPool() { stop(); }

void WorkerPool::post(Task task) {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->stopping) return;
    state_->queue.push_back(std::move(task));
  }
  state_->wake.notify_one();
}

void WorkerPool::stop() noexcept {
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
  }
  state_->wake.notify_all();
  for (auto& thread : state_->threads) thread->join();
}

}  // namespace ecp::inline v0
