// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <utility>

#include <ecp/transport/loopback.hpp>

#include "handles.hpp"

namespace ecp_python {

/// A loopback network and the world that it lives in.
struct Network {
  explicit Network(std::shared_ptr<World> in) : world(std::move(in)), network(world->env()) {}
  std::shared_ptr<World> world;  ///< Shared with Python's own object of it.
  ecp::transport::LoopbackNetwork network;
};

}  // namespace ecp_python
