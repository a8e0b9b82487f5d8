// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of pki (numbers 2300-2399).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::pki {

namespace reasons {
inline constexpr Reason bad_pem{2300, "pki.bad_pem", ErrorCode::invalid_argument,
                                "the text is not a {what} in PEM"};
inline constexpr Reason bad_request{2301, "pki.bad_request", ErrorCode::invalid_argument,
                                    "the certificate request {problem}"};
inline constexpr Reason bad_signature{2302, "pki.bad_signature", ErrorCode::permission_denied,
                                      "the signature does not fit"};
inline constexpr Reason untrusted{2303, "pki.untrusted", ErrorCode::permission_denied,
                                  "the certificate is not trusted: {problem}"};
inline constexpr Reason failed{2304, "pki.failed", ErrorCode::internal,
                               "the cryptographic library failed at {step}"};
inline constexpr Reason bad_key{2305, "pki.bad_key", ErrorCode::data_loss,
                                "the stored {what} cannot be read"};
inline constexpr Reason bad_name{2306, "pki.bad_name", ErrorCode::invalid_argument,
                                 "{name} cannot stand in a certificate"};
}  // namespace reasons

inline constexpr std::array pki_catalogue{
    &reasons::bad_pem, &reasons::bad_request, &reasons::bad_signature, &reasons::untrusted,
    &reasons::failed,  &reasons::bad_key,     &reasons::bad_name};

}  // namespace ecp::inline v0::pki
