// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What went wrong: a stable reason from a catalogue, named values and a context for people.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/core/export.hpp>

namespace ecp::inline v0 {

/// Class of a failure; decides the HTTP status and whether trying again can help.
enum class ErrorCode {
  invalid_argument,
  unauthenticated,
  permission_denied,
  not_found,
  already_exists,
  conflict,
  failed_precondition,
  resource_exhausted,
  internal,
  data_loss,
  unimplemented,
  unavailable,
  cancelled,
  timeout,
};

/// Return the stable lower-case name of a class, such as "not_found".
[[nodiscard]] ECP_EXPORT std::string_view to_string(ErrorCode code) noexcept;

/// True for the classes where the same call may succeed later: unavailable, timeout, conflict,
/// resource_exhausted.
[[nodiscard]] constexpr bool is_retryable(ErrorCode code) noexcept {
  return code == ErrorCode::unavailable || code == ErrorCode::timeout ||
         code == ErrorCode::conflict || code == ErrorCode::resource_exhausted;
}

/// One row of the catalogue; constants with static storage, never made at run time.
/// An OEM's numbers start at 100000.
struct Reason {
  int number;               ///< On the wire; never reused.
  std::string_view symbol;  ///< "edge_service.name_taken"
  ErrorCode code;           ///< Class of the failure.
  std::string_view text;    ///< English template over the parameters: "the name {name} is taken".
};

/// Named values for a reason's text, in the order given. Never secrets.
using Params = std::vector<std::pair<std::string, std::string>>;

/// One failure. Cheap to move; passed by value inside Result.
struct Error {
  const Reason* reason;  ///< Never null; points at a catalogue constant.
  Params params;         ///< Values for the reason's text.
  std::string context;   ///< "while applying generation 7: ..."; for people, never parsed.

  Error(const Reason& why, Params values = {}, std::string where = {})  // NOLINT(*-explicit-*)
      : reason(&why), params(std::move(values)), context(std::move(where)) {}

  [[nodiscard]] ErrorCode code() const noexcept { return reason->code; }
  /// True when this failure is of exactly that reason.
  [[nodiscard]] bool is(const Reason& other) const noexcept {
    return reason->number == other.number;
  }
  /// Return the reason's text with the parameters filled in; the context is not part of it.
  [[nodiscard]] ECP_EXPORT std::string message() const;
  /// Return symbol, message and context in one line, for logs and terminals.
  [[nodiscard]] ECP_EXPORT std::string describe() const;
  /// Put "where: " in front of the context. Call once per layer at most.
  [[nodiscard]] ECP_EXPORT Error within(std::string_view where) &&;
};

}  // namespace ecp::inline v0
