// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Takes what agents report: telemetry into series, journals into the database.

#include <memory>
#include <span>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/fleet/command.hpp>
#include <ecp/fleet/ports.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/store.hpp>
#include <ecp/transport/agent_gateway.hpp>

namespace ecp::inline v0::platform {
class LiveEvents;
}

namespace ecp::inline v0::fleet {

/// One message of an agent, as the gateway gave it.
struct Heard {
  EdgeNodeId agent;
  transport::Channel channel;
  Bytes payload;
};

/// Applies numbered batches and acknowledges what is durable. A message that makes no sense is
/// logged and dropped.
///
/// Thread safety: `take_telemetry` and `take_journals` each from one thread at a time, but from two
///   at once; both block.
class ECP_EXPORT IngestEngine {
 public:
  struct Parts {
    storage::Store& store;
    series::SeriesStore& series;
    transport::AgentGateway& gateway;
    CommandEngine& commands;
    TransitionSink& transitions;
    platform::LiveEvents& live;
  };
  IngestEngine(const Parts& parts, Env env);
  ~IngestEngine();
  IngestEngine(const IngestEngine&) = delete;
  IngestEngine& operator=(const IngestEngine&) = delete;

  /// Store the batches of many agents with one durable append, then move their cursors, then
  /// acknowledge. When storing fails nothing is acknowledged, and the agents send again.
  void take_telemetry(std::span<const Heard> messages);
  /// Apply batches of the reported, alarm and event journals, each at cursor + 1 only, and
  /// acknowledge after the commit.
  void take_journals(std::span<const Heard> messages);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ecp::inline v0::fleet
