// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What the plane and its agents ask each other.

#include <atomic>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>

#include <ecp/core/env.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/transport/agent_gateway.hpp>
#include <ecp/transport/calls.hpp>

#include "fleet/doubted_agents.hpp"
#include "fleet/pending_counts.hpp"

namespace ecp::inline v0::fleet {

inline constexpr std::int64_t unknown_connection = 0;

/// Asks agents for what was not heard, or not understood, and answers their questions.
///
/// Ownership: shared with its tasks and questions on their way, which find nothing to do after
///   stop().
/// Thread safety: any thread. Callbacks: `confirm` on a worker, `take_state` on the executor.
class AgentDialogue : public std::enable_shared_from_this<AgentDialogue> {
 public:
  struct Parts {
    transport::AgentGateway& gateway;
    DesiredEngine& desired;
    /// An agent under doubt has told its connection, see PresenceEngine::confirm; a failure has it
    /// asked again, too.
    std::function<Result<std::optional<std::int64_t>>(EdgeNodeId, const link::Presence&,
                                                      std::int64_t asked_at)>
        confirm;
    /// A whole heartbeat that was asked for.
    std::function<void(EdgeNodeId, std::string)> take_state;
  };
  AgentDialogue(Parts parts, Env env);

  void start();
  /// Ask and answer nothing more, and wait for the workers' tasks that run.
  void stop() noexcept;
  /// True when a message belongs to a question or an answer, and is dealt with.
  [[nodiscard]] bool take(EdgeNodeId agent, const transport::Channel& channel, BytesView payload);

  /// The agent has a greater manifest than the database: it shall show it.
  void ask_manifest(EdgeNodeId agent);
  /// A whole heartbeat, for a short one that we cannot make sense of.
  void ask_state(EdgeNodeId agent);
  /// The agent shall tell its connection itself: what was heard may be overtaken. `stored`: the
  /// stored connection, where it is known.
  void doubt(EdgeNodeId agent, std::int64_t stored);
  [[nodiscard]] bool is_doubted(EdgeNodeId agent) const { return doubted_.has(agent); }
  /// Ask nothing more about an agent that is revoked or removed.
  void forget(EdgeNodeId agent) { doubted_.settle(agent); }

 private:
  /// Have a worker do something, unless stopped by then. `place` is a literal.
  void post(std::string_view place, std::function<void(AgentDialogue&)> work);
  void answer(EdgeNodeId agent, const link::Question& question, transport::AnswerHandler reply);
  void ask_doubted(EdgeNodeId agent, std::int64_t stored);
  void settle_doubt(EdgeNodeId agent, std::int64_t stored, const Result<std::string>& told);
  void post_manifest(EdgeNodeId agent, std::string text, transport::AnswerHandler reply);
  void take_manifest(EdgeNodeId agent, const std::string& text);

  Parts parts_;
  Env env_;
  transport::GatewayCalls calls_;
  PendingCounts manifests_;  ///< Handed over by agents.
  DoubtedAgents doubted_;
  std::atomic<bool> stopped_ = false;
  std::shared_mutex tasks_;  ///< Shared by the workers' tasks; stop() waits for all.
};

}  // namespace ecp::inline v0::fleet
