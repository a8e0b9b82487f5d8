// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Live events between replicas, over the broker.

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/platform/live_events.hpp>
#include <ecp/transport/agent_gateway.hpp>

#include "plane/recurring.hpp"

namespace ecp::inline v0::plane {

/// Tells the other replicas which scopes are listened to here, and passes on what they listen to:
/// whichever replica hears an agent, the open event streams of all have it.
///
/// Thread safety: any thread.
class ReplicaHints final : public platform::LiveRelay {
 public:
  ReplicaHints(platform::LiveEvents& live, transport::AgentGateway& gateway, Env env);
  ~ReplicaHints() override;

  /// Take part; `gateway` is running. What replicas tell is given to `take`.
  void start();
  void stop() noexcept;
  void take(BytesView told);

  void pass(const platform::LiveEvent& event) override;
  [[nodiscard]] bool has_listener(const access::Scope& scope) const override;
  void listeners_changed() override { announce(); }

 private:
  struct Other {
    std::vector<access::Scope> scopes;
    SteadyTime until;  ///< A replica that says nothing more is gone.
  };
  void announce();

  platform::LiveEvents& live_;
  transport::AgentGateway& gateway_;
  Env env_;
  mutable std::mutex mutex_;
  std::map<std::string, Other> others_;
  bool announced_ = false;  ///< Scopes that the others may still believe in.
  Recurring announcing_;
};

}  // namespace ecp::inline v0::plane
