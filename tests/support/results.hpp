// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Results in tests: their values, or a failed test that tells the error.

#include <string_view>
#include <utility>

#include <ecp/core/result.hpp>

#include <doctest/doctest.h>

namespace ecp_test {

/// The value of a result that must have one; the test ends here when it has not.
template <class T>
T must(ecp::Result<T> result) {
  if (!result) FAIL(result.error().describe());
  return std::move(result).value();
}

/// The symbol of a failure's reason, "success" when there is none.
template <class T>
std::string_view failure(const ecp::Result<T>& result) {
  return result ? "success" : result.error().reason->symbol;
}

}  // namespace ecp_test
