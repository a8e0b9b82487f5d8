// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of kind (numbers 2600-2699).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::kind {

namespace reasons {
inline constexpr Reason unknown_kind{2600, "kind.unknown_kind", ErrorCode::invalid_argument,
                                     "there is no kind {name}"};
inline constexpr Reason unknown_runtime{2601, "kind.unknown_runtime", ErrorCode::invalid_argument,
                                        "there is no runtime {name}"};
inline constexpr Reason bad_pair{2602, "kind.bad_pair", ErrorCode::invalid_argument,
                                 "a service of kind {kind} cannot run as {runtime}"};
inline constexpr Reason bad_address{2603, "kind.bad_address", ErrorCode::invalid_argument,
                                    "{address} is no Modbus address: {problem}"};
}  // namespace reasons

inline constexpr std::array kind_catalogue{&reasons::unknown_kind, &reasons::unknown_runtime,
                                           &reasons::bad_pair, &reasons::bad_address};

}  // namespace ecp::inline v0::kind
