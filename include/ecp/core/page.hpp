// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Lists in pages, and revisions of records.

#include <cstdint>
#include <vector>

namespace ecp::inline v0 {

/// Number of a record's version, from 1, raised by every update. An HTTP ETag is its decimal text.
enum class Revision : std::int64_t { none = 0, first = 1 };

[[nodiscard]] constexpr Revision next(Revision revision) noexcept {
  return static_cast<Revision>(static_cast<std::int64_t>(revision) + 1);
}
[[nodiscard]] constexpr std::int64_t to_number(Revision revision) noexcept {
  return static_cast<std::int64_t>(revision);
}

/// Which part of a list: `limit` rows (1..limits::page_size) after skipping `offset`.
struct PageRequest {
  std::int64_t limit = 50;
  std::int64_t offset = 0;
};

/// One part of a list.
template <class T>
struct Page {
  std::vector<T> items;
  std::int64_t total = 0;  ///< All matches, not just this page's.
};

}  // namespace ecp::inline v0
