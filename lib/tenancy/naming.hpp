// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Checks of names; private to tenancy.

#include <cstddef>
#include <string_view>

#include <ecp/core/bytes.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/core/result.hpp>
#include <ecp/tenancy/registries.hpp>

namespace ecp::inline v0::tenancy {

inline std::size_t characters(std::string_view text) {
  std::size_t count = 0;
  for (const char octet : text) count += (static_cast<unsigned char>(octet) & 0xc0U) != 0x80U;
  return count;
}

inline Result<void> check_naming(const Naming& naming) {
  const auto length = characters(naming.name);
  const auto& name = naming.name;
  if (length == 0 || length > limits::name_length || !is_clean_utf8(name) || name.front() == ' ' ||
      name.back() == ' ') {
    return Error(ecp::reasons::bad_field,
                 {{"field", "name"},
                  {"problem", "must be 1 to 50 characters without a space at either end"}});
  }
  if (characters(naming.description) > limits::description_length ||
      !is_clean_utf8(naming.description)) {
    return Error(ecp::reasons::bad_field,
                 {{"field", "description"}, {"problem", "must be at most 500 characters"}});
  }
  return {};
}

}  // namespace ecp::inline v0::tenancy
