// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One broker process, ours or adopted, watched through a pidfd.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ecp/core/result.hpp>

namespace ecp::inline v0::transport::broker {

/// What tells a process apart from a later one of the same number.
struct ProcessIdentity {
  int pid = 0;
  std::string started;  ///< Boot id and start time in clock ticks since that boot.
};

/// A running process and its pidfd.
///
/// Ownership: owns the descriptor, not the process, which goes on when this is destroyed.
/// Thread safety: none.
class Process final {
 public:
  struct Options {
    std::string program;
    std::vector<std::string> arguments;
    std::string output_path;  ///< Its standard output and error are appended here.
    std::uint64_t descriptors = 0;
  };
  /// Start a program in a process group of its own, with default signals and no descriptor of ours.
  static Result<Process> spawn(const Options& options);
  /// Take hold of a process that was started before; none when it is gone.
  static std::optional<Process> adopt(const ProcessIdentity& identity);

  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  [[nodiscard]] const ProcessIdentity& identity() const noexcept { return identity_; }
  /// True when it has ended by now, or ends within the wait.
  [[nodiscard]] bool has_ended(int wait_ms) const;
  void signal(int number) const;
  /// SIGTERM, after 5 s SIGKILL; returns when it is gone.
  void end() const;

 private:
  Process(ProcessIdentity identity, int descriptor, bool is_child)
      : identity_(std::move(identity)), descriptor_(descriptor), is_child_(is_child) {}
  ProcessIdentity identity_;
  int descriptor_ = -1;
  bool is_child_ = false;
};

}  // namespace ecp::inline v0::transport::broker
