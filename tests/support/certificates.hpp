// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Certificates as a test wants them, right and wrong.

#include <string>

#include <ecp/core/bytes.hpp>

namespace ecp::testing {

struct KeyAndCertificate {
  std::string certificate_pem;
  std::string key_pem;
  Sha256 digest{};  ///< SHA-256 of the certificate's DER.
};

struct CertificateWish {
  std::string common_name = "localhost";
  std::string alternative_names = "DNS:localhost,IP:127.0.0.1";  ///< "" for none.
  std::string usage = "serverAuth";                              ///< "" for none.
  bool is_authority = false;
  long starts_in_s = -86'400;
  long ends_in_s = 86'400;
};

/// Issue by `issuer`, or self-signed when it is null.
[[nodiscard]] KeyAndCertificate make_certificate(const CertificateWish& wish,
                                                 const KeyAndCertificate* issuer = nullptr);

}  // namespace ecp::testing
