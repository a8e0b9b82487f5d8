// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/secret.hpp>

#include <sodium.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstring>
#include <new>
#include <utility>

#include <ecp/core/bytes.hpp>

namespace ecp::inline v0 {
namespace {

// Pages of its own: memory is locked and kept out of core dumps by the page, so that a neighbour on
// the same page would be unlocked together with the first secret that goes.
std::size_t whole_pages(std::size_t size) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  return (size + page - 1) / page * page;
}

}  // namespace

Secret::Secret() noexcept : data_(nullptr), size_(0) {}

Secret::Secret(std::string_view text) : data_(nullptr), size_(text.size()) {
  if (text.empty()) return;
  const std::size_t size = whole_pages(size_);
  void* memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  // Both are best effort: the limit on locked memory may be small, and an unlocked secret works.
  (void)madvise(memory, size, MADV_DONTDUMP);
  (void)mlock(memory, size);
  data_ = static_cast<char*>(memory);
  std::memcpy(data_, text.data(), size_);
}

Secret::~Secret() {
  if (!data_) return;
  sodium_memzero(data_, size_);
  munmap(data_, whole_pages(size_));
}

Secret::Secret(Secret&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
  // The former content goes with `other`, which the caller has given up.
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

bool Secret::equals(std::string_view other) const noexcept {
  return equal_constant_time(view(), other);
}

}  // namespace ecp::inline v0
