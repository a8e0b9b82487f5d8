// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A disk under SQLite that forgets at a power cut what was not synced, and fails when told to.

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include <ecp/core/random.hpp>

#include <doctest/doctest.h>

namespace ecp_test {

/// SQLite's VFS of this process while it lives, over the system's own: what runs sees every write
/// at once, but only a sync makes it stay. That a file exists or was removed stays at once.
///
/// Thread safety: any thread, except `power_cut` and `restore`.
class LossyDisk {
 public:
  LossyDisk();
  ~LossyDisk();
  LossyDisk(const LossyDisk&) = delete;
  LossyDisk& operator=(const LossyDisk&) = delete;

  enum class Fault : std::uint8_t {
    io_error,  ///< The access fails once, as on a bad disk.
    full,      ///< The write fails once with "disk full"; other accesses do not count.
    cut,       ///< The power goes: this change and all after it fail.
  };
  /// The n-th access from now on (from 1) meets the fault; reads count for `io_error` alone.
  void fail_at(std::int64_t number, Fault fault);
  /// Expect no fault any more; true when it was met.
  bool end_fault();

  /// Let the power go now: from here on nothing reaches the files below a folder; "": any file.
  void power_cut(const std::string& folder = {});
  /// While it is full, no file below the folder grows.
  void set_full(const std::string& folder, bool is_full);

  /// What the disk held of writes that were not synced when the power went.
  enum class Unsynced : std::uint8_t { nothing, everything, some_sectors };
  /// Bring the power back. All databases below the folder are closed. `chance` picks the sectors.
  void restore(Unsynced unsynced, ecp::Random& chance, const std::string& folder = {});
  /// A closed file was replaced behind SQLite's back: what the disk holds is what it has now.
  void forget(const std::string& path);

  struct State;

 private:
  std::unique_ptr<State> state_;
};

/// Let access 1, 2, ... of an act meet a fault, until the act has no such access any more, which
/// `meets(number)` tells by false. More than `least` - 1 were met, and `bound` was not reached.
template <class Meets>
void at_every_access(std::int64_t bound, std::int64_t least, const Meets& meets) {
  std::int64_t number = 1;
  while (number < bound && meets(number)) ++number;
  CHECK(number > least);
  CHECK(number < bound);
}

/// All tables of a database with all their rows, as text.
[[nodiscard]] std::string content_of(const std::string& path);

/// How many rows each table of a database has.
[[nodiscard]] std::map<std::string, std::int64_t> rows_of_tables(const std::string& path);

/// What SQLite's own check says; "ok" when the file is whole.
[[nodiscard]] std::string integrity_of(const std::string& path);

}  // namespace ecp_test
