// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How a broker is told which agents are revoked.

#include <span>

#include <ecp/core/export.hpp>
#include <ecp/link/ids.hpp>

namespace ecp::inline v0::transport {

/// Keeps revoked agents off a broker: ends their sessions and has new ones refused.
///
/// The truth is the control plane's record; this only brings it to the broker, and tries until it
/// is there. Nobody is let in again by it: a broker that knows of more agents keeps them out.
/// Thread safety: any thread.
/// Callbacks: none.
/// Errors: none are returned; what fails is logged and tried again.
class ECP_EXPORT SessionCutter {
 public:
  virtual ~SessionCutter();
  /// Cut an agent's session now and refuse its next ones. Does not wait for the broker.
  virtual void deny(link::AgentId agent) = 0;
  /// These are all revoked agents.
  virtual void set_denied(std::span<const link::AgentId> agents) = 0;
  /// A connection to the broker was made: it may have forgotten everything, so tell it all.
  virtual void repeat() = 0;
  /// Waits for what is under way; nothing is begun after it.
  virtual void stop() noexcept = 0;
};

}  // namespace ecp::inline v0::transport
