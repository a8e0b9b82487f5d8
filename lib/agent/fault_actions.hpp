// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What becomes of writable data tags when the cloud or their writer is lost, and when each was
/// written last.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ecp/agent/agent_store.hpp>
#include <ecp/core/env.hpp>
#include <ecp/kind/pipeline_config.hpp>
#include <ecp/pipeline/buffer.hpp>
#include <ecp/pipeline/pipeline.hpp>
#include <ecp/storage/store.hpp>

#include "agent/lane.hpp"
#include "agent/services.hpp"

namespace ecp::inline v0::agent {

/// Watches the data tags that have min_interval or on_loss; runs each fault action once per loss,
/// again while the device does not take it, and tells it as an event. All of it outlives a restart.
///
/// Thread safety: the agent's lane alone, or before it starts.
class FaultActions {
 public:
  FaultActions(storage::Store& store, pipeline::Buffer& buffer, Services& services,
               std::shared_ptr<Lane> lane, Env env);

  /// Read what is known from before.
  Result<void> boot();
  /// A service has this configuration now; an empty one when it is gone.
  void watch(link::EdgeServiceId service, const kind::PipelineConfig& config);
  void link_down();
  void link_up();

  [[nodiscard]] std::optional<Milliseconds> since_write(link::EdgeServiceId service,
                                                        const std::string& tag) const;
  /// What is to be kept, in the unit that journals writes, before they run; then call `wrote`.
  [[nodiscard]] std::vector<GuardedTag> after_write(
      link::EdgeServiceId service, const std::vector<pipeline::WriteOrder>& orders) const;
  void wrote(const std::vector<GuardedTag>& tags);

  /// What a service's data tags hold in place of what was written; empty when nothing.
  [[nodiscard]] std::string in_force(link::EdgeServiceId service) const;
  /// Called after each event that was journaled.
  void on_event(std::function<void()> handler) { on_event_ = std::move(handler); }

 private:
  using Key = std::pair<link::EdgeServiceId, std::string>;
  struct Watched {
    GuardedTag kept;
    std::vector<kind::LossRule> rules;
    SteadyTime written{};      ///< As kept.written_at.
    std::uint64_t writes = 0;  ///< Tells a writer's return during an action.
    SteadyTime not_before{};   ///< Of the next try.
    bool is_acting = false;
    bool is_failing = false;  ///< And that was told.
  };
  /// An action as it began.
  struct Action {
    Key key;
    kind::LossRule rule;
    std::uint64_t writes = 0;
    Time cloud_loss{};
  };

  [[nodiscard]] SteadyTime due_at(const Watched& watched, const kind::LossRule& rule) const;
  void arm();
  void tick();
  void act(const Key& key, Watched& watched, const kind::LossRule& rule);
  void acted(const Action& action, const Result<series::Value>& result);
  void fail(const Action& action, Watched& watched, const Error& why);
  void end(const Action& action, Watched& watched, const std::string& event,
           const std::string& outcome, bool is_written);
  void try_again(Watched& watched);
  void keep_cloud_loss();
  [[nodiscard]] SteadyTime steady_of(Time time) const;
  [[nodiscard]] link::AgentEvent event_of(const Action& action, const std::string& name,
                                          const std::string& outcome) const;

  storage::Store& store_;
  pipeline::Buffer& buffer_;
  Services& services_;
  std::shared_ptr<Lane> lane_;  // Shared with the agent and its callbacks.
  Env env_;
  std::function<void()> on_event_;
  std::map<Key, Watched> tags_;
  std::optional<Time> cloud_lost_at_;
  bool is_loss_kept_ = false;
  SteadyTime cloud_lost_{};
  SteadyTime armed_ = SteadyTime::max();
};

}  // namespace ecp::inline v0::agent
