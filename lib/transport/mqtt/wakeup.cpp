// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/wakeup.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <array>
#include <cstdint>

#include <ecp/core/reasons.hpp>

namespace ecp::inline v0::transport {

Wakeup::~Wakeup() {
  if (event_ >= 0) ::close(event_);
}

Result<void> Wakeup::open() {
  event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (event_ < 0) return Error(ecp::reasons::unavailable, {{"what", "an eventfd"}});
  return {};
}

void Wakeup::wake() noexcept {
  const std::uint64_t one = 1;
  // A full counter wakes as well, so the outcome of the write does not matter.
  [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

short Wakeup::wait(int descriptor, short events, int timeout_ms) const noexcept {
  std::array<pollfd, 2> descriptors{{{event_, POLLIN, 0}, {descriptor, events, 0}}};
  ::poll(descriptors.data(), descriptor < 0 ? 1 : 2, timeout_ms);
  if (descriptors[0].revents != 0) {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto size = ::read(event_, &count, sizeof count);
  }
  return descriptors[1].revents;
}

}  // namespace ecp::inline v0::transport
