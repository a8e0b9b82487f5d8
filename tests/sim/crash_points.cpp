// SPDX-License-Identifier: Apache-2.0
#include "sim/crash_points.hpp"

#include <utility>

#include "core/crash_point.hpp"

namespace ecp_test {
namespace {

std::function<void(const char*)>& listener() {
  static std::function<void(const char*)> passed;
  return passed;
}

}  // namespace

void on_crash_point(std::function<void(const char* point)> passed) {
  listener() = std::move(passed);
}

}  // namespace ecp_test

namespace ecp::inline v0 {

void crash_at(const char* point) noexcept {
  if (ecp_test::listener()) ecp_test::listener()(point);
}

}  // namespace ecp::inline v0
