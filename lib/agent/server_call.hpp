// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// HTTPS calls of an agent to its control plane.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/bytes.hpp>
#include <ecp/core/result.hpp>
#include <ecp/http/client.hpp>
#include <ecp/link/documents.hpp>

#include "agent/identity.hpp"

namespace ecp::inline v0::agent {

/// Where the control plane is, how it proves itself, and whether we show our certificate.
struct ServerRoute {
  std::vector<std::string> urls;  ///< Tried in turn.
  http::ServerTrust trust;
  std::optional<http::ClientIdentity> identity;
};

/// The way of an enrolled agent; it shows its certificate unless `anonymous`.
enum class Showing { certificate, anonymous };
[[nodiscard]] ServerRoute route_of(const AgentFiles& files, const Identity& identity,
                                   const link::LinkDocument& known, Showing showing);

/// Ask every URL until one answers. Fails with `failed_precondition` (agent.server_refused) when
/// the answer is a refusal, and as http::Client when none answers.
[[nodiscard]] Result<Bytes> get(http::Client& client, const ServerRoute& route,
                                std::string_view path, std::size_t max_answer);
[[nodiscard]] Result<Bytes> post(http::Client& client, const ServerRoute& route,
                                 std::string_view path, Bytes json);

}  // namespace ecp::inline v0::agent
