// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Ends of the link whose program is of another version: what they send is as that one writes it.

#include <memory>

#include <ecp/transport/agent_gateway.hpp>
#include <ecp/transport/agent_link.hpp>

namespace ecp_test {

/// Which version of its program an end of the link is.
enum class SimVersion : std::uint8_t {
  same,
  newer,  ///< Writes a greater version, and members that nobody knows, into every object.
  older,  ///< Leaves out what came to telemetry, journals and acknowledgements later.
};

/// A message of this program as another version would have written it.
[[nodiscard]] ecp::Bytes as_written_by(SimVersion version, ecp::transport::ChannelKind kind,
                                       ecp::Bytes payload);

[[nodiscard]] std::unique_ptr<ecp::transport::AgentLink> of_version(
    SimVersion version, std::unique_ptr<ecp::transport::AgentLink> link);
[[nodiscard]] std::unique_ptr<ecp::transport::AgentGateway> of_version(
    SimVersion version, std::unique_ptr<ecp::transport::AgentGateway> gateway);

}  // namespace ecp_test
