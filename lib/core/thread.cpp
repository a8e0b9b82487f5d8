// SPDX-License-Identifier: Apache-2.0
#include "core/thread.hpp"

#include <cassert>
#include <csignal>
#include <cstddef>
#include <new>
#include <utility>

namespace ecp::inline v0 {
namespace {

// What the deepest path (SQL in a worker, TLS in a client) needs, several times over; sanitizers
// make frames larger.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t stack_size = std::size_t{2048} * 1024;
#else
constexpr std::size_t stack_size = std::size_t{512} * 1024;
#endif

extern "C" void* ecp_thread_entry(void* argument) {
  const std::unique_ptr<std::function<void()>> body(static_cast<std::function<void()>*>(argument));
  (*body)();
  return nullptr;
}

}  // namespace

Thread::Thread(const char* name, std::function<void()> body) {
  auto argument = std::make_unique<std::function<void()>>(std::move(body));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_size);
  // The new thread inherits the mask, so there is no instant at which it could take a signal.
  sigset_t all;
  sigset_t former;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &former);
  const int outcome = pthread_create(&handle_, &attributes, ecp_thread_entry, argument.get());
  pthread_sigmask(SIG_SETMASK, &former, nullptr);
  pthread_attr_destroy(&attributes);
  if (outcome != 0) throw std::bad_alloc();
  (void)argument.release();  // The thread has it now.
  pthread_setname_np(handle_, name);
}

Thread::~Thread() { assert(is_joined_); }

void Thread::join() noexcept {
  if (is_joined_ || is_current()) return;
  pthread_join(handle_, nullptr);
  is_joined_ = true;
}

bool Thread::is_current() const noexcept { return pthread_equal(handle_, pthread_self()) != 0; }

}  // namespace ecp::inline v0
