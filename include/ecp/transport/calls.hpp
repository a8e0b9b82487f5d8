// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Questions and answers with deadlines, on top of either end of the link.

#include <functional>
#include <memory>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/transport/agent_gateway.hpp>
#include <ecp/transport/agent_link.hpp>

namespace ecp::inline v0::transport {

/// The result as JSON, or why there is none: `timeout` after the deadline, `cancelled` by stop(),
/// what send said, or transport.peer_error with the other end's reason.
using AnswerHandler = std::function<void(Result<std::string> result_json)>;

/// The agent's calls. The owner hands it the messages of its link that `take` wants.
///
/// Thread safety: any thread. Callbacks: on the env's executor, once each, never inside a call.
class ECP_EXPORT AgentCalls {
 public:
  /// `reply` may be called from any thread, once.
  using QuestionHandler = std::function<void(const link::Question&, AnswerHandler reply)>;

  AgentCalls(AgentLink& link, Env env);
  ~AgentCalls();
  /// Who answers questions of the plane. Without one they are answered "unimplemented".
  void on_question(QuestionHandler handler);
  void ask(const link::Question& question, Milliseconds deadline, AnswerHandler handler);
  /// True when the message belonged to a call and is dealt with.
  [[nodiscard]] bool take(const Channel& channel, BytesView payload);
  /// Answer everything that waits with `cancelled`.
  void stop() noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;  ///< Also held by timers and send handlers on their way.
};

/// The plane's calls; the same for many agents.
class ECP_EXPORT GatewayCalls {
 public:
  using QuestionHandler =
      std::function<void(link::AgentId, const link::Question&, AnswerHandler reply)>;

  GatewayCalls(AgentGateway& gateway, Env env);
  ~GatewayCalls();
  void on_question(QuestionHandler handler);
  void ask(link::AgentId agent, const link::Question& question, Milliseconds deadline,
           AnswerHandler handler);
  [[nodiscard]] bool take(link::AgentId agent, const Channel& channel, BytesView payload);
  void stop() noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;  ///< Also held by timers and send handlers on their way.
};

}  // namespace ecp::inline v0::transport
