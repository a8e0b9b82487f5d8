// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of core (numbers 1000-1099) and the catalogue into which every module puts its own.

#include <array>
#include <span>
#include <string>
#include <vector>

#include <ecp/core/error.hpp>
#include <ecp/core/export.hpp>

namespace ecp::inline v0 {

namespace reasons {
inline constexpr Reason bad_json{1000, "core.bad_json", ErrorCode::invalid_argument,
                                 "the text is not valid JSON: {problem} at offset {offset}"};
inline constexpr Reason bad_field{1001, "core.bad_field", ErrorCode::invalid_argument,
                                  "{field} {problem}"};
inline constexpr Reason unknown_field{1002, "core.unknown_field", ErrorCode::invalid_argument,
                                      "{field} is not a known field"};
inline constexpr Reason bad_id{1003, "core.bad_id", ErrorCode::invalid_argument,
                               "the text is not an id of the form {prefix}_..."};
inline constexpr Reason bad_text{1004, "core.bad_text", ErrorCode::invalid_argument,
                                 "the text is not valid {coding}"};
inline constexpr Reason bad_time{1005, "core.bad_time", ErrorCode::invalid_argument,
                                 "the text is not an RFC 3339 time"};
inline constexpr Reason bad_config{1006, "core.bad_config", ErrorCode::invalid_argument,
                                   "{file}:{line}: {key} {problem}"};
inline constexpr Reason internal{1007, "core.internal", ErrorCode::internal,
                                 "an internal error happened; see the log"};
inline constexpr Reason not_found{1008, "core.not_found", ErrorCode::not_found,
                                  "there is no such {noun}"};
inline constexpr Reason stale_revision{1009, "core.stale_revision", ErrorCode::conflict,
                                       "the {noun} was changed by somebody else meanwhile"};
inline constexpr Reason timeout{1010, "core.timeout", ErrorCode::timeout,
                                "{what} was not answered in time"};
inline constexpr Reason cancelled{1011, "core.cancelled", ErrorCode::cancelled,
                                  "{what} was cancelled because the program is stopping"};
inline constexpr Reason unavailable{1012, "core.unavailable", ErrorCode::unavailable,
                                    "{what} cannot be reached now"};
inline constexpr Reason over_limit{1013, "core.over_limit", ErrorCode::resource_exhausted,
                                   "{what} is over its limit of {limit}"};
inline constexpr Reason io{1014, "core.io", ErrorCode::unavailable,
                           "{path} cannot be {action}: {problem}"};
inline constexpr Reason unsafe_file{1015, "core.unsafe_file", ErrorCode::failed_precondition,
                                    "{path} {problem}"};
inline constexpr Reason name_taken{1016, "core.name_taken", ErrorCode::already_exists,
                                   "there is already a {noun} of that {field}"};
inline constexpr Reason damaged{1017, "core.damaged", ErrorCode::data_loss,
                                "a stored {noun} cannot be read"};
inline constexpr std::array core_catalogue{
    &bad_json, &bad_field,   &unknown_field,  &bad_id,  &bad_text,  &bad_time,    &bad_config,
    &internal, &not_found,   &stale_revision, &timeout, &cancelled, &unavailable, &over_limit,
    &io,       &unsafe_file, &name_taken,     &damaged};
}  // namespace reasons

/// All reasons of a program: what docs/errors.md and an OEM's translation tables are made from.
class ECP_EXPORT ReasonCatalogue {
 public:
  ReasonCatalogue();  ///< Holds core's.
  /// Add a module's reasons. A number or symbol used twice is a broken invariant (assert).
  void add(std::span<const Reason* const> reasons);
  [[nodiscard]] const std::vector<const Reason*>& all() const noexcept { return reasons_; }

 private:
  std::vector<const Reason*> reasons_;  ///< Sorted by number.
};

}  // namespace ecp::inline v0
