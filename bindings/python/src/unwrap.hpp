// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The only place where a Result becomes a value, or is thrown.

#include <exception>
#include <string>
#include <utility>

#include <ecp/core/result.hpp>

namespace ecp_python {

/// What a failed Result is thrown as. Knows nothing of Python, so that it may be thrown while the
/// interpreter's lock is released; bind_core.cpp translates it into ecp.Error.
class Failure final : public std::exception {
 public:
  explicit Failure(ecp::Error error) : error_(std::move(error)), text_(error_.describe()) {}
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }
  [[nodiscard]] const ecp::Error& error() const noexcept { return error_; }

 private:
  ecp::Error error_;
  std::string text_;
};

template <class T>
T unwrap(ecp::Result<T> result) {
  if (!result) throw Failure(std::move(result).error());
  return std::move(result).value();
}

inline void unwrap(ecp::Result<void> result) {
  if (!result) throw Failure(std::move(result).error());
}

}  // namespace ecp_python
