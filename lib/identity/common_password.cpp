// SPDX-License-Identifier: Apache-2.0
#include <ecp/identity/password.hpp>

namespace ecp::inline v0::identity {

// The list of data/common_passwords.txt: words sorted by octets, each followed by a line end.
extern const unsigned char common_passwords[];
extern const unsigned common_passwords_size;

bool is_common_password(std::string_view lower_case) noexcept {
  const std::string_view list(reinterpret_cast<const char*>(common_passwords),
                              common_passwords_size);
  std::size_t low = 0;             // Both are beginnings of lines.
  std::size_t high = list.size();  // One past the last candidate.
  while (low < high) {
    const auto middle = low + (high - low) / 2;
    const auto before = middle == 0 ? std::string_view::npos : list.rfind('\n', middle - 1);
    const auto begin = before == std::string_view::npos || before < low ? low : before + 1;
    const auto end = list.find('\n', begin);
    const auto word = list.substr(begin, end - begin);
    if (word == lower_case) return true;
    if (word < lower_case) {
      low = end + 1;
    } else {
      high = begin;
    }
  }
  return false;
}

}  // namespace ecp::inline v0::identity
