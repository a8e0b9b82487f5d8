// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Recognising a server by the digest of a certificate instead of a list of authorities, and when.

#include <string>

#include <ecp/core/bytes.hpp>
#include <ecp/core/time.hpp>

using SSL_CTX = struct ssl_ctx_st;

namespace ecp::inline v0::http::curl {

/// Make a TLS context accept exactly the chains that verify in themselves and whose last
/// certificate, or the server's own, has this SHA-256. `pin` outlives the context. The host name is
/// checked besides.
[[nodiscard]] bool pin_server(SSL_CTX* context, const Sha256* pin);

/// Make a TLS context check the server's name or address too, against the names that certificates
/// state for this purpose and never against the subject.
[[nodiscard]] bool name_server(SSL_CTX* context, const std::string& host);

/// Make a TLS context judge certificates at a time other than the clock's.
void judge_at(SSL_CTX* context, Time time);

}  // namespace ecp::inline v0::http::curl
