// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Makers of the two ends.

#include <memory>

#include "transport/loopback/network.hpp"

namespace ecp::inline v0::transport::loopback {

std::unique_ptr<AgentLink> make_link(std::shared_ptr<LinkEnd> end);
std::unique_ptr<AgentGateway> make_gateway(std::shared_ptr<LoopbackNetwork::State> network,
                                           std::shared_ptr<GatewayEnd> end);

}  // namespace ecp::inline v0::transport::loopback
