// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The fleet at work: one object between the gateway and the engines.

#include <memory>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/fleet/command.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_node_registry.hpp>
#include <ecp/fleet/ingest.hpp>
#include <ecp/fleet/ports.hpp>
#include <ecp/fleet/presence.hpp>

namespace ecp::inline v0::fleet {

/// Receives everything agents send, hands it to the engines on the workers (telemetry and the rest
/// in a lane each, in the order heard; telemetry never before a birth that came first), answers
/// their questions, and runs the fleet's timers.
///
/// Ownership: owns presence and ingest; everything given outlives it.
/// Thread safety: any thread.
class ECP_EXPORT FleetEngine final : public NodeGate {
 public:
  struct Parts {
    storage::Store& store;
    series::SeriesStore& series;
    transport::AgentGateway& gateway;
    platform::LiveEvents& live;
    DesiredEngine& desired;
    CommandEngine& commands;
    TransitionSink& transitions;
    NodeObserver& observer;
    TrustObserver& trust;
  };
  struct Options {
    Milliseconds heartbeat{15'000};
    Milliseconds series_keep{30LL * 24 * 3'600'000};  ///< Whole days older than that are removed.
    bool has_replicas = false;  ///< Others may hear the same agents: what is heard may be old news.
  };
  FleetEngine(const Parts& parts, Options options, Env env);
  ~FleetEngine() override;

  /// Start the gateway and the timers; also starts `desired` and `commands` on it.
  Result<void> start();
  /// Stop the gateway, end the timers, wait for running work and write what is in memory.
  void stop() noexcept;
  void deny(EdgeNodeId node) override;
  /// Messages waiting for a worker, for metrics and tests.
  [[nodiscard]] std::size_t backlog() const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // Shared: tasks posted before stop() may still run.
};

}  // namespace ecp::inline v0::fleet
