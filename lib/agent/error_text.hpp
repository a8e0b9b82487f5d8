// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// An error as results and events tell it: the reason's symbol, then its text.

#include <string>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::agent {

[[nodiscard]] inline std::string text_of(const Error& error) {
  return std::string(error.reason->symbol) + ": " + error.message();
}

}  // namespace ecp::inline v0::agent
