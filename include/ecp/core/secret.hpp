// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Text that must not be left lying about in memory.

#include <cstddef>
#include <string_view>

#include <ecp/core/export.hpp>

namespace ecp::inline v0 {

/// A password, key or token. Move-only; its memory is locked where possible and wiped at the end.
///
/// There is no operator== and no formatter on purpose: compare with `equals`, which takes the same
/// time wherever the difference is, and write `view()` only where the secret is meant to go.
class ECP_EXPORT Secret {
 public:
  Secret() noexcept;
  explicit Secret(std::string_view text);
  ~Secret();
  Secret(Secret&& other) noexcept;
  Secret& operator=(Secret&& other) noexcept;
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;

  [[nodiscard]] std::string_view view() const noexcept { return {data_, size_}; }
  [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
  [[nodiscard]] bool equals(std::string_view other) const noexcept;
  /// Make a second one, visibly.
  [[nodiscard]] Secret clone() const { return Secret(view()); }

 private:
  char* data_;
  std::size_t size_;
};

}  // namespace ecp::inline v0
