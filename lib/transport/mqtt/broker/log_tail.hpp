// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Brings what the broker writes into our log.

#include <cstdint>
#include <string>

#include <ecp/core/log.hpp>

namespace ecp::inline v0::transport::broker {

/// Follows a file that another process appends to; empties it when it has grown large.
///
/// Thread safety: none.
class LogTail final {
 public:
  /// Begins at the file's present end.
  LogTail(std::string path, LogSink& log);
  /// Pass on the lines that came since the last call.
  void pump();
  /// The last line that was an error; for a start that failed.
  [[nodiscard]] const std::string& last_error() const noexcept { return last_error_; }
  void forget_error() { last_error_.clear(); }

 private:
  void pass_on(std::string_view line);

  const std::string path_;
  LogSink& log_;
  std::int64_t offset_ = 0;
  std::string rest_;
  std::string last_error_;
};

}  // namespace ecp::inline v0::transport::broker
