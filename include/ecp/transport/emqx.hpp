// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Revoking on an EMQX 5 or 6, whose REST API bans and kicks clients.

#include <memory>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/http/client.hpp>
#include <ecp/transport/session_cutter.hpp>

namespace ecp::inline v0::transport {

struct EmqxOptions {
  std::string url;        ///< "https://host:18084"; plain http only to a literal loopback address.
  Secret key;             ///< "key:secret" of an API key that may ban and kick.
  std::string roots_pem;  ///< What its certificate must chain to; empty: the system's.
  Milliseconds timeout{3'000};
};

/// Make a cutter that bans an agent's client id and then kicks the session.
///
/// A ban has no end that anybody will see, and is never lifted here: an operator who wants an agent
/// back does that in EMQX. A ban of other origin that ends earlier is awaited, then replaced.
/// Calls block the env's workers, one at a time, so give it some of its own: a control plane with
/// all workers busy must still be able to cut. `client` outlives it.
/// Fails with `invalid_argument` (transport.bad_options) on another URL or key.
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<SessionCutter>> open_emqx_cutter(
    EmqxOptions options, http::Client& client, Env env);

}  // namespace ecp::inline v0::transport
